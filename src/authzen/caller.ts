import { readCredentials } from '../authentication/authenticate.ts'
import type { Claims } from '../authentication/claims.ts'
import { readJws, typeOf } from '../authentication/jws.ts'
import { readSegment } from '../authentication/payload.ts'
import { tokenInvalid } from '../authentication/refusal.ts'
import { isIdentifier } from '../authentication/text.ts'
import { readWorkloadId } from '../authentication/workload/workload-id.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import type { Doors } from '../pep/doors.ts'
import { identify, identifyBy, unavailable, type Presented } from '../pep/identify.ts'
import { sessionKeyOf } from '../pep/question.ts'
import type { Refusal } from '../pep/refusal.ts'
import { SessionGate } from '../pep/session-gate.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import { claimedTenants, type CallerRow, type CallerRows, type Trusting } from './caller-rows.ts'
import type { ReceivedQuestion } from './receive.ts'
import { refusedWith, type DoorRefusal } from './refusal.ts'

/** Who asks, by a verified token and a row that was read after the request arrived. */
export interface PdpCaller {
  readonly claims: Claims
  readonly row: CallerRow
  /** The rows that let the token in. An answer counts once their revision was confirmed. */
  readonly compiled: CompiledTenant
  /** The same token by other rows. */
  readonly stillAcceptedBy: (compiled: CompiledTenant) => Promise<Result<unknown, Refusal>>
}

/**
 * Door one for those who ask. The token alone says whose caller it is: its issuer, and where tenants
 * share one its tenant claim, and door one then verifies both. What the question is about has no
 * part in it, so no question reaches into another tenant.
 */
export async function identifyCaller(
  received: ReceivedQuestion,
  doors: Doors,
  rows: CallerRows,
): Promise<Result<PdpCaller, DoorRefusal>> {
  const identified = await identifyToken(received, doors, rows)
  if (!identified.ok) return err(refusedWith(identified.error))
  const { claims, compiled, presented, payload } = identified.value
  // A token that a person lent, or one that passed through another's hands, is no caller's own.
  if (claims.subject !== claims.client || claims.agent !== null) return NOT_PERMITTED
  const row = await rows.row(claims, payload)
  if (!row.ok) return err(refusedWith(unavailable(row.error)))
  if (row.value === null) return NOT_PERMITTED
  if ('reason' in row.value) return err(refusedWith(row.value))
  const unproven = await useProofs(claims, doors)
  if (!unproven.ok) return err(refusedWith(unproven.error))
  return ok({
    claims,
    row: row.value,
    compiled,
    stillAcceptedBy: (other) => identifyBy(other, presented, doors),
  })
}

const NOT_PERMITTED = err({ kind: 'not_permitted' } as const)

/** A question is no step of anybody's history, so the proofs of whoever asks are used up by themselves. */
async function useProofs(claims: Claims, doors: Doors): Promise<Result<null, Refusal>> {
  if (claims.proofs.length === 0) return ok(null)
  const session = new SessionGate(doors.sessions, await sessionKeyOf(claims))
  const proofs = claims.proofs.map((proof) => ({ ...proof, nonceNeeded: false }))
  return session.useProofs({ request: crypto.randomUUID(), proofs })
}

interface Identified {
  readonly claims: Claims
  readonly compiled: CompiledTenant
  readonly payload: JsonObject
  readonly presented: Presented
}

async function identifyToken(
  received: ReceivedQuestion,
  doors: Doors,
  rows: CallerRows,
): Promise<Result<Identified, Refusal>> {
  const { unsafe } = doors.config
  if (unsafe !== null) {
    return err({ at: 'decide', reason: 'unsafe_configuration', detail: unsafe })
  }
  const unverified = readUnverified(received)
  if (!unverified.ok) return unverified
  const { payload, issuer } = unverified.value
  if (!isIdentifier(issuer)) return tokenInvalid('issuer', '`iss` is not an identifier')
  const known = only(claimedTenants(rows.lastKnown(issuer) ?? [], payload))
  if (known !== null && known !== 'several') {
    const identified = await identifyAt(known, payload, received, doors)
    if (identified.ok || !MAY_BE_ANOTHERS.has(identified.error.reason)) return identified
  }
  const found = await rows.lookUp(issuer)
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
  { credentials, audiences, targets }: ReceivedQuestion,
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
function readUnverified({ credentials }: ReceivedQuestion): Result<Unverified, Refusal> {
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
