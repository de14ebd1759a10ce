// Pure. The body of an evaluation request (AuthZEN 1.0 §5, §6, §7): members of the right kind, or a
// fault that says which is not. Members that nobody knows are left alone, as §5 asks.
import { isIdentifier } from '../authentication/text.ts'
import { quote } from '../mcp/quote.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'

export interface Entity {
  readonly type: string
  readonly id: string
  readonly properties: JsonObject
}

/** One question, with the right members and nothing known of what they mean. */
export interface Asked {
  readonly subject: Entity
  readonly action: { readonly name: string; readonly properties: JsonObject }
  readonly resource: Entity
  readonly context: JsonObject
}

/** Which member is not as it must be: one of our own texts, and at most a member's name in it. */
export interface Malformed {
  readonly kind: 'malformed'
  readonly detail: string
}

export const malformed = (detail: string) => err({ kind: 'malformed', detail } as const)

export const NOTHING: JsonObject = Object.freeze(Object.create(null) as JsonObject)

/** A resource's name may be a URL or a path; whoever acts or is acted with has a shorter one. */
const MAX_RESOURCE_ID_LENGTH = 2_000

export function readAsked(value: JsonValue): Result<Asked, Malformed> {
  if (!isJsonObject(value)) return malformed('the question is not an object')
  const subject = readEntity(value['subject'], 'subject')
  if (!subject.ok) return subject
  const action = readAction(value['action'])
  if (!action.ok) return action
  const resource = readEntity(value['resource'], 'resource')
  if (!resource.ok) return resource
  const context = readObject(value['context'], 'context')
  if (!context.ok) return context
  return ok({
    subject: subject.value,
    action: action.value,
    resource: resource.value,
    context: context.value,
  })
}

function readEntity(
  value: JsonValue | undefined,
  member: 'subject' | 'resource',
): Result<Entity, Malformed> {
  if (!isJsonObject(value)) return malformed(`\`${member}\` must be an object`)
  const { type, id } = value
  if (!isIdentifier(type)) return malformed(`\`${member}.type\` must be a short text`)
  if (member === 'subject' ? !isIdentifier(id) : !isResourceId(id)) {
    return malformed(`\`${member}.id\` must be a text that can be a name`)
  }
  const properties = readObject(value['properties'], `${member}.properties`)
  return properties.ok ? ok({ type, id: id as string, properties: properties.value }) : properties
}

function readAction(value: JsonValue | undefined): Result<Asked['action'], Malformed> {
  if (!isJsonObject(value)) return malformed('`action` must be an object')
  const { name } = value
  if (!isIdentifier(name)) return malformed('`action.name` must be a short text')
  const properties = readObject(value['properties'], 'action.properties')
  return properties.ok ? ok({ name, properties: properties.value }) : properties
}

const isResourceId = (value: JsonValue | undefined): boolean =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_RESOURCE_ID_LENGTH &&
  !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)

/** Absent is empty; null is neither. */
export function readObject(
  value: JsonValue | undefined,
  member: string,
): Result<JsonObject, Malformed> {
  if (value === undefined) return ok(NOTHING)
  return isJsonObject(value) ? ok(value) : malformed(`\`${member}\` must be an object`)
}

/** An optional text of the caller's own choice of words: absent, or a name. */
export function readName(
  holder: JsonObject,
  member: string,
  path: string,
): Result<string | null, Malformed> {
  const value = holder[member]
  if (value === undefined) return ok(null)
  return isIdentifier(value)
    ? ok(value)
    : malformed(`${quote(`${path}.${member}`)} must be a short text`)
}
