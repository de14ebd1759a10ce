import { describe, expect, it } from 'vitest'
import { choicesAt } from '../../../../src/cli/check/choices.ts'
import { ABSENT, argumentsOf, combinations } from '../../../../src/cli/check/combinations.ts'
import { InputSchema } from '../../../../src/cli/check/input-schema.ts'
import { readJson } from '../../../../src/mcp/json.ts'
import type { JsonObject } from '../../../../src/mcp/value.ts'

function schema(value: unknown): InputSchema {
  const read = readJson(JSON.stringify(value))
  if (!read.ok) throw new Error(read.error.detail)
  return new InputSchema(read.value as JsonObject)
}

const closed = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
})
const A = ['a']

describe('what a schema lets stand at a place', () => {
  it.each([
    ['a type', closed({ a: { type: 'string' } }), A, ['string'], 'no'],
    ['several types', closed({ a: { type: ['string', 'null'] } }), A, ['string', 'null'], 'no'],
    [
      'a choice',
      closed({ a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } }),
      A,
      ['string', 'integer'],
      'no',
    ],
    [
      'a reference',
      closed({ a: { $ref: '#/$defs/n' } }, { $defs: { n: { type: 'number' } } }),
      A,
      ['number'],
      'no',
    ],
    [
      'all of several',
      {
        allOf: [
          closed({ a: { type: ['number', 'string'] } }),
          { properties: { a: { type: 'integer' } } },
        ],
      },
      A,
      ['integer'],
      'no',
    ],
    ['an element', closed({ a: { items: { type: 'boolean' } } }), ['a', '*'], ['boolean'], 'no'],
    ['a listed member of others', closed({ a: {} }), ['a', 'b'], [], 'anywhere'],
    ['a member that a closed one lacks', closed({ b: {} }), A, [], 'no'],
    ['a member beside others', { type: 'object', properties: { b: {} } }, A, [], 'beside_others'],
    ['a member where none is listed', { type: 'object' }, A, [], 'anywhere'],
    ['a member by pattern', closed({}, { patternProperties: { '^a': {} } }), A, [], 'anywhere'],
    [
      'a typed one of any name',
      { type: 'object', additionalProperties: { type: 'string' } },
      A,
      ['string'],
      'no',
    ],
  ])('%s', (_, value, names, types, unlisted) => {
    const place = schema(value).placeAt(names)
    expect(place.variants.flatMap((variant) => variant.types)).toEqual(types)
    expect(place.unlisted).toBe(unlisted)
  })

  it.each([
    ['a reference out of the definition', closed({ a: { $ref: 'https://other.example/s' } })],
    [
      'a reference to itself',
      closed({ a: { $ref: '#/$defs/x' } }, { $defs: { x: { $ref: '#/$defs/x' } } }),
    ],
    ['a reference to nothing', closed({ a: { $ref: '#/$defs/none' } })],
    ['true', closed({ a: true })],
  ])('anything, where it cannot be told: %s', (_, value) => {
    const { variants } = schema(value).placeAt(A)
    expect(variants[0]?.types).toHaveLength(6)
  })

  it('nothing, where the schema says so', () => {
    expect(schema(closed({ a: false })).placeAt(A).variants).toEqual([])
  })
})

describe('generated arguments', () => {
  const tool = schema(
    closed(
      {
        kind: { enum: ['x', 'y'] },
        filter: closed(
          { state: { type: 'string' }, since: { type: 'integer' } },
          { required: ['state'] },
        ),
      },
      { required: ['kind'] },
    ),
  )
  const made = (...paths: string[][]) =>
    combinations(paths.map((names) => choicesAt(tool, names, []))).map((choices) =>
      JSON.stringify(argumentsOf(choices)),
    )

  it('take each value, and leave out only what may be left out', () => {
    expect(made(['kind'])).toEqual(['{"kind":"x"}', '{"kind":"y"}'])
    expect(made(['filter', 'state'])).toEqual(['{}', '{"filter":{"state":"text"}}'])
    expect(made(['filter', 'since'])).toEqual([
      '{}',
      '{"filter":{}}',
      '{"filter":{"since":5}}',
      '{"filter":{"since":0}}',
    ])
  })

  it('never say of one object both that it is there and that it is not', () => {
    expect(made(['filter', 'state'], ['filter', 'since'])).toEqual([
      '{}',
      '{"filter":{"state":"text"}}',
      '{"filter":{"state":"text","since":5}}',
      '{"filter":{"state":"text","since":0}}',
    ])
  })

  it('leave out what the schema does not know', () => {
    expect(choicesAt(tool, ['other', 'x'], [])).toEqual([{ names: ['other'], value: ABSENT }])
  })

  it('stay few, however many paths there are', () => {
    const names = Array.from({ length: 12 }, (_, at) => `p${at}`)
    const wide = schema(closed(Object.fromEntries(names.map((name) => [name, {}]))))
    const choices = names.map((name) => choicesAt(wide, [name], []))
    expect(combinations(choices).length).toBeLessThanOrEqual(600)
  })
})
