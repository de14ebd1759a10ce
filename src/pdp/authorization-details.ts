// Pure. Rich authorization requests (RFC 9396) as an upper bound on what a token may do: an entry
// grants nothing, and what no entry covers is refused whatever the policies say.
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { isTaskDetail } from './declared-task.ts'
import { ACCESS, type ToolFacts } from './evaluation.ts'
import type { Target } from './resources.ts'

/** The one type of entry that is read here; clients learn of it from the metadata (RFC 9396 §10). */
export const AUTHORIZATION_DETAILS_TYPE = 'mcp_tool'

/** One call, or one tool of a listing, as far as an entry can speak of it. */
export interface CallToCover {
  /** The server's resource identifier under each public origin. */
  readonly resources: readonly string[]
  readonly tool: ToolFacts
  /** null: a listing, which does not know them. */
  readonly targets: readonly Target[] | null
}

/** `unreadable`: an entry says something that is not known here, so nothing that it bounds is. */
export type Coverage = 'covered' | 'not_covered' | 'unreadable'

/**
 * Whether one entry covers the whole call. Entries of other types are about other things; null is no
 * bound at all, and an empty list leaves nothing. A token that declares a task and nothing besides is
 * bound by the task, which has a gate of its own.
 *
 * INVARIANT: a member that is not known makes the token good for no call: it may narrow the entry,
 * and an entry that is read without it would be wider than what was granted (RFC 9396 §5).
 */
export function coverageOf(details: readonly JsonObject[] | null, call: CallToCover): Coverage {
  if (details === null) return 'covered'
  const ours = details.filter(isOurs)
  if (ours.length === 0 && details.some(isTaskDetail)) return 'covered'
  const entries = ours.map(readEntry)
  const readable = entries.filter((entry) => entry !== null)
  if (readable.length < entries.length) return 'unreadable'
  return readable.some((entry) => covers(entry, call)) ? 'covered' : 'not_covered'
}

/** The entries that can count; those of other types need not be kept for the record. */
export const isOurs = (entry: JsonObject): boolean => entry['type'] === AUTHORIZATION_DETAILS_TYPE

interface Entry {
  readonly locations: readonly string[]
  readonly actions: readonly string[]
  /** null: of any class. */
  readonly access: readonly string[] | null
  /** `type/id` of everything that a call may touch; null: anything. */
  readonly identifiers: readonly string[] | null
}

const MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'locations',
  'actions',
  'access',
  'identifiers',
])

/** null: it cannot be read for certain. */
function readEntry(entry: JsonObject): Entry | null {
  if (Object.keys(entry).some((name) => !MEMBERS.has(name))) return null
  const { locations, actions, access, identifiers } = entry
  // `*` is every tool and never a part of a name: a pattern that its author believed in and that
  // nobody reads as one would be a bound that nobody meant.
  const known =
    isListOfTexts(locations) &&
    isListOfTexts(actions) &&
    actions.every((action) => action === ANY_TOOL || !action.includes('*')) &&
    (access === undefined || (isListOfTexts(access) && access.every(isAccess))) &&
    (identifiers === undefined || isListOfTexts(identifiers))
  return known
    ? { locations, actions, access: access ?? null, identifiers: identifiers ?? null }
    : null
}

const ANY_TOOL = '*'

function covers(entry: Entry, { resources, tool, targets }: CallToCover): boolean {
  const { locations, actions, access, identifiers } = entry
  const classes = tool.depends?.access ?? [tool.access]
  return (
    locations.some((location) => resources.includes(location)) &&
    actions.some((action) => action === ANY_TOOL || action === tool.name) &&
    (access === null || classes.some((one) => access.includes(one))) &&
    (identifiers === null || namesOnly(identifiers, tool, targets))
  )
}

/** What names nothing, or something that it does not say, may touch anything. */
function namesOnly(
  identifiers: readonly string[],
  tool: ToolFacts,
  targets: readonly Target[] | null,
): boolean {
  // Of a tool whose arguments name nothing no call can be inside.
  if (targets === null) return tool.depends?.anyLabel === true
  return (
    targets.length > 0 &&
    targets.every(({ type, id }) => id !== null && identifiers.includes(`${type}/${id}`))
  )
}

const isAccess = (word: string): boolean => (ACCESS as readonly string[]).includes(word)

const isListOfTexts = (value: JsonValue | undefined): value is readonly string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((one: JsonValue) => typeof one === 'string' && one !== '')
