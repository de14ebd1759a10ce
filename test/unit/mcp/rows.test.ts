import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { readResult } from '../../../src/mcp/reading.ts'
import type { JsonObject } from '../../../src/mcp/value.ts'

const rowsOf = (result: unknown): number | null => {
  const text = JSON.stringify(result)
  const read = readJson(text)
  if (!read.ok) throw new Error('no JSON')
  return readResult(read.value as JsonObject, text.length).rows
}

const block = (text: unknown) => ({
  type: 'text',
  text: typeof text === 'string' ? text : JSON.stringify(text),
})
const list = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

describe('how many rows a result may hold', () => {
  it.each<[string, unknown, number | null]>([
    ['nothing', { content: [] }, 0],
    ['a record', { content: [], structuredContent: { id: 1 } }, 1],
    ['a list', { content: [], structuredContent: { rows: [1, 2, 3] } }, 3],
    ['a text of six letters', { content: [block('a;b;cc')] }, 3],
    ['JSON as text', { content: [block(list(5))] }, 5],
    [
      'JSON as text, and as what it is',
      { content: [block({ a: [1, 2] })], structuredContent: { a: [1, 2] } },
      2,
    ],
    [
      'a list, and a block for each of it',
      { content: list(2).map(block), structuredContent: { result: list(2) } },
      2,
    ],
    ['blocks of JSON', { content: [block({ a: 1 }), block({ a: 2 })] }, 2],
    ['another list as text', { content: [block([1, 2])], structuredContent: { a: [1, 2, 3] } }, 5],
    ['words beside a record', { content: [block('four')], structuredContent: { id: 1 } }, 2],
    ['a member that nobody knows', { content: [], other: [1, 2, 3, 4] }, 4],
    ['a text that nobody knows', { content: [], other: 'a;b;' }, 2],
    ['an image', { content: [{ type: 'image', data: '', mimeType: 'image/png' }] }, null],
  ])('%s', (_, result, rows) => {
    expect(rowsOf(result)).toBe(rows)
  })

  it('a record with more fields than a record has is a table', () => {
    const record = (fields: number) =>
      Object.fromEntries(Array.from({ length: fields }, (_, n) => [`f${n}`, n]))
    expect(rowsOf({ content: [], structuredContent: record(64) })).toBe(1)
    expect(rowsOf({ content: [], structuredContent: record(164) })).toBe(100)
    // Columns that come again in each row are columns.
    expect(rowsOf({ content: [], structuredContent: [record(20), record(20), record(20)] })).toBe(3)
  })
})
