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
 * INVARIANT: a key is no finer than what a rule may forgive. Where an occurrence permits (`absence`),
 * the kind of the thing belongs to the key; where it restricts, it does not.
 */
export function groupingOf(by: readonly string[], typed: boolean): Grouping {
  if (by.length === 0) return UNGROUPED
  return { spec: `${typed ? '!' : ''}${by.join(',')}`, by, typed }
}

/** More keys than these in one call are not told apart. */
const MOST_GROUPS = 64

/** The groups of a call; null where it has no key, or cannot be read. */
export function groupsOf(grouping: Grouping, step: LoggedStep): readonly string[] | null {
  if (grouping.spec === '') return NO_GROUP
  let keys: string[][] = [[]]
  for (const name of grouping.by) {
    const parts = partsOf(name, grouping.typed, step)
    if (parts.length === 0 || keys.length * parts.length > MOST_GROUPS) return null
    keys = keys.flatMap((key) => parts.map((part) => [...key, part]))
  }
  return keys.map((key) => `${grouping.spec}=${JSON.stringify(key)}`)
}

const NO_GROUP: readonly string[] = ['']

/** What stands for every key that is not told apart from others: see `History` in rule.ts. */
export const overflowOf = (grouping: Grouping): string =>
  grouping.spec === '' ? '' : `${grouping.spec}=*`

/** The key of all clients, agents or tasks that are not told apart. */
export const OVERFLOW_KEY = '*'

/** Facts of the whole session stand alone; all others share a table of bounded size. */
export const isAlone = (scope: Scope, group: string): boolean => scope === 'subject' && group === ''

/** The table that a group belongs to. */
export const specOf = (group: string): string => group.slice(0, Math.max(0, group.indexOf('=')))

function partsOf(name: string, typed: boolean, step: LoggedStep): string[] {
  if (name === 'tool') return [JSON.stringify([step.server, step.tool])]
  if (name === 'server') return [step.server]
  const found = valuesOf(step, name).map(({ type, digest }) =>
    typed ? `${type ?? ''} ${digest}` : digest,
  )
  return [...new Set(found)]
}

/** The values of a field: a role, or a resource type. */
export const valuesOf = (step: LoggedStep, field: string): readonly LoggedValue[] =>
  (step.values ?? []).filter(({ role, type }) => role === field || type === field)
