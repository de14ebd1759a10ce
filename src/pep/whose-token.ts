// Door one where no address says whose server is meant.
import { readCredentials } from '../authentication/authenticate.ts'
import type { Claims } from '../authentication/claims.ts'
import type { Credentials } from '../authentication/credentials.ts'
import { readJws, typeOf } from '../authentication/jws.ts'
import { readSegment } from '../authentication/payload.ts'
import { tokenInvalid } from '../authentication/refusal.ts'
import { isIdentifier } from '../authentication/text.ts'
import { readWorkloadId } from '../authentication/workload/workload-id.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { sessionKeyOf } from '../question/history-keys.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { Doors } from './doors.ts'
import { identify, unavailable, type Presented } from './identify.ts'
import type { Refusal } from './refusal.ts'
import { SessionGate } from './session-gate.ts'
import { claimedTenants, type Trusting } from './trusting-tenants.ts'

/** What is looked at of a request to find out who sends it. */
export interface ShownToken {
  readonly credentials: Credentials
  /** What a token must be for, under each public origin. */
  readonly audiences: readonly [string, ...string[]]
  /** What a proof must have been made for: the address that was called, under each public origin. */
  readonly targets: readonly string[]
}

export interface Identified {
  readonly claims: Claims
  readonly compiled: CompiledTenant
  readonly payload: JsonObject
  readonly presented: Presented
}

/** For every door that is no MCP server's: whose token it is, its issuer says (and its tenant claim). */
export async function identifyToken(
  received: ShownToken,
  doors: Doors,
): Promise<Result<Identified, Refusal>> {
  const { unsafe } = doors.config
  if (unsafe !== null) {
    return err({ at: 'decide', reason: 'unsafe_configuration', detail: unsafe })
  }
  const unverified = readUnverified(received)
  if (!unverified.ok) return unverified
  const { payload, issuer } = unverified.value
  if (!isIdentifier(issuer)) return tokenInvalid('issuer', '`iss` is not an identifier')
  const known = only(claimedTenants(doors.trusting.lastKnown(issuer) ?? [], payload))
  if (known !== null && known !== 'several') {
    const identified = await identifyAt(known, payload, received, doors)
    if (identified.ok || !MAY_BE_ANOTHERS.has(identified.error.reason)) return identified
  }
  const found = await doors.trusting.lookUp(issuer)
  if (!found.ok) return err(unavailable(found.error))
  const trusting = only(claimedTenants(found.value, payload))
  if (trusting === null) return err({ at: 'authenticate', reason: 'issuer_unknown' })
  // Nothing says whose it is.
  if (trusting === 'several') return err({ at: 'authenticate', reason: 'tenant_mismatch' })
  const identified = await identifyAt(trusting, payload, received, doors)
  // Rows that move while they are looked up are looked up again by whoever asks again.
  return !identified.ok && identified.error.reason === 'server_unknown'
    ? err({ at: 'decide', reason: 'facts_unavailable' })
    : identified
}

/** Its server is gone, and with it the way to the rows; or another tenant trusts the issuer by now. */
const MAY_BE_ANOTHERS: ReadonlySet<Refusal['reason']> = new Set([
  'server_unknown',
  'tenant_mismatch',
  'issuer_unknown',
])

const only = (found: readonly Trusting[]): Trusting | 'several' | null =>
  found.length > 1 ? 'several' : (found[0] ?? null)

/** Door one as at any of the tenant's servers, but for the audience. */
async function identifyAt(
  { server, tenant }: Trusting,
  payload: JsonObject,
  { credentials, audiences, targets }: ShownToken,
  doors: Doors,
): Promise<Result<Identified, Refusal>> {
  const presented: Presented = { server, credentials, resources: audiences, targets }
  const caller = await identify(presented, doors)
  if (!caller.ok) return caller
  // A server's name may have gone to another tenant since it was looked up.
  return caller.value.compiled.tenant === tenant
    ? ok({ ...caller.value, payload, presented })
    : err(MOVED)
}

const MOVED = { at: 'receive', reason: 'server_unknown' } as const

interface Unverified {
  readonly payload: JsonObject
  /** Whom to ask for. Of a workload its trust domain: SVIDs and WITs may name any `iss`, or none. */
  readonly issuer: JsonValue | undefined
}

/** INVARIANT: it only chooses by whose rows the token is verified; door one reads it again. */
function readUnverified({ credentials }: ShownToken): Result<Unverified, Refusal> {
  const presented = readCredentials(credentials)
  if (!presented.ok) return presented
  const token = readJws(presented.value.token)
  if (!token.ok) return tokenInvalid(token.error.fault, token.error.detail)
  const payload = readSegment(token.value.payload)
  if (!payload.ok) return tokenInvalid('payload', payload.error)
  const { iss, sub } = payload.value
  const workload = typeOf(token.value) === 'at+jwt' ? null : readWorkloadId(sub)
  return ok({ payload: payload.value, issuer: workload?.trustDomain ?? iss })
}

/** A question is no step of anybody's history, so the proofs of whoever asks are used up by themselves. */
export async function useProofs(
  claims: Claims,
  doors: Pick<Doors, 'sessions'>,
): Promise<Result<null, Refusal>> {
  if (claims.proofs.length === 0) return ok(null)
  const session = new SessionGate(doors.sessions, await sessionKeyOf(claims))
  const proofs = claims.proofs.map((proof) => ({ ...proof, nonceNeeded: false }))
  return session.useProofs({ request: crypto.randomUUID(), proofs })
}
