// Pure. Who a question is about: what an access token would have said, as the caller says it.
import { isEpochSeconds, isIdentifier } from '../authentication/text.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import type { Network } from '../pdp/evaluation.ts'
import { ok, type Result } from '../result.ts'
import { malformed, readName, readObject, type Asked, type Malformed } from './request.ts'

export interface Person {
  readonly subject: string
  /** null: the caller's own. */
  readonly issuer: string | null
  /** null: the caller itself. */
  readonly client: string | null
  readonly agent: string | null
  /** '': the caller does not say. */
  readonly tokenId: string
  /** null: the caller does not say, and checks scopes by itself. */
  readonly scopes: readonly string[] | null
  readonly acr: string | null
  readonly authTime: number | null
  readonly senderConstrained: boolean
  readonly network: Network
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
  return ok({
    subject: id,
    issuer: issuer.value,
    client,
    agent: agent.value,
    ...rest.value,
    network: network.value,
  })
}

type Credential = Pick<Person, 'tokenId' | 'scopes' | 'acr' | 'authTime' | 'senderConstrained'>

/** How far the caller's clock may run ahead of ours, as for tokens. */
const AHEAD_SECONDS = 60

function readCredential(properties: JsonObject, nowMs: number): Result<Credential, Malformed> {
  const path = 'subject.properties'
  const tokenId = readName(properties, 'token_id', path)
  if (!tokenId.ok) return tokenId
  const acr = readName(properties, 'acr', path)
  if (!acr.ok) return acr
  const { auth_time: authTime = null, sender_constrained: senderConstrained = false } = properties
  // A login in the future would satisfy every demand for a recent one (RFC 9470 §5).
  const isPast = isEpochSeconds(authTime ?? 0) && Number(authTime) <= nowMs / 1000 + AHEAD_SECONDS
  if (!isPast || (authTime === null && 'auth_time' in properties)) {
    return malformed('`subject.properties.auth_time` must be a past time in epoch seconds')
  }
  if (typeof senderConstrained !== 'boolean') {
    return malformed('`subject.properties.sender_constrained` must be true or false')
  }
  const scopes = readScopes(properties)
  if (!scopes.ok) return scopes
  return ok({
    tokenId: tokenId.value ?? '',
    acr: acr.value,
    authTime: authTime as number | null,
    senderConstrained,
    scopes: scopes.value,
  })
}

/** A list, or one text as in a token (RFC 6749 §3.3); one of them. */
function readScopes({ scopes, scope }: JsonObject): Result<readonly string[] | null, Malformed> {
  if (scopes !== undefined && scope !== undefined) {
    return malformed('`subject.properties` has both `scopes` and `scope`')
  }
  if (scope !== undefined) {
    return typeof scope === 'string'
      ? ok(scope.split(' ').filter((one) => one !== ''))
      : malformed('`subject.properties.scope` must be a text')
  }
  if (scopes === undefined) return ok(null)
  return isListOfNames(scopes)
    ? ok(scopes)
    : malformed('`subject.properties.scopes` must be a list of texts')
}

const isListOfNames = (value: JsonValue): value is readonly string[] =>
  Array.isArray(value) && value.every(isIdentifier)

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
