// Pure. What the rows of a tool say of flows of data: what its arguments are to them, and which parts
// of its results list things of a kind.
import type { RoleRow } from './provenance/arguments.ts'
import type { OriginRow } from './provenance/fields.ts'

/** Where it goes, what is sent, run, gives power, narrows a search, is acted on, and how much. */
export const ARGUMENT_ROLES = [
  'target',
  'content',
  'command',
  'credential',
  'selector',
  'resource',
  'amount',
] as const

/** Who could have written a value: the server itself, its own users, or a stranger. */
export const AUTHORITIES = ['system', 'listed', 'claimed'] as const

export interface ToolFlows {
  readonly roles: readonly RoleRow[]
  readonly origins: readonly OriginRow[]
}

export const NO_FLOWS: ToolFlows = { roles: [], origins: [] }
