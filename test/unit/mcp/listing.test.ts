import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { filterCapabilities, filterListing, filterTasks } from '../../../src/mcp/listing.ts'
import type { Era } from '../../../src/mcp/refusal.ts'
import { stringify } from '../../../src/mcp/stringify.ts'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'

function object(text: string): JsonObject {
  const read = readJson(text)
  if (!read.ok || !isJsonObject(read.value)) throw new Error('an object was expected')
  return read.value
}

const all = () => true
const filterTools = (result: JsonObject, maySee: (entry: string) => boolean, era: Era) =>
  filterListing('tools/list', result, maySee, era)
const show = (text: string, mayCall: (tool: string) => boolean, era: Era): string =>
  stringify(filterTools(object(text), mayCall, era))
const introduce = (text: string, era: Era): string =>
  stringify(filterCapabilities(object(text), era))

describe('a listing', () => {
  it('keeps what may be called, as it came and in its order', () => {
    expect(
      show(
        '{"tools":[{"name":"c","n":12345678901234567890},{"name":"b"},{"name":"a"}],"nextCursor":"x"}',
        (tool) => tool !== 'b',
        'legacy',
      ),
    ).toBe('{"tools":[{"name":"c","n":12345678901234567890},{"name":"a"}],"nextCursor":"x"}')
  })

  it.each([
    [
      '{"tools":[{"name":"a","v":1},{"name":"b"},{"name":"a","v":2}]}',
      '{"tools":[{"name":"b"}]}',
      'all of a name that is listed twice',
    ],
    ['{"tools":[{"title":"a"},{"name":7},null,"a",["a"]]}', '{"tools":[]}', 'what has no name'],
    ['{"tools":[{"name":""},{"name":"a\\u0000"}]}', '{"tools":[]}', 'names that cannot be called'],
    ['{"tools":{"name":"a"}}', '{"tools":[]}', 'a list that is none'],
    ['{"nextCursor":"1"}', '{"nextCursor":"1","tools":[]}', 'an absent list'],
  ])('drops from %s: %s, %s', (given, expected, _why) => {
    expect(show(given, all, 'legacy')).toBe(expected)
  })

  it.each([
    ['{"tools":[]}', 5000],
    ['{"tools":[],"ttlMs":600000,"cacheScope":"public"}', 5000],
    ['{"tools":[],"ttlMs":100,"cacheScope":"private"}', 100],
    ['{"tools":[],"ttlMs":0}', 0],
    ['{"tools":[],"ttlMs":-1}', 5000],
    ['{"tools":[],"ttlMs":99.5}', 99],
    ['{"tools":[],"ttlMs":1e400}', 5000],
    ['{"tools":[],"ttlMs":"9"}', 5000],
  ])('makes %s private in the modern era, for %i ms', (given, ttlMs) => {
    expect(filterTools(object(given), all, 'modern')).toMatchObject({
      cacheScope: 'private',
      ttlMs,
    })
  })

  it('adds no hints in the legacy era', () => {
    expect(show('{"tools":[]}', all, 'legacy')).toBe('{"tools":[]}')
  })

  it('leaves no prototype behind', () => {
    const filtered = filterTools(object('{"tools":[],"__proto__":{"x":1}}'), all, 'modern')
    expect(Object.getPrototypeOf(filtered)).toBeNull()
    expect(Object.keys(filtered)).toEqual(['tools', 'cacheScope', 'ttlMs'])
  })

  it.each(['Tools', 'total', 'resources'])('has no %s beside what was looked at', (member) => {
    const filtered = filterTools(object(`{"tools":[],"${member}":[{"name":"b"}]}`), all, 'legacy')
    expect(stringify(filtered)).toBe('{"tools":[]}')
  })
})

describe('filterCapabilities', () => {
  it.each([
    [
      'legacy',
      '{"tools":{"listChanged":true,"x":{}},"resources":{"subscribe":true,"y":1},"logging":{"z":1},"experimental":{"e":{}},"tasks":{"list":{}}}',
      '{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{},"tasks":{"list":{}}}',
    ],
    ['legacy', '{"extensions":{"io.modelcontextprotocol/tasks":{}}}', '{}'],
    [
      'modern',
      '{"prompts":{},"tasks":{"list":{}},"extensions":{"io.modelcontextprotocol/tasks":{"a":1},"x/y":{}}}',
      '{"prompts":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}',
    ],
  ] as const)('names in the %s era of %s only %s', (era, declared, shown) => {
    const { capabilities } = filterCapabilities(object(`{"capabilities":${declared}}`), era)
    expect(stringify(capabilities ?? null)).toBe(shown)
  })

  it.each(['{}', '{"capabilities":{}}', '{"capabilities":[]}', '{"capabilities":{"tools":true}}'])(
    'finds no tools in %s',
    (given) => {
      expect(introduce(given, 'legacy')).toBe('{"capabilities":{}}')
    },
  )

  it('offers only versions that are enforced', () => {
    expect(
      filterCapabilities(
        object('{"supportedVersions":["2027-01-01","2026-07-28","2025-11-25","2024-11-05",1]}'),
        'modern',
      ),
    ).toMatchObject({
      supportedVersions: ['2026-07-28', '2025-11-25'],
      cacheScope: 'private',
      ttlMs: 5000,
    })
    expect(filterCapabilities(object('{}'), 'modern')).toMatchObject({ supportedVersions: [] })
  })
})

describe('listings of all kinds', () => {
  it.each([
    ['tools/list', 'tools', '{"name":"a"}', 'a'],
    ['prompts/list', 'prompts', '{"name":"a"}', 'prompt:a'],
    ['resources/list', 'resources', '{"uri":"x:a","name":"b"}', 'resource:x:a'],
    ['resources/templates/list', 'resourceTemplates', '{"uriTemplate":"x:{a}"}', 'resource:x:{a}'],
  ] as const)(
    '%s asks about each of %s by its name in the catalogue',
    (method, member, one, entry) => {
      const asked: string[] = []
      const result = object(`{"${member}":[${one},${one.replace('a', 'z')}],"nextCursor":"n"}`)
      const shown = filterListing(
        method,
        result,
        (name) => asked.push(name) > 0 && name === entry,
        'legacy',
      )
      expect(stringify(shown)).toBe(`{"${member}":[${one}],"nextCursor":"n"}`)
      expect(asked[0]).toBe(entry)
    },
  )

  it.each(['resource:test://a', 'prompt:p', 'client:sampling'])('hides a tool named %s', (name) => {
    const shown = filterTools(object(`{"tools":[{"name":"${name}"}]}`), all, 'legacy')
    expect(shown['tools']).toEqual([])
  })

  it('of tasks shows those that the actor made', () => {
    const result = object(
      '{"tasks":[{"taskId":"1"},{"taskId":"2"},{"taskId":3},null],"nextCursor":"n"}',
    )
    expect(stringify(filterTasks(result, (id) => id === '2'))).toBe(
      '{"tasks":[{"taskId":"2"}],"nextCursor":"n"}',
    )
  })
})
