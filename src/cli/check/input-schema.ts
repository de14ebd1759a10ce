// What a tool's own JSON Schema (2020-12) says of a place in its arguments. Read only as far as it is
// certain: a keyword that is not read here widens what may stand there, and never narrows it.
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { ELEMENT } from './ast.ts'

export type JsonType = 'null' | 'boolean' | 'object' | 'array' | 'number' | 'integer' | 'string'
const ALL_TYPES: readonly JsonType[] = ['null', 'boolean', 'object', 'array', 'number', 'string']

/** One way to satisfy a schema. */
export interface Variant {
  readonly types: readonly JsonType[]
  /** `enum` or `const`; null: any value of these types. */
  readonly values: readonly JsonValue[] | null
  readonly properties: ReadonlyMap<string, JsonValue>
  readonly required: ReadonlySet<string>
  /** Of members that are not listed; `true`: anything. */
  readonly others: JsonValue
  readonly items: JsonValue
}

/** What may stand at a place. */
export interface Place {
  readonly variants: readonly Variant[]
  /** It may also be a member that no schema lists: beside others that are, or where none are. */
  readonly unlisted: 'no' | 'beside_others' | 'anywhere'
}

const MAX_VARIANTS = 64
const MAX_DEPTH = 24
const ANYTHING: Variant = {
  types: ALL_TYPES,
  values: null,
  properties: new Map(),
  required: new Set(),
  others: true,
  items: true,
}

export class InputSchema {
  readonly root: JsonObject

  constructor(root: JsonObject) {
    this.root = root
  }

  placeAt(names: readonly string[]): Place {
    let place: Place = { variants: this.variantsOf(this.root), unlisted: 'no' }
    for (const name of names) place = this.#step(place, name)
    return place
  }

  /** Every way to satisfy this schema, or the one that allows anything. */
  variantsOf(schema: JsonValue, depth = 0): readonly Variant[] {
    if (schema === false) return []
    if (!isJsonObject(schema)) return [ANYTHING]
    if (depth > MAX_DEPTH) return [ANYTHING]
    let found: readonly Variant[] = [ownVariant(schema)]
    const also = (schemas: readonly (readonly Variant[])[]): void => {
      for (const others of schemas) {
        found = found.flatMap((one) => others.map((other) => both(one, other)))
        if (found.length > MAX_VARIANTS) found = [ANYTHING]
      }
    }
    const { $ref: reference } = schema
    if (typeof reference === 'string') {
      also([this.variantsOf(this.#resolve(reference), depth + 1)])
    }
    also(listOf(schema['allOf']).map((one) => this.variantsOf(one, depth + 1)))
    for (const name of ['anyOf', 'oneOf']) {
      const choices = listOf(schema[name])
      if (choices.length > 0) also([choices.flatMap((one) => this.variantsOf(one, depth + 1))])
    }
    return found.filter(({ types, values }) => types.length > 0 && values?.length !== 0)
  }

  #step({ variants, unlisted }: Place, name: string): Place {
    const found: Variant[] = []
    let wide = unlisted
    for (const variant of variants) {
      if (name === ELEMENT && variant.types.includes('array')) {
        found.push(...this.variantsOf(variant.items))
      } else if (variant.types.includes('object')) {
        const listed = variant.properties.get(name)
        if (listed !== undefined) found.push(...this.variantsOf(listed))
        else if (isJsonObject(variant.others)) found.push(...this.variantsOf(variant.others))
        else if (variant.others !== false) {
          wide = wide === 'anywhere' || variant.properties.size === 0 ? 'anywhere' : 'beside_others'
        }
      }
    }
    return { variants: found, unlisted: wide }
  }

  /** Within the same definition only (JSON Schema 2020-12 §8.2.3.1); anything else is not known. */
  #resolve(reference: string): JsonValue {
    if (!reference.startsWith('#')) return true
    let found: JsonValue | undefined = this.root
    for (const segment of reference.split('/').slice(1)) {
      const name = decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~')
      found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
    }
    return found ?? true
  }
}

function ownVariant(schema: JsonObject): Variant {
  const { type, enum: values, properties, required, items } = schema
  const types = typeof type === 'string' ? [type] : listOf(type)
  const open = 'patternProperties' in schema || 'prefixItems' in schema
  const others = schema['additionalProperties'] ?? schema['unevaluatedProperties'] ?? true
  return {
    types: types.length === 0 ? ALL_TYPES : types.filter(isJsonType),
    values:
      'const' in schema ? [schema['const'] ?? null] : Array.isArray(values) ? listOf(values) : null,
    properties: new Map(isJsonObject(properties) ? Object.entries(properties) : []),
    required: new Set(listOf(required).filter((name) => typeof name === 'string')),
    others: open ? true : others,
    items: open ? true : (items ?? true),
  }
}

function both(a: Variant, b: Variant): Variant {
  const types = a.types.filter((type) => b.types.includes(type))
  // An integer is a number too, where one schema says the one and another the other.
  const integer = a.types.includes('integer') !== b.types.includes('integer')
  const numbers = [a, b].every((one) => one.types.some((type) => isNumber(type)))
  const merged = new Map(a.properties)
  for (const [name, schema] of b.properties) {
    const known = merged.get(name)
    merged.set(name, known === undefined ? schema : allOf(known, schema))
  }
  return {
    types: integer && numbers && !types.includes('number') ? [...types, 'integer'] : types,
    values:
      a.values === null
        ? b.values
        : b.values === null
          ? a.values
          : a.values.filter((value) => b.values?.includes(value)),
    properties: merged,
    required: new Set([...a.required, ...b.required]),
    // `additionalProperties` of one does not see what the other lists: such a schema is taken as open.
    others: a.others === true ? b.others : b.others === true ? a.others : true,
    items: a.items === true ? b.items : a.items,
  }
}

const isNumber = (type: JsonType): boolean => type === 'number' || type === 'integer'

function allOf(a: JsonValue, b: JsonValue): JsonObject {
  return Object.assign(Object.create(null) as JsonObject, { allOf: [a, b] })
}

const isJsonType = (type: JsonValue): type is JsonType =>
  type === 'integer' || (ALL_TYPES as readonly JsonValue[]).includes(type)

const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : []
