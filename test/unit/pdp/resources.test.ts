import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/mcp/value.ts'
import {
  isGraver,
  parseField,
  resourceKey,
  resourcesInArguments,
  resourcesInResult,
  SENSITIVITY,
  targetOf,
  type ResourceField,
  type Sensitivity,
} from '../../../src/pdp/resources.ts'
import { readJson } from '../../../src/mcp/json.ts'
import { argumentsOf } from '../../support/pdp/build.ts'

const field = (pointer: string, rest: Partial<ResourceField> = {}): ResourceField =>
  parseField(pointer, {
    type: { name: 'doc', form: 'exact' },
    optional: false,
    unlisted: 'restricted',
    ...rest,
  })

const exactly = (text: string) => {
  const read = readJson(text)
  if (!read.ok) throw new Error(read.error.detail)
  return read.value
}

/** What was read, in short: names with their classes, or what is wrong. */
function read(fields: readonly ResourceField[], given: unknown): unknown {
  const reading = resourcesInArguments(fields, argumentsOf(given))
  if (reading.kind === 'unreadable') return `unreadable ${reading.pointer}`
  if (reading.kind === 'too_many') return 'too many'
  return reading.resources.map(({ id, unlisted }) => `${id ?? '(unnamed)'} ${unlisted}`)
}

describe('what arguments name', () => {
  const doc = [field('/doc')]
  const docs = [field('/docs/*')]

  it.each<[string, readonly ResourceField[], unknown, unknown]>([
    ['a text', doc, { doc: 'a' }, ['a restricted']],
    ['an integer', doc, { doc: 42 }, ['42 restricted']],
    ['a fraction', doc, { doc: 1.5 }, 'unreadable /doc'],
    ['an integer that other readers round', doc, { doc: 2 ** 53 }, 'unreadable /doc'],
    ['true', doc, { doc: true }, 'unreadable /doc'],
    ['an object', doc, { doc: { id: 'a' } }, 'unreadable /doc'],
    ['a list where one name is expected', doc, { doc: ['a'] }, 'unreadable /doc'],
    ['null', doc, { doc: null }, 'unreadable /doc'],
    ['an empty text', doc, { doc: '' }, 'unreadable /doc'],
    ['nothing', doc, {}, ['(unnamed) restricted']],
    ['every element', docs, { docs: ['a', 'b', 'a'] }, ['a restricted', 'b restricted']],
    ['an element that is none', docs, { docs: ['a', { b: 1 }] }, 'unreadable /docs/*'],
    ['an empty list', docs, { docs: [] }, ['(unnamed) restricted']],
  ])('%s', (_, fields, given, expected) => {
    expect(read(fields, given)).toEqual(expected)
  })

  it.each([
    ['1e3', '1000 restricted'],
    ['1.0', '1 restricted'],
    ['-0', '0 restricted'],
    ['-0.0e5', '0 restricted'],
    ['1000', '1000 restricted'],
  ])('one number has one name, however it is written: %s', (written, name) => {
    const given = exactly(`{"doc":${written}}`)
    const reading = resourcesInArguments(doc, given as ReturnType<typeof argumentsOf>)
    expect(reading).toMatchObject({ resources: [{ id: name.split(' ')[0] }] })
  })

  it.each(['9007199254740993', '1e400', '0.1000000000000000055'])(
    'a number that no double holds names nothing: %s',
    (written) => {
      const given = exactly(`{"doc":${written}}`)
      const reading = resourcesInArguments(doc, given as ReturnType<typeof argumentsOf>)
      expect(reading).toEqual({ kind: 'unreadable', pointer: '/doc' })
    },
  )

  it('an optional argument may be absent, null or an empty list', () => {
    const optional = [field('/doc', { optional: true }), field('/docs/*', { optional: true })]
    expect(read(optional, {})).toEqual([])
    expect(read(optional, { doc: null, docs: [] })).toEqual([])
    expect(read(optional, { docs: [null, 'a'] })).toEqual(['a restricted'])
    expect(read(optional, { doc: 5.5 })).toBe('unreadable /doc')
  })

  it('of two rows on one resource the graver class holds, in whatever order', () => {
    const low = field('/a', { unlisted: 'public' })
    const high = field('/b', { unlisted: 'confidential' })
    for (const fields of [
      [low, high],
      [high, low],
    ]) {
      expect(read(fields, { a: 'x', b: 'x' })).toEqual(['x confidential'])
    }
  })

  it('an argument that has a role only names nothing', () => {
    expect(read([field('/doc', { type: null })], { doc: 'a' })).toEqual([])
  })

  it('reads names in the form of their type', () => {
    const paths = [field('/path', { type: { name: 'file', form: 'path' } })]
    expect(read(paths, { path: '/a/../b' })).toEqual(['/b restricted'])
    expect(read(paths, { path: '/../b' })).toBe('unreadable /path')
  })

  it('a hundred are looked up, more are not', () => {
    const many = (length: number) => ({ docs: Array.from({ length }, (_, at) => `d${at}`) })
    expect(read(docs, many(100))).toHaveLength(100)
    expect(read(docs, many(101))).toBe('too many')
  })

  // An optional argument that is there, but not as its row expects, may still be what the server takes:
  // many servers read one text where a list belongs, and none stops at ten thousand elements.
  describe('what is there in another shape is not what is absent', () => {
    const optional = [field('/docs/*', { optional: true, unlisted: 'public' })]
    const inside = [field('/docs/*/id', { optional: true, unlisted: 'public' })]

    it('one text in place of a list', () => {
      expect(read(optional, { docs: 'secret' })).toBe('unreadable /docs/*')
    })
    it('an object in place of a list', () => {
      expect(read(optional, { docs: { 0: 'secret' } })).toBe('unreadable /docs/*')
    })
    it('an element in place of an object that has the name', () => {
      expect(read(inside, { docs: ['secret'] })).toBe('unreadable /docs/*/id')
    })
    it('more elements than a pointer finds', () => {
      const docs = Array.from({ length: 10_001 }, () => 'secret')
      expect(read(optional, { docs })).toBe('too many')
    })
    it('and a required argument in another shape is unreadable, not merely unlisted', () => {
      expect(read([field('/docs/*', { unlisted: 'public' })], { docs: 'secret' })).toBe(
        'unreadable /docs/*',
      )
    })
  })

  // The message tells the caller which argument to correct.
  it('names the pointer as its row has it', () => {
    expect(read([field('/a~1b')], { 'a/b': true })).toBe('unreadable /a~1b')
  })
})

describe('what results hold', () => {
  const rows = field('/rows/*/id')
  const classes = field('/class', { type: null })

  function held(fields: readonly ResourceField[], ...parts: (JsonValue | undefined)[]): unknown {
    const reading = resourcesInResult(fields, parts)
    if (reading.kind !== 'named') return reading.kind
    return reading.resources.map(({ type, id, unlisted }) => `${type}:${id} ${unlisted}`)
  }

  it('names every row of it', () => {
    expect(held([rows], argumentsOf({ rows: [{ id: 'a' }, { id: 2 }] }))).toEqual([
      'doc:a restricted',
      'doc:2 restricted',
    ])
    expect(held([rows], argumentsOf({ rows: [] }))).toEqual([])
  })

  it.each([
    ['a part that could not be read', undefined],
    ['a row without its name', argumentsOf({ rows: [{}] })],
    ['a row whose name is none', argumentsOf({ rows: [{ id: [] }] })],
    ['rows of another shape', argumentsOf({ rows: 'all of them' })],
    ['no rows', argumentsOf({})],
  ])('%s is of the highest class, and nobody is known to own it', (_, part) => {
    expect(held([rows], part)).toEqual([': restricted'.replace(':', ':null')])
  })

  it('is read part by part: one that says little hides nothing of the other', () => {
    const good = argumentsOf({ rows: [{ id: 'a' }] })
    expect(held([rows], good, undefined)).toEqual(['doc:a restricted', ':null restricted'])
  })

  it.each([
    ['public', 'class.public:null public'],
    ['restricted', 'class.restricted:null restricted'],
    ['PUBLIC', ':null restricted'],
    ['secret', ':null restricted'],
    [null, ':null restricted'],
    [0, ':null restricted'],
  ])('a class that the result states itself: %j', (stated, expected) => {
    expect(held([classes], argumentsOf({ class: stated }))).toEqual([expected])
  })

  it('an element may be without what is optional', () => {
    const optional = field('/rows/*/id', { optional: true })
    expect(held([optional], argumentsOf({ rows: [{}, { id: 'a' }] }))).toEqual(['doc:a restricted'])
  })

  it('a thousand are looked up, more are not', () => {
    const many = (length: number) =>
      argumentsOf({ rows: Array.from({ length }, (_, at) => ({ id: `d${at}` })) })
    expect(held([rows], many(1_000))).toHaveLength(1_000)
    expect(held([rows], many(1_001))).toBe('too_many')
  })

  // As with arguments: of a list that is longer than a pointer goes nothing is looked at.
  it('more rows than a pointer finds are not as if there were none', () => {
    const optional = field('/rows/*/id', { optional: true })
    const rows = Array.from({ length: 10_001 }, () => ({ id: 'secret' }))
    expect(held([optional], argumentsOf({ rows }))).not.toEqual([])
  })
})

describe('a target', () => {
  const named = { type: 'doc', id: 'a', unlisted: 'internal', from: 'arguments' } as const

  it('is of the class of its row, or else of the class of what is unlisted', () => {
    const row = {
      tenant: 'acme',
      id: 'a',
      pattern: false,
      owner: null,
      sensitivity: 'confidential' as const,
      labels: [],
    }
    expect(targetOf(named, row, 'acme').sensitivity).toBe('confidential')
    expect(targetOf(named, { ...row, sensitivity: 'public' }, 'acme').sensitivity).toBe('public')
    expect(targetOf(named, null, 'acme')).toEqual({
      type: 'doc',
      id: 'a',
      from: 'arguments',
      row: null,
      sensitivity: 'internal',
      foreign: false,
    })
  })

  it('of another tenant is there, and nothing else of its row is looked at', () => {
    const owner = { issuer: 'https://issuer.example', id: 'alice' }
    const row = {
      tenant: 'other',
      id: '*',
      pattern: true,
      owner,
      sensitivity: 'public' as const,
      labels: ['secret.project'],
    }
    expect(targetOf(named, row, 'acme')).toEqual({
      ...targetOf(named, null, 'acme'),
      foreign: true,
    })
    expect(targetOf(named, row, 'other')).toMatchObject({ row, foreign: false })
  })

  it('has a key that no other has', () => {
    expect(resourceKey({ type: 'a', id: 'b","c' })).not.toBe(
      resourceKey({ type: 'a","b', id: 'c' }),
    )
    expect(resourceKey({ type: 'a', id: null })).not.toBe(resourceKey({ type: 'a', id: 'null' }))
  })

  it('classes are in order', () => {
    const order = (one: Sensitivity, other: Sensitivity) => (isGraver(one, other) ? 1 : -1)
    expect([...SENSITIVITY].toSorted(order)).toEqual([
      'public',
      'internal',
      'confidential',
      'restricted',
    ])
    for (const one of SENSITIVITY) expect(isGraver(one, one)).toBe(false)
  })
})
