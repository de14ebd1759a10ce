import { authenticate, curableByRows } from '../authentication/authenticate.ts'
import type { Claims } from '../authentication/claims.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { PolicyStore, StoreFault } from '../storage/policy-store.ts'
import type { Doors } from './doors.ts'
import type { Received } from './receive.ts'
import type { Refusal } from './refusal.ts'

/** What door one looks at of a request. */
export interface Presented extends Pick<Received, 'server' | 'credentials' | 'resources'> {
  /** What a proof must be made for, where that is not the resource itself. */
  readonly targets?: readonly string[]
}

/** Door one's answer, with the rows it was given by. */
export interface Caller {
  readonly claims: Claims
  readonly compiled: CompiledTenant
}

/**
 * Door one. The rows may be a little old: then they may only say no. A yes counts once `decide` has
 * confirmed their revision, and a no that newer rows could turn is asked of newer rows.
 */
export async function identify(
  received: Presented,
  doors: Doors,
): Promise<Result<Caller, Refusal>> {
  const { config, policies } = doors
  if (config.unsafe !== null) return err(unsafe(config.unsafe))
  const known = await rowsToAskBy(received, policies)
  if (!known.ok) return known
  const caller = await identifyBy(known.value, received, doors)
  if (caller.ok || !isCurable(caller.error, known.value, policies)) return caller
  const rows = await policies.refreshed(received.server, known.value)
  if (rows === 'same') return caller
  // Never a 401 that newer rows could turn: the client would throw a good token away.
  return rows === 'unknown'
    ? err({ at: 'decide', reason: 'facts_unavailable' })
    : identifyBy(rows, received, doors)
}

/**
 * The rows as last seen. Where they say that tokens are shown to an issuer, somebody must have
 * confirmed them lately: one that was switched off must not be handed tokens by an isolate that slept.
 */
async function rowsToAskBy(
  { server, credentials }: Presented,
  policies: PolicyStore,
): Promise<Result<CompiledTenant, Refusal>> {
  const known = await policies.lastKnown(server)
  if (!known.ok) return err(unavailable(known.error))
  if (known.value === null) return err({ at: 'receive', reason: 'server_unknown' })
  const asks =
    credentials.authorization !== null &&
    [...known.value.issuers.values()].some(({ introspection }) => introspection !== null)
  if (!asks) return ok(known.value)
  const rows = await policies.confirmed(server, known.value)
  return rows === 'unknown' ? err({ at: 'decide', reason: 'facts_unavailable' }) : ok(rows)
}

/** The same token by other rows; also asked when a row moved between door one and door two. */
export async function identifyBy(
  compiled: CompiledTenant,
  received: Presented,
  doors: Doors,
  /** Epoch ms: when the credentials were shown, where that is not now. */
  shownAt: number | null = null,
): Promise<Result<Caller, Refusal>> {
  if (compiled.unsafe !== null) return err(unsafe(compiled.unsafe))
  const claims = await authenticate(received.credentials, {
    tenant: compiled.tenant,
    resources: received.resources,
    targets: received.targets ?? received.resources,
    issuers: compiled.issuers,
    keys: doors.keys,
    // Rows may move while a request is decided; the same question is asked once in it.
    introspect: doors.introspection.during(received),
    ...(doors.statuses === undefined ? {} : { statuses: doors.statuses }),
    now: shownAt === null ? Date.now : () => shownAt,
  })
  return claims.ok ? ok({ claims: claims.value, compiled }) : claims
}

/**
 * Anybody can send a token that no key signed. One that names a known issuer therefore costs a
 * reading only if the rows were not confirmed within the last second.
 */
function isCurable(refusal: Refusal, known: CompiledTenant, policies: PolicyStore): boolean {
  if (refusal.at === 'authenticate' && !curableByRows(refusal)) return false
  const unsigned =
    refusal.reason === 'issuer_unavailable' ||
    refusal.reason === 'workload_proof_invalid' ||
    (refusal.reason === 'token_invalid' && refusal.fault !== 'lifetime')
  return !unsigned || policies.isOld(known)
}

const unsafe = (detail: string): Refusal => ({
  at: 'decide',
  reason: 'unsafe_configuration',
  detail,
})

export const unavailable = (fault: StoreFault): Refusal =>
  fault.kind === 'unsafe' ? unsafe(fault.detail) : { at: 'decide', reason: 'facts_unavailable' }
