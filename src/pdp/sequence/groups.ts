// Pure. `group_by`: one state for each key instead of one for the session. A key is what a call
// says: its tool, its server, or the values that it names in a role.
import type { Scope } from './memory.ts'
import type { LoggedStep, LoggedValue } from './step.ts'

export interface Grouping {
  /** '' where nothing is grouped. */
  readonly spec: string
  readonly by: readonly string[]
  /** Whether values of different resource types are different keys. */
  readonly typed: boolean
}

export const UNGROUPED: Grouping = { spec: '', by: [], typed: false }

/**
 * The two ways in which occurrences are kept by group.
 *
 * INVARIANT: what permits counts for its own kind of thing only (to have read order 7 says nothing of
 * customer 7), by the name that this kind gives it: to have read `aBc` says nothing of `AbC` where they
 * are two. What restricts counts for every kind, so that no other kind is a way round it; there the two
 * share one state, which can only refuse more.
 */
export interface Groupings {
  readonly restricting: Grouping
  readonly permitting: Grouping
}

export function groupingsOf(by: readonly string[]): Groupings {
  if (by.length === 0) return { restricting: UNGROUPED, permitting: UNGROUPED }
  const restricting = { spec: by.join(','), by, typed: false }
  // Of tools and servers there is only one kind.
  const ofValues = by.some((name) => name !== 'tool' && name !== 'server')
  return {
    restricting,
    permitting: ofValues ? { spec: `!${restricting.spec}`, by, typed: true } : restricting,
  }
}

/** The group of one key of a call, in either way. */
export interface PairedGroup {
  readonly restricting: string
  readonly permitting: string
}

/** More keys than these in one call are not told apart. */
const MOST_GROUPS = 64

/** The groups of a call in both ways; null where it has no key, or cannot be read. */
export function pairedGroupsOf(
  { restricting, permitting }: Groupings,
  step: LoggedStep,
): readonly PairedGroup[] | null {
  const keys = keysOf(restricting.by, step)
  return (
    keys?.map((key) => ({
      restricting: nameOf(restricting, key),
      permitting: nameOf(permitting, key),
    })) ?? null
  )
}

/** In one of them, each once. */
export function groupsOf(grouping: Grouping, step: LoggedStep): readonly string[] | null {
  const keys = keysOf(grouping.by, step)
  return keys === null ? null : [...new Set(keys.map((key) => nameOf(grouping, key)))]
}

/** What stands for every key that is not told apart from others: see `History` in history.ts. */
export const overflowOf = ({ spec }: Grouping): string => (spec === '' ? '' : `${spec}=*`)

/** The key of all clients, agents or tasks that are not told apart. */
export const OVERFLOW_KEY = '*'

/** Facts of the whole session stand alone; all others share a table of bounded size. */
export const isAlone = (scope: Scope, group: string): boolean => scope === 'subject' && group === ''

/** The table that a group belongs to. */
export const specOf = (group: string): string => group.slice(0, Math.max(0, group.indexOf('=')))

interface Part {
  /** The resource type of a value, where its row names one. */
  readonly kind: string
  readonly text: string
  /** As its kind names it. */
  readonly name: string
}

function keysOf(by: readonly string[], step: LoggedStep): readonly (readonly Part[])[] | null {
  let keys: readonly (readonly Part[])[] = [[]]
  for (const name of by) {
    const parts = partsOf(name, step)
    if (parts.length === 0 || keys.length * parts.length > MOST_GROUPS) return null
    keys = keys.flatMap((key) => parts.map((part) => [...key, part]))
  }
  return keys
}

function partsOf(name: string, step: LoggedStep): readonly Part[] {
  if (name === 'tool') return [onlyKind(JSON.stringify([step.server, step.tool]))]
  if (name === 'server') return [onlyKind(step.server)]
  const found = new Map<string, Part>()
  for (const value of valuesOf(step, name)) {
    const part = { kind: value.type ?? '', text: value.digest, name: nameIn(value) }
    found.set(`${part.kind} ${part.text} ${part.name}`, part)
  }
  return [...found.values()]
}

const onlyKind = (text: string): Part => ({ kind: '', text, name: text })

const nameOf = ({ spec, typed }: Grouping, key: readonly Part[]): string =>
  spec === ''
    ? ''
    : `${spec}=${JSON.stringify(key.map(({ kind, text, name }) => (typed ? `${kind} ${name}` : text)))}`

/** What tells a value from others of its kind. */
export const nameIn = ({ named, digest }: LoggedValue): string => named ?? digest

/** The values of a field: a role, or a resource type. */
export const valuesOf = (step: LoggedStep, field: string): readonly LoggedValue[] =>
  (step.values ?? []).filter(({ role, type }) => role === field || type === field)
