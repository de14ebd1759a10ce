import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { withoutOwnWords } from '../../../src/mcp/own-words.ts'
import { stringify } from '../../../src/mcp/stringify.ts'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'

const read = (text: string): JsonObject => {
  const json = readJson(text)
  if (!json.ok || !isJsonObject(json.value)) throw new Error('no object')
  return json.value
}

const OURS = '"sallyport/refusal":{"code":"consent_required"}'

describe('what an upstream says in our name is taken out', () => {
  it.each([
    ['of a result', `{"result":{"_meta":{${OURS}}}}`, '{"result":{"_meta":{}}}'],
    ['of an error', `{"error":{"code":1,"data":{${OURS}}}}`, '{"error":{"code":1,"data":{}}}'],
    ['of a notification', `{"params":{"_meta":{"a":1,${OURS}}}}`, '{"params":{"_meta":{"a":1}}}'],
    [
      'of a task within',
      `{"params":{"result":{"_meta":{${OURS}}},"error":{"data":{${OURS}}}}}`,
      '{"params":{"result":{"_meta":{}},"error":{"data":{}}}}',
    ],
    ['beside its members', `{"result":{${OURS}},${OURS}}`, '{"result":{}}'],
    ['whatever it is called', '{"result":{"_meta":{"sallyport/":1}}}', '{"result":{"_meta":{}}}'],
    ['in other letters', '{"result":{"_meta":{"SallyPort/x":1}}}', '{"result":{"_meta":{}}}'],
    [
      'behind escapes',
      String.raw`{"result":{"_meta":{"s\u0061llyport\/refusal":1,"b":2}}}`,
      '{"result":{"_meta":{"b":2}}}',
    ],
  ])('%s', (_, said, left) => {
    expect(stringify(withoutOwnWords(read(said)))).toBe(left)
  })

  it('and what nobody would take for ours is the very same object', () => {
    const said = read(
      `{"result":{"_meta":{"sallyport":1,"x/sallyport/":2},"structuredContent":{${OURS}},
        "content":[{"type":"text","text":"sallyport/refusal"}],"__proto__":{"a":1}}}`,
    )
    expect(withoutOwnWords(said)).toBe(said)
  })

  it('and every other member stays, whatever it is called', () => {
    const said = read(`{"result":{"__proto__":{"a":1},"n":1.0,"_meta":{${OURS}}}}`)
    expect(stringify(withoutOwnWords(said))).toBe(
      '{"result":{"__proto__":{"a":1},"n":1,"_meta":{}}}',
    )
  })
})
