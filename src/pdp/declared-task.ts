// Pure. A task that an issuer declares in its token: `txn` names it, and one authorization detail of
// type `mcp_task` (RFC 9396) says what it is. Nothing of it is written anywhere before a call.
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { ACCESS, type TaskFact } from './evaluation.ts'
import { SENSITIVITY } from './resources.ts'

export const TASK_DETAILS_TYPE = 'mcp_task'

export const isTaskDetail = (entry: JsonObject): boolean => entry['type'] === TASK_DETAILS_TYPE

/** Whose id a declared task has. No row of `tasks` may begin like that. */
export const declaredTaskId = (transaction: string): string => `txn:${transaction}`

export interface DeclaredTask {
  readonly task: TaskFact
  /** What the person named, by the issuer's word: where arguments may come from. */
  readonly values: readonly string[]
}

/** null: the token declares none. */
export type Declaration = DeclaredTask | 'unreadable' | null

const MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'purpose',
  'tools',
  'access',
  'data_classes',
  'values',
  'max_calls',
  'expires_at',
])

export const MAX_PURPOSE_LENGTH = 1_000
const MAX_LISTED = 200

/** The end of the year 9999: what lies behind it is no time that anybody meant. */
const LATEST_SECONDS = 253_402_300_799

/**
 * INVARIANT: an entry with a member that is not known is no task at all, and its token good for no
 * call: it may narrow the entry (RFC 9396 §5). Two entries are none either.
 */
export function declaredTask(
  details: readonly JsonObject[] | null,
  transaction: string | null,
  agent: string | null,
): Declaration {
  const [entry, another] = (details ?? []).filter(isTaskDetail)
  if (entry === undefined) return null
  if (another !== undefined || transaction === null) return 'unreadable'
  if (!isJsonObject(entry) || Object.keys(entry).some((name) => !MEMBERS.has(name))) {
    return 'unreadable'
  }
  const { purpose, tools, access, values, max_calls: maxCalls, expires_at: expiresAt } = entry
  const { data_classes: dataClasses } = entry
  const readable =
    typeof purpose === 'string' &&
    purpose !== '' &&
    purpose.length <= MAX_PURPOSE_LENGTH &&
    isOptional(tools, isTexts) &&
    isOptional(access, (list) => isTexts(list) && list.every(isOneOf(ACCESS))) &&
    isOptional(dataClasses, (list) => isTexts(list) && list.every(isOneOf(SENSITIVITY))) &&
    isOptional(values, isTexts) &&
    isOptional(maxCalls, (count) => isWhole(count) && count >= 1) &&
    isWhole(expiresAt) &&
    expiresAt <= LATEST_SECONDS
  if (!readable) return 'unreadable'
  return {
    task: {
      id: declaredTaskId(transaction),
      agent,
      purpose,
      tools: listOf(tools),
      access: listOf(access),
      dataClasses: listOf(dataClasses),
      maxCalls: typeof maxCalls === 'number' ? maxCalls : null,
      // An issuer says what the task is; that somebody approved it is for the rows to say.
      approved: false,
      expiresAt: expiresAt * 1000,
      closedAt: null,
      // A revocation of it is among those of the call.
      revokedAt: null,
      shown: false,
    },
    values: listOf(values) ?? [],
  }
}

const isOptional = (
  value: JsonValue | undefined,
  isRight: (value: JsonValue) => boolean,
): boolean => value === undefined || isRight(value)

const isTexts = (value: JsonValue): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_LISTED &&
  value.every((one: JsonValue) => typeof one === 'string' && one !== '')

const isOneOf =
  (words: readonly string[]) =>
  (word: string): boolean =>
    words.includes(word)

const isWhole = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const listOf = (value: JsonValue | undefined): readonly string[] | null =>
  Array.isArray(value) ? (value as readonly string[]) : null
