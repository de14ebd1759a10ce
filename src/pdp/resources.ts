// Pure. What a call touches: which arguments and results name resources, and what is known of them.
import { parsePointer, valuesAt } from '../mcp/pointer.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { resourceName, type ResourceForm } from './resource-name.ts'

/** From harmless to grave: the order counts. */
export const SENSITIVITY = ['public', 'internal', 'confidential', 'restricted'] as const
export type Sensitivity = (typeof SENSITIVITY)[number]
const HIGHEST: Sensitivity = 'restricted'

/** A row of `tool_arguments` or `tool_results`, as far as it names resources. */
export interface ResourceField {
  readonly pointer: readonly string[]
  /** The same as its row has it. */
  readonly text: string
  /** null: the value is a class of sensitivity itself (results only). */
  readonly type: { readonly name: string; readonly form: ResourceForm } | null
  readonly optional: boolean
  readonly unlisted: Sensitivity
}

/** A resource as a message names it. */
export interface NamedResource {
  readonly type: string
  /** In normal form; null: a resource that the message does not name, or not readably. */
  readonly id: string | null
  /** Its class if no row says another; where the message itself states the class, that. */
  readonly unlisted: Sensitivity
  readonly from: 'arguments' | 'result'
}

/** A row of `resources` that fits a name best. */
export interface ResourceRow {
  readonly tenant: string
  readonly id: string
  readonly pattern: boolean
  readonly owner: { readonly issuer: string; readonly id: string } | null
  readonly sensitivity: Sensitivity
  readonly labels: readonly string[]
}

/** A resource with what is known of it. All of it is stored in the record. */
export interface Target {
  readonly type: string
  readonly id: string | null
  readonly from: 'arguments' | 'result'
  /** null: unlisted, and therefore nobody's. */
  readonly row: ResourceRow | null
  readonly sensitivity: Sensitivity
  /** Another tenant at the same upstream lists it as its own. */
  readonly foreign: boolean
}

export type FieldReading =
  | { readonly kind: 'named'; readonly resources: readonly NamedResource[] }
  /** A value that is no name of its type, where a name must be: it could mean anything. */
  | { readonly kind: 'unreadable'; readonly pointer: string }
  | { readonly kind: 'too_many' }

/** More are not looked up, and what is not looked up is not allowed. */
export const MAX_ARGUMENT_RESOURCES = 100
export const MAX_RESULT_RESOURCES = 1_000

/** INVARIANT: a call names every resource that its tool's rows speak of readably, or it is refused. */
export function resourcesInArguments(
  fields: readonly ResourceField[],
  given: JsonObject,
): FieldReading {
  const found = new Map<string, NamedResource>()
  for (const field of fields) {
    const { type, optional, unlisted } = field
    if (type === null) continue
    const { values, absent, misfit, tooMany } = valuesAt(given, field.pointer)
    if (tooMany) return { kind: 'too_many' }
    if (misfit) return { kind: 'unreadable', pointer: field.text }
    // The server will take one of its own choice, or fail: nobody here can say which.
    const nothing = absent || values.length === 0
    if (nothing && !optional) add(found, { type: type.name, id: null, unlisted, from: 'arguments' })
    for (const value of values) {
      if (value === null && optional) continue
      const id = nameIn(value, type.form)
      if (id === null) return { kind: 'unreadable', pointer: field.text }
      add(found, { type: type.name, id, unlisted, from: 'arguments' })
    }
    if (found.size > MAX_ARGUMENT_RESOURCES) return { kind: 'too_many' }
  }
  return { kind: 'named', resources: [...found.values()] }
}

/** What cannot be read in a result is there all the same: of the highest class, and nobody's. */
export function resourcesInResult(
  fields: readonly ResourceField[],
  parts: readonly (JsonValue | undefined)[],
): FieldReading {
  const found = new Map<string, NamedResource>()
  for (const part of parts) {
    if (part === undefined) {
      add(found, UNREAD)
      continue
    }
    for (const { pointer, type, optional, unlisted } of fields) {
      const { values, absent, misfit, tooMany } = valuesAt(part, pointer)
      if (tooMany) return { kind: 'too_many' }
      if (misfit || (absent && !optional)) add(found, UNREAD)
      for (const value of values) {
        add(found, type === null ? classified(value) : resourceIn(value, type, unlisted))
      }
      if (found.size > MAX_RESULT_RESOURCES) return { kind: 'too_many' }
    }
  }
  return { kind: 'named', resources: [...found.values()] }
}

/** INVARIANT: a resource without a row is nobody's, and of the class that its tool's row says. */
export function targetOf(named: NamedResource, found: ResourceRow | null, tenant: string): Target {
  const { type, id, from } = named
  // INVARIANT: nothing of another tenant's row is looked at, told or recorded but that it is there.
  const foreign = found !== null && found.tenant !== tenant
  const row = foreign ? null : found
  return { type, id, from, row, sensitivity: row?.sensitivity ?? named.unlisted, foreign }
}

/** A row of the message's own words: what distinguishes it in a lookup. */
export const resourceKey = ({ type, id }: Pick<NamedResource, 'type' | 'id'>): string =>
  JSON.stringify([type, id])

const UNREAD: NamedResource = { type: '', id: null, unlisted: HIGHEST, from: 'result' }

function add(found: Map<string, NamedResource>, resource: NamedResource): void {
  const key = resourceKey(resource)
  const known = found.get(key)
  if (known === undefined || isGraver(resource.unlisted, known.unlisted)) found.set(key, resource)
}

export const isGraver = (one: Sensitivity, other: Sensitivity): boolean =>
  SENSITIVITY.indexOf(one) > SENSITIVITY.indexOf(other)

const isSensitivity = (value: JsonValue): value is Sensitivity =>
  (SENSITIVITY as readonly JsonValue[]).includes(value)

/** The result says its class itself; an unknown word could stand for any. */
const classified = (value: JsonValue): NamedResource =>
  isSensitivity(value)
    ? { type: `class.${value}`, id: null, unlisted: value, from: 'result' }
    : UNREAD

function resourceIn(
  value: JsonValue,
  type: { readonly name: string; readonly form: ResourceForm },
  unlisted: Sensitivity,
): NamedResource {
  const id = nameIn(value, type.form)
  return id === null ? UNREAD : { type: type.name, id, unlisted, from: 'result' }
}

/** Numbers are names too, where one number has one spelling. */
function nameIn(value: JsonValue, form: ResourceForm): string | null {
  if (typeof value === 'string') return resourceName(form, value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    return resourceName(form, String(value))
  }
  return null
}

export const parseField = (
  text: string,
  rest: Omit<ResourceField, 'pointer' | 'text'>,
): ResourceField => ({ pointer: parsePointer(text), text, ...rest })
