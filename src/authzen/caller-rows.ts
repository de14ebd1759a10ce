import type { Claims } from '../authentication/claims.ts'
import type { JsonObject } from '../mcp/value.ts'
import { parseGlob } from '../pdp/glob.ts'
import type { RevocationKind } from '../pdp/refusal.ts'
import type { Refusal } from '../pep/refusal.ts'
import { claimedTenants } from '../pep/trusting-tenants.ts'
import { ok, type Result } from '../result.ts'
import { COUNTS_FOR, MUST_BE_HEARD } from '../storage/signal-facts.ts'
import type { PolicyStore, StoreFault } from '../storage/policy-store.ts'

/** A row of `pdp_callers`, as it is now. */
export interface CallerRow {
  /** The first one is meant where a question names none. */
  readonly servers: readonly string[]
  readonly mayAdmit: boolean
  maySpeakOf(subject: string): boolean
}

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

/** Who may ask, read from D1. */
export class CallerRows {
  readonly #policies: PolicyStore

  constructor(policies: PolicyStore) {
    this.#policies = policies
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
