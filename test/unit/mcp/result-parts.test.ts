import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { readResult } from '../../../src/mcp/reading.ts'
import { partsOf } from '../../../src/mcp/result-parts.ts'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'

function object(value: unknown): JsonObject {
  const read = readJson(JSON.stringify(value))
  if (!read.ok || !isJsonObject(read.value)) throw new Error('an object was expected')
  return read.value
}

const LIST = '{"rows":[1,2]}'

describe('the parts of a result', () => {
  it.each([
    ['a tool', { content: [{ type: 'text', text: LIST }] }],
    ['a resource', { contents: [{ uri: 'test://a', mimeType: 'application/json', text: LIST }] }],
    ['a prompt', { messages: [{ role: 'user', content: { type: 'text', text: LIST } }] }],
    ['what may be kept', { ttlMs: 1, cacheScope: 'private', contents: [{ text: LIST }] }],
  ])('of %s are read as JSON where they are', (_, result) => {
    expect(partsOf(object(result))).toEqual([{ rows: [1, 2] }])
  })

  it.each([
    ['a blob', { contents: [{ uri: 'a:b', blob: 'YQ==' }] }],
    ['text that is no JSON', { contents: [{ uri: 'a:b', text: 'x' }] }],
    ['more than the text', { contents: [{ uri: 'a:b', text: LIST, _meta: { x: 1 } }] }],
    ['a place that could hold anything', { contents: [{ uri: 'x'.repeat(257), text: LIST }] }],
    ['a resource in a tool', { content: [{ type: 'resource', resource: { text: LIST } }] }],
    ['a message of somebody else', { messages: [{ role: 'x', content: { type: 'text' } }] }],
    ['a scope of its own', { cacheScope: 'all of it' }],
  ])('with %s cannot be read', (_, result) => {
    expect(partsOf(object(result))).toEqual([undefined])
  })
})

describe('what is read of a result', () => {
  const reading = (result: unknown) => readResult(object(result), 100)

  it('of a resource is what it holds, and where', () => {
    const { structured, text, rows, partial } = reading({
      contents: [{ uri: 'test://a', text: LIST }],
    })
    expect([structured, rows, partial]).toEqual([{ rows: [1, 2] }, 2, false])
    expect(text).toContain('test://a')
  })

  it('of plain text is as many rows as there could be', () => {
    expect(reading({ contents: [{ text: 'abcdef' }] })).toMatchObject({ rows: 3, partial: false })
    const prompt = { messages: [{ role: 'user', content: { type: 'text', text: 'abcdef' } }] }
    expect(reading(prompt)).toMatchObject({ rows: 3, text: 'abcdef' })
  })

  it('of a blob is not all of it', () => {
    expect(reading({ contents: [{ uri: 'a:b', blob: 'YQ==' }] })).toMatchObject({ partial: true })
  })
})
