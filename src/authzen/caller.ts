import type { Claims } from '../authentication/claims.ts'
import type { Doors } from '../pep/doors.ts'
import { identifyBy, unavailable } from '../pep/identify.ts'
import type { Refusal } from '../pep/refusal.ts'
import { identifyToken, useProofs } from '../pep/whose-token.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { CallerRow, CallerRows } from './caller-rows.ts'
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
  const identified = await identifyToken(received, doors)
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
