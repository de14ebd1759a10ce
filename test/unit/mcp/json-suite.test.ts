// JSONTestSuite (Nicolas Seriot, MIT), read from the shared folder and never copied.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const SUITE = resolve(
  ROOT,
  process.env['SALLYPORT_SHARED'] ?? '../shared',
  'vectors/JSONTestSuite/test_parsing',
)
const present = existsSync(SUITE)
const files = present ? readdirSync(SUITE).toSorted() : []

/** As `receive` decodes: invalid UTF-8 never reaches the reader. */
function accepts(file: string): boolean {
  let text: string
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    text = decoder.decode(readFileSync(resolve(SUITE, file)))
  } catch {
    return false
  }
  return readJson(text).ok
}

/** Valid JSON that is refused on purpose: readers differ in which of two members they keep. */
const REFUSED_ON_PURPOSE = new Set([
  'y_object_duplicated_key.json',
  'y_object_duplicated_key_and_value.json',
])

/** Where RFC 8259 leaves the choice: what is accepted. Everything else in `i_` is refused. */
const CHOSEN = new Map([
  // Numbers that a double cannot hold stay as they were written.
  ['i_number_double_huge_neg_exp.json', 'kept as text'],
  ['i_number_huge_exp.json', 'kept as text'],
  ['i_number_neg_int_huge_exp.json', 'kept as text'],
  ['i_number_pos_double_huge_exp.json', 'kept as text'],
  ['i_number_real_neg_overflow.json', 'kept as text'],
  ['i_number_real_pos_overflow.json', 'kept as text'],
  ['i_number_real_underflow.json', 'kept as text'],
  ['i_number_too_big_neg_int.json', 'kept as text'],
  ['i_number_too_big_pos_int.json', 'kept as text'],
  ['i_number_very_big_negative_int.json', 'kept as text'],
])

const notice = present ? '' : `: DID NOT RUN, there is no folder ${SUITE}`

describe.runIf(present)(`JSONTestSuite${notice}`, () => {
  const named = (prefix: string) => files.filter((file) => file.startsWith(prefix))

  it('is complete', () => {
    expect(named('y_').length).toBeGreaterThanOrEqual(95)
    expect(named('n_').length).toBeGreaterThanOrEqual(187)
    expect(named('i_').length).toBeGreaterThanOrEqual(35)
  })

  it.each(named('y_'))('%s', (file) => {
    expect(accepts(file)).toBe(!REFUSED_ON_PURPOSE.has(file))
  })

  it.each(named('n_'))('%s', (file) => {
    expect(accepts(file)).toBe(false)
  })

  it.each(named('i_'))('%s', (file) => {
    expect(accepts(file)).toBe(CHOSEN.has(file))
  })
})
