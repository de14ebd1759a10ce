// Pure. What whoever opens a task says of it: strict, so that a bound that was misspelt is no bound
// that nobody reads.
import { isIdentifier } from '../authentication/text.ts'
import { quote } from '../mcp/quote.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { MAX_PURPOSE_LENGTH } from '../pdp/declared-task.ts'
import { ACCESS } from '../pdp/evaluation.ts'
import { SENSITIVITY } from '../pdp/resources.ts'
import { err, ok, type Result } from '../result.ts'
import type { Malformed } from './refusal.ts'

export interface TaskRequest {
  /** null: the issuer of whoever opens it. */
  readonly issuer: string | null
  readonly subject: string
  readonly client: string
  readonly agent: string | null
  readonly purpose: string
  readonly tools: readonly string[] | null
  readonly access: readonly string[] | null
  readonly dataClasses: readonly string[] | null
  readonly maxCalls: number | null
  readonly askedFor: string | null
  readonly namedValues: readonly (string | number)[]
  readonly expiresInSeconds: number
  readonly approve: boolean
}

const MEMBERS: ReadonlySet<string> = new Set([
  'issuer',
  'subject',
  'client',
  'agent',
  'purpose',
  'tools',
  'access',
  'data_classes',
  'max_calls',
  'asked_for',
  'named_values',
  'expires_in',
  'approve',
])

const MAX_LISTED = 200
const MAX_PATTERN_LENGTH = 320
const MAX_VALUE_LENGTH = 2_000
const MAX_ASKED_LENGTH = 16_000
/** Of a list as its column holds it. */
const MAX_LIST_LENGTH = 16_000
const MAX_CALLS = 1_000_000_000

export function readTaskRequest(body: JsonValue): Result<TaskRequest, Malformed> {
  if (!isJsonObject(body)) return wrong('the body is not an object')
  const other = Object.keys(body).find((name) => !MEMBERS.has(name))
  if (other !== undefined) return wrong(`no member is named ${quote(other)}`)
  const fault = faultIn(body)
  if (fault !== null) return wrong(`\`${fault.member}\` must be ${fault.wanted}`)
  const { issuer, subject, client, agent, purpose, approve } = body
  const { max_calls: maxCalls, asked_for: askedFor, expires_in: expiresIn } = body
  return ok({
    issuer: textOf(issuer),
    subject: subject as string,
    client: client as string,
    agent: textOf(agent),
    purpose: purpose as string,
    tools: listOf(body['tools']),
    access: listOf(body['access']),
    dataClasses: listOf(body['data_classes']),
    maxCalls: typeof maxCalls === 'number' ? maxCalls : null,
    askedFor: textOf(askedFor),
    namedValues: (body['named_values'] ?? []) as readonly (string | number)[],
    expiresInSeconds: expiresIn as number,
    approve: approve === true,
  })
}

const wrong = (detail: string) => err({ kind: 'malformed', detail } as const)

type Check = readonly [
  member: string,
  isRight: (value: JsonValue | undefined) => boolean,
  wanted: string,
]

/** null stands for absent where a bound may be: it says in so many words that there is none. */
const CHECKS: readonly Check[] = [
  ['subject', isIdentifier, 'an identifier'],
  ['client', isIdentifier, 'an identifier'],
  ['issuer', optional(isIdentifier), 'an issuer of the tenant'],
  ['agent', optional(isIdentifier), 'an identifier'],
  ['purpose', text(MAX_PURPOSE_LENGTH), 'a text of at most 1000 characters'],
  ['tools', optional(list(isPattern)), 'a list of `server/tool`, with `*` for any characters'],
  ['access', optional(list(oneOf(ACCESS))), `a list of ${ACCESS.join(', ')}`],
  ['data_classes', optional(list(oneOf(SENSITIVITY))), `a list of ${SENSITIVITY.join(', ')}`],
  ['max_calls', optional(whole(1, MAX_CALLS)), 'a whole number of calls'],
  ['asked_for', optional(text(MAX_ASKED_LENGTH)), 'a text of at most 16000 characters'],
  ['named_values', optional(list(isNamedValue)), 'a list of texts and whole numbers'],
  ['expires_in', whole(1, Number.MAX_SAFE_INTEGER), 'a whole number of seconds'],
  ['approve', (value) => value === undefined || typeof value === 'boolean', 'true or false'],
]

function faultIn(body: JsonObject): { member: string; wanted: string } | null {
  const found = CHECKS.find(([member, isRight]) => !isRight(body[member]))
  return found === undefined ? null : { member: found[0], wanted: found[2] }
}

type IsRight = (value: JsonValue | undefined) => boolean

function optional(isRight: IsRight): IsRight {
  return (value) => value === undefined || value === null || isRight(value)
}

function text(longest: number): IsRight {
  return (value) => typeof value === 'string' && value.trim() !== '' && value.length <= longest
}

function list(isRight: IsRight): IsRight {
  return (value) =>
    Array.isArray(value) &&
    value.length <= MAX_LISTED &&
    (value as readonly JsonValue[]).every((one) => isRight(one)) &&
    JSON.stringify(value).length <= MAX_LIST_LENGTH
}

function oneOf(words: readonly string[]): IsRight {
  return (value) => typeof value === 'string' && words.includes(value)
}

function whole(least: number, most: number): IsRight {
  return (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
}

/** A pattern without a slash fits no tool, and its author meant one. */
function isPattern(value: JsonValue | undefined): boolean {
  return (
    typeof value === 'string' &&
    value.length <= MAX_PATTERN_LENGTH &&
    (value === '*' || /^[^/]+\/.+$/u.test(value))
  )
}

function isNamedValue(value: JsonValue | undefined): boolean {
  return (
    Number.isSafeInteger(value) ||
    (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_VALUE_LENGTH)
  )
}

const textOf = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' ? value : null

const listOf = (value: JsonValue | undefined): readonly string[] | null =>
  Array.isArray(value) ? (value as readonly string[]) : null
