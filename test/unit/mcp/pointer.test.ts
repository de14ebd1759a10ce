import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { parsePointer, valuesAt } from '../../../src/mcp/pointer.ts'
import type { JsonValue } from '../../../src/mcp/value.ts'
import { propertyRuns } from '../../support/property-runs.ts'

function read(text: string): JsonValue {
  const value = readJson(text)
  if (!value.ok) throw new Error(value.error.detail)
  return value.value
}

const at = (text: string, pointer: string) => valuesAt(read(text), parsePointer(pointer))

/** What is found where nothing is absent, of another shape, or too much; and each of these. */
const found = (...values: JsonValue[]) => ({ values, absent: false, misfit: false, tooMany: false })
const absent = (...values: JsonValue[]) => ({ ...found(...values), absent: true })
const misfit = (...values: JsonValue[]) => ({ ...found(...values), misfit: true })

/** RFC 6901 §5, its own document and its own answers. */
const DOCUMENT =
  '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}'

describe('a pointer', () => {
  it.each([
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%s of the example of RFC 6901 is %j', (pointer, value) => {
    expect(at(DOCUMENT, pointer)).toEqual(found(value))
  })

  it.each([
    ['/a~1b', ['a/b']],
    ['/~01', ['~1']],
    ['/~10', ['/0']],
    ['/~00~11', ['~0/1']],
    ['/*/~0', ['*', '~']],
    ['//', ['', '']],
  ])('%s is read as %j: `~1` before `~0`', (pointer, segments) => {
    expect(parsePointer(pointer)).toEqual(segments)
  })

  it('of any segments is read back as they were', () => {
    const escaped = (segment: string) => segment.replaceAll('~', '~0').replaceAll('/', '~1')
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('~', '/', '0', '1', '*', 'a') })),
        (list) => {
          const pointer = list.map((segment) => `/${escaped(segment)}`).join('')
          expect(parsePointer(pointer)).toEqual(list)
        },
      ),
      propertyRuns(5_000),
    )
  })

  const SHAPES = '{"l":["a","b"],"o":{"x":1},"s":"ab","z":null,"n":1e400}'

  it.each([
    ['/l/2', 'beyond the end'],
    ['/o/toString', 'a member of the language'],
    ['/o/__proto__', 'a member of the language'],
    ['/o/constructor', 'a member of the language'],
    ['/z/a', 'below null'],
    ['/gone', 'nothing'],
    ['/gone/*/id', 'below nothing'],
    ['/z/*', 'the elements of null'],
    ['/l/999999999', 'far beyond the end'],
  ])('%s is absent: %s', (pointer) => {
    expect(at(SHAPES, pointer)).toEqual(absent())
  })

  it.each([
    ['/l/01', 'a leading zero'],
    ['/l/-1', 'a sign'],
    ['/l/+1', 'a sign'],
    ['/l/1.0', 'a fraction'],
    ['/l/1e0', 'an exponent'],
    ['/l/-', 'the element after the last'],
    ['/l/ 1', 'a space'],
    ['/l/２', 'a digit of another script'],
    ['/l/99999999999999999999', 'beyond any end'],
    ['/l/length', 'a member of the language'],
    ['/l/', 'an empty segment'],
    ['/s/0', 'a letter of a text'],
    ['/s/length', 'a member of a text'],
    ['/n/text', 'below a number that no double holds'],
    ['/s/*', 'the elements of a text'],
    ['/o/*', 'the elements of an object'],
  ])('%s is of another shape, and may mean anything: %s', (pointer) => {
    expect(at(SHAPES, pointer)).toEqual(misfit())
  })

  it('finds members that are named like those of the language', () => {
    const text = '{"__proto__":{"a":1},"constructor":2,"*":3}'
    expect(at(text, '/__proto__/a')).toEqual(found(1))
    expect(at(text, '/constructor')).toEqual(found(2))
    // It stands for the elements of a list, and an object in its place may mean anything.
    expect(at(text, '/*')).toEqual(misfit())
  })

  it('tells null from nothing', () => {
    expect(at('{"a":null}', '/a')).toEqual(found(null))
  })
})

describe('`*`', () => {
  it('stands for every element, in the order of the document', () => {
    expect(at('[{"l":[1,2]},{"l":[3]}]', '/*/l/*')).toEqual(found(1, 2, 3))
  })

  it('finds nothing in an empty list, and misses nothing', () => {
    expect(at('{"l":[]}', '/l/*')).toEqual(found())
    expect(at('{"l":[]}', '/l/*/id')).toEqual(found())
  })

  it('says that something is absent if one element is without', () => {
    expect(at('[{"id":1},{},{"id":2}]', '/*/id')).toEqual(absent(1, 2))
    expect(at('[{"id":1},null]', '/*/id')).toEqual(absent(1))
    expect(at('[[1],null]', '/*/*')).toEqual(absent(1))
  })

  it('says that something is of another shape if one element is', () => {
    expect(at('[{"id":1},"x"]', '/*/id')).toEqual(misfit(1))
    expect(at('[[1],2]', '/*/*')).toEqual(misfit(1))
    expect(at('[{"id":1},"x",{}]', '/*/id')).toEqual({ ...misfit(1), absent: true })
  })

  it('takes in ten thousand elements, and never passes over more in silence', () => {
    const ones = (length: number) => Array.from({ length }, () => 1)
    const list = (length: number) => `{"l":[${ones(length).join()}]}`
    expect(at(list(10_000), '/l/*')).toEqual(found(...ones(10_000)))
    expect(at(list(10_001), '/l/*')).toEqual({ ...found(), tooMany: true })
  })

  it('does not multiply: lists in lists are bounded together', () => {
    const inner = `[${Array.from({ length: 150 }, () => 1).join()}]`
    const outer = `[${Array.from({ length: 150 }, () => inner).join()}]`
    expect(at(outer, '/*/*')).toEqual({ ...found(), tooMany: true })
  })
})
