// Pure. One name space for everything that a server offers: a tool by its own name, all else with
// what it is in front. Rows, policies, consents and records speak of all of it in the same words.

/** What a name of the catalogue can be the name of. */
export const KINDS = ['tool', 'resource', 'prompt', 'client'] as const
export type Kind = (typeof KINDS)[number]

const PREFIX = {
  resource: 'resource:',
  prompt: 'prompt:',
  /** What a server may ask of a client, such as `client:sampling`. */
  client: 'client:',
} as const satisfies Record<Exclude<Kind, 'tool'>, string>

const PREFIXED = ['resource', 'prompt', 'client'] as const

export const resourceEntry = (uri: string): string => `${PREFIX.resource}${uri}`
export const promptEntry = (name: string): string => `${PREFIX.prompt}${name}`
export const clientEntry = (kind: 'sampling' | 'elicitation' | 'roots'): string =>
  `${PREFIX.client}${kind}`

/**
 * null: a tool of this name does not exist.
 *
 * INVARIANT: no tool is ever taken for a resource, a prompt or a client, whatever it calls itself.
 */
export const toolEntry = (name: string): string | null => (kindOf(name) === 'tool' ? name : null)

export const kindOf = (entry: string): Kind =>
  PREFIXED.find((kind) => entry.startsWith(PREFIX[kind])) ?? 'tool'

/** Without what it is: a tool's name, a resource's URI, a prompt's name. */
export function ownName(entry: string): string {
  const kind = kindOf(entry)
  return kind === 'tool' ? entry : entry.slice(PREFIX[kind].length)
}
