// Pure. Who a question is about: what an access token would have said, as the caller says it.
import type { JsonObject } from '../mcp/value.ts'
import type { Network } from '../pdp/evaluation.ts'
import { ok, type Result } from '../result.ts'
import { readCredential, type ToldCredential } from './credential.ts'
import { malformed, readName, readObject, type Asked, type Malformed } from './request.ts'

export interface Person extends ToldCredential {
  readonly subject: string
  /** null: the caller's own. */
  readonly issuer: string | null
  /** null: the caller itself. */
  readonly client: string | null
  readonly agent: string | null
  readonly network: Network
  /** What the request showed as the handle of a task; null: nothing. */
  readonly taskHandle: string | null
}

/** Kinds of subject, and whether each is a client that acts for itself; null: it may be either. */
const KINDS: ReadonlyMap<string, { readonly workload: boolean | null }> = new Map([
  ['user', { workload: false }],
  // COAZ-MCP: whoever a token's `sub` names.
  ['identity', { workload: null }],
  ['workload', { workload: true }],
  ['client', { workload: true }],
])

/** `unknown`: no policy speaks of this kind of subject, so nobody of it may do anything. */
export function readPerson(
  { subject, context }: Asked,
  caller: string,
  nowMs: number,
): Result<Person | 'unknown', Malformed> {
  const { id, properties } = subject
  const kind = KINDS.get(subject.type)
  if (kind === undefined) return ok('unknown')
  const path = 'subject.properties'
  const issuer = readName(properties, 'issuer', path)
  if (!issuer.ok) return issuer
  const named = readName(properties, 'client', path)
  if (!named.ok) return named
  // COAZ-MCP: `context.agent` is the token's `client_id`, which is the client here.
  const projected = readName(context, 'agent', 'context')
  if (!projected.ok) return projected
  const agent = readName(properties, 'agent', path)
  if (!agent.ok) return agent
  const client = named.value ?? projected.value ?? (kind.workload === true ? id : null)
  // INVARIANT: a person is never judged as software that happens to be called alike, or the reverse.
  const isItself = (client ?? caller) === id
  if (kind.workload !== null && kind.workload !== isItself) {
    return malformed('a subject is its own client if it is a `workload`, and only then')
  }
  if (agent.value === id) return malformed('`subject.properties.agent` is the subject itself')
  const rest = readCredential(properties, nowMs)
  if (!rest.ok) return rest
  const network = readNetwork(context)
  if (!network.ok) return network
  const taskHandle = readName(context, 'task_handle', 'context')
  if (!taskHandle.ok) return taskHandle
  return ok({
    subject: id,
    issuer: issuer.value,
    client,
    agent: agent.value,
    ...rest.value,
    network: network.value,
    taskHandle: taskHandle.value,
  })
}

/** Where the subject is. Where the caller itself is says nothing about that, and is not taken. */
function readNetwork(context: JsonObject): Result<Network, Malformed> {
  const given = readObject(context['network'], 'context.network')
  if (!given.ok) return given
  const ip = readName(given.value, 'ip', 'context.network')
  if (!ip.ok) return ip
  const country = readName(given.value, 'country', 'context.network')
  if (!country.ok) return country
  const { asn = null } = given.value
  if (asn !== null && !(typeof asn === 'number' && Number.isSafeInteger(asn))) {
    return malformed('`context.network.asn` must be a whole number')
  }
  return ok({ ip: ip.value, country: country.value, asn })
}
