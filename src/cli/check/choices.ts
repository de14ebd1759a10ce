// What could stand at a path of the arguments: by the schema of a pinned tool, or, where nothing is
// known of it, every kind of JSON value.
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { ABSENT, type Choice } from './combinations.ts'
import { ELEMENT } from './ast.ts'
import type { InputSchema, JsonType, Variant } from './input-schema.ts'

const MAX_TEXTS = 3
const MAX_VALUES = 8
const DEEPEST = 4

/** Of a tool that nobody has pinned: the same for each path. */
export const kindsOf = (texts: readonly string[]): readonly JsonValue[] => [
  'text',
  ...texts.slice(0, MAX_TEXTS),
  5,
  0,
  true,
  ['text'],
  Object.create(null) as JsonObject,
]

/** Everything that the schema lets in at a path, and every way in which it may be missing. */
export function choicesAt(
  schema: InputSchema,
  names: readonly string[],
  texts: readonly string[],
): Choice[] {
  const choices: Choice[] = []
  for (const [at, name] of names.entries()) {
    const before = schema.placeAt(names.slice(0, at)).variants
    const upTo = names.slice(0, at + 1)
    const lacks = (one: Variant): boolean =>
      mayHold(one, name) && (name === ELEMENT || !one.required.has(name))
    if (before.some(lacks)) choices.push({ names: upTo, value: ABSENT })
    const inside = schema.placeAt(upTo).variants
    const last = at === names.length - 1
    const here = last ? inside : inside.flatMap((one) => withoutMembers(one, names[at + 1] ?? ''))
    choices.push(...valuesOf(schema, here, texts, 0).map((value) => ({ names: upTo, value })))
  }
  // A member that the schema knows nothing of is simply not there.
  return choices.length === 0 ? [{ names: names.slice(0, 1), value: ABSENT }] : choices
}

const mayHold = ({ types }: Variant, name: string): boolean =>
  types.includes(name === ELEMENT ? 'array' : 'object')

/** What else may stand where the path goes on: a text in place of an object, say. */
function withoutMembers(variant: Variant, next: string): Variant[] {
  const types = variant.types.filter((type) => type !== (next === ELEMENT ? 'array' : 'object'))
  return types.length === 0 ? [] : [{ ...variant, types }]
}

function valuesOf(
  schema: InputSchema,
  variants: readonly Variant[],
  texts: readonly string[],
  depth: number,
): JsonValue[] {
  const samples: Readonly<Record<JsonType, (variant: Variant) => readonly JsonValue[]>> = {
    string: () => ['text', ...texts.slice(0, MAX_TEXTS)],
    number: () => [5, 0, 2.5],
    integer: () => [5, 0],
    boolean: () => [true, false],
    null: () => [null],
    array: ({ items }) => [
      [],
      ...(depth > DEEPEST
        ? []
        : valuesOf(schema, schema.variantsOf(items), texts, depth + 1)
            .slice(0, 1)
            .map((one) => [one])),
    ],
    object: (variant) => (depth > DEEPEST ? [] : objectsOf(schema, variant, texts, depth)),
  }
  const found = variants.flatMap((variant) => {
    const byType = variant.types.flatMap((type) => samples[type](variant))
    return (variant.values ?? byType).slice(0, MAX_VALUES)
  })
  return [...new Map(found.map((value) => [JSON.stringify(value), value])).values()]
}

/** With what it must have, and with all that it may have. */
function objectsOf(
  schema: InputSchema,
  { properties, required }: Variant,
  texts: readonly string[],
  depth: number,
): JsonObject[] {
  const made = (names: readonly string[]): JsonObject => {
    const object = Object.create(null) as Record<string, JsonValue>
    for (const name of names) {
      const property = properties.get(name) ?? true
      const [value] = valuesOf(schema, schema.variantsOf(property), texts, depth + 1)
      if (value !== undefined) object[name] = value
    }
    return object
  }
  return required.size === properties.size
    ? [made([...required])]
    : [made([...required]), made([...properties.keys()])]
}

/** For a sentence. */
export function kindOf(value: Choice['value']): string {
  if (value === ABSENT) return 'absent'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (isJsonObject(value)) return 'an object'
  return `\`${JSON.stringify(value)}\``
}
