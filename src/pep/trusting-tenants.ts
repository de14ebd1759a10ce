import { Allowance } from '../allowance.ts'
import type { JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import type { PolicyStore, StoreFault } from '../storage/policy-store.ts'

/** A tenant that trusts an issuer, with one of its servers: by that its rows are found. */
export interface Trusting {
  readonly tenant: string
  readonly tenantClaim: string | null
  readonly server: string
}

const TRUSTING = `SELECT trusted.tenant AS tenant, trusted.tenant_claim AS tenantClaim, min(server.name) AS server
  FROM issuers AS trusted JOIN servers AS server ON server.tenant = trusted.tenant
  WHERE trusted.url = ?1 GROUP BY trusted.tenant`

/** A flood of made-up issuers costs no more lookups than this, per isolate. */
const LOOKUPS_PER_SECOND = 50

/** Which tenants trust an issuer, read from D1 and remembered: that only says where to look. */
export class TrustingTenants {
  readonly #policies: PolicyStore
  readonly #trusting = new Map<string, readonly Trusting[]>()
  readonly #lookups = new Allowance(LOOKUPS_PER_SECOND)

  constructor(policies: PolicyStore) {
    this.#policies = policies
  }

  /** As last seen; undefined: this isolate knows nobody who trusts that issuer. */
  lastKnown(issuer: string): readonly Trusting[] | undefined {
    return this.#trusting.get(issuer)
  }

  async lookUp(issuer: string): Promise<Result<readonly Trusting[], StoreFault>> {
    if (!this.#lookups.take(Date.now())) return err({ kind: 'unavailable' })
    const found = await this.#policies.read((database) =>
      database.prepare(TRUSTING).bind(issuer).all<Trusting>(),
    )
    if (!found.ok) return found
    const { results } = found.value
    // What nobody trusts is not remembered: names that a stranger makes up must not pile up here.
    if (results.length === 0) this.#trusting.delete(issuer)
    else this.#trusting.set(issuer, results)
    return ok(results)
  }
}

/** Whose token this claims to be. Not verified: it says by whose rows the token is to be judged. */
export const claimedTenants = <Row extends Pick<Trusting, 'tenant' | 'tenantClaim'>>(
  trusting: readonly Row[],
  payload: JsonObject,
): readonly Row[] =>
  trusting.filter(
    ({ tenant, tenantClaim }) => tenantClaim === null || payload[tenantClaim] === tenant,
  )
