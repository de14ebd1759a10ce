import type { Claims } from '../authentication/claims.ts'
import type { JsonObject } from '../mcp/value.ts'
import { parseGlob } from '../pdp/glob.ts'
import type { RevocationKind } from '../pdp/refusal.ts'
import type { Refusal } from '../pep/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import { Allowance } from '../allowance.ts'
import { COUNTS_FOR, MUST_BE_HEARD } from '../storage/signal-facts.ts'
import type { PolicyStore, StoreFault } from '../storage/policy-store.ts'

/** A row of `pdp_callers`, as it is now. */
export interface CallerRow {
  /** The first one is meant where a question names none. */
  readonly servers: readonly string[]
  readonly mayAdmit: boolean
  maySpeakOf(subject: string): boolean
}

/** A tenant that trusts an issuer, with one of its servers: by that its rows are found. */
export interface Trusting {
  readonly tenant: string
  readonly tenantClaim: string | null
  readonly server: string
}

const TRUSTING = `SELECT trusted.tenant AS tenant, trusted.tenant_claim AS tenantClaim, min(server.name) AS server
  FROM issuers AS trusted JOIN servers AS server ON server.tenant = trusted.tenant
  WHERE trusted.url = ?1 GROUP BY trusted.tenant`

const CALLERS_TOKEN = { issuedAt: '?5', client: '?3', session: '?6' }

/** The row, unless something of the caller's own was switched off or taken back. */
const CALLER = `SELECT servers, subjects, may_admit,
    (SELECT json_group_array(revoked.kind) FROM json_each(?4) AS named CROSS JOIN revocations AS revoked
       ON revoked.tenant = ?1 AND revoked.kind = named.value ->> 0
         AND revoked.id = named.value ->> 1 AND revoked.issuer IN ('*', ?2)
         AND ${COUNTS_FOR('revoked', CALLERS_TOKEN)}) AS revoked,
    EXISTS (SELECT 1 ${MUST_BE_HEARD()}) AS silent,
    (SELECT json_group_array(json_array(tenant, tenant_claim)) FROM issuers WHERE url = ?2) AS trusting
  FROM pdp_callers WHERE tenant = ?1 AND issuer = ?2 AND client = ?3 AND active = 1
    AND NOT EXISTS (SELECT 1 FROM clients WHERE tenant = ?1 AND issuer = ?2 AND id = ?3 AND active = 0)`

/** A flood of made-up issuers costs no more lookups than this, per isolate. */
const LOOKUPS_PER_SECOND = 50

/** Who may ask, read from D1. Which tenant trusts an issuer is remembered: that only says where to look. */
export class CallerRows {
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

  /** null: no row, or one that counts for nothing now. `payload` is that of the claims. */
  async row(
    claims: Claims,
    payload: JsonObject,
  ): Promise<Result<CallerRow | TokenRefusal | null, StoreFault>> {
    const { tenant, issuer, client, tokenId, sessionId, keyId, bindings, issuedAt } = claims
    const names: readonly (readonly [RevocationKind, string])[] = [
      ...(tokenId === null ? [] : [['token', tokenId] as const]),
      ...(sessionId === null ? [] : [['token_session', sessionId] as const]),
      ...(keyId === null ? [] : [['issuer_key', keyId] as const]),
      ...bindings.map(({ thumbprint }) => ['proof_key', thumbprint] as const),
      ['client', client],
      ['subject', client],
      ['issuer', issuer],
      ['tenant', tenant],
    ]
    const read = await this.#policies.read((database) =>
      database
        .prepare(CALLER)
        .bind(
          tenant,
          issuer,
          client,
          JSON.stringify(names),
          issuedAt === null ? null : issuedAt * 1000,
          sessionId,
        )
        .first<StoredRow>(),
    )
    return read.ok ? ok(read.value === null ? null : callerRow(read.value, payload)) : read
  }
}

interface StoredRow {
  readonly servers: string
  readonly subjects: string
  readonly may_admit: number
  readonly revoked: string
  readonly silent: number
  readonly trusting: string
}

/** The token itself is no good, whoever holds it. */
type TokenRefusal = Extract<Refusal, { reason: 'tenant_mismatch' | 'revoked' | 'signals_silent' }>

function callerRow(row: StoredRow, payload: JsonObject): CallerRow | TokenRefusal | null {
  const trusting = (JSON.parse(row.trusting) as readonly [string, string | null][]).map(
    ([tenant, tenantClaim]) => ({ tenant, tenantClaim }),
  )
  // INVARIANT: a token that two tenants would take for their own is nobody's.
  if (claimedTenants(trusting, payload).length !== 1) {
    return { at: 'authenticate', reason: 'tenant_mismatch' }
  }
  const revoked = JSON.parse(row.revoked) as readonly RevocationKind[]
  const kind = OF_THE_TOKEN.find((one) => revoked.includes(one))
  if (kind !== undefined) return { at: 'decide', reason: 'revoked', kind }
  if (revoked.length > 0) return null
  if (row.silent === 1) return { at: 'decide', reason: 'signals_silent' }
  const patterns = textsIn(row.subjects).map(parseGlob)
  return {
    servers: textsIn(row.servers),
    mayAdmit: row.may_admit === 1,
    maySpeakOf: (subject) => patterns.some((pattern) => pattern.matches(subject)),
  }
}

/** Another token may do where one of these is revoked. */
const OF_THE_TOKEN: readonly RevocationKind[] = [
  'token',
  'token_session',
  'proof_key',
  'issuer_key',
]

/** What is no text in a list names nothing. */
const textsIn = (json: string): readonly string[] =>
  (JSON.parse(json) as readonly unknown[]).filter((one) => typeof one === 'string')

/** Whose token this claims to be. Not verified: it says by whose rows the token is to be judged. */
export const claimedTenants = <Row extends Pick<Trusting, 'tenant' | 'tenantClaim'>>(
  trusting: readonly Row[],
  payload: JsonObject,
): readonly Row[] =>
  trusting.filter(
    ({ tenant, tenantClaim }) => tenantClaim === null || payload[tenantClaim] === tenant,
  )
