// Authorization codes and refresh tokens: each works once, and showing one twice ends what it gave.

import type { Login } from './login.ts'

/** What a person granted to a client. A code and every refresh token that follows it carry it on. */
export interface Grant {
  subject: string
  client: string
  tenant: string
  scope: string
  resource: string
  redirectUri: string
  codeChallenge: string
  login: Login
  /** JSON text (RFC 9396). */
  authorizationDetails?: string | undefined
  /** OpenID Connect's, for the ID token that the code is redeemed for. */
  nonce?: string | undefined
  /** The key that a refresh token is bound to (RFC 9449 §5). */
  thumbprint?: string | undefined
}

const CODE_LIFETIME_MS = 60_000
const REFRESH_LIFETIME_MS = 24 * 60 * 60 * 1_000

export class Codes {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    // `family` is the digest of the code at the root: what one act of consent led to.
    sql.exec(`
      CREATE TABLE IF NOT EXISTS one_time_secrets (
        digest TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('code', 'refresh_token')),
        family TEXT NOT NULL,
        grant_json TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1))
      ) STRICT;
      CREATE INDEX IF NOT EXISTS one_time_secrets_by_family ON one_time_secrets (family);
    `)
  }

  issueCode(digest: string, grant: Grant): void {
    this.#forgetLapsed()
    this.#insert(digest, 'code', digest, grant, CODE_LIFETIME_MS)
  }

  /** The grant behind an unused secret, without using it: the caller has checks of its own to make. */
  read(digest: string, kind: SecretKind): Grant | null {
    const row = this.#findUnused(digest, kind)
    return row === null ? null : (JSON.parse(row.grant_json) as Grant)
  }

  /** Uses the secret up and puts a new refresh token in its place, in one step. False: somebody was first. */
  exchange(digest: string, kind: SecretKind, refreshDigest: string, grant: Grant): boolean {
    const row = this.#findUnused(digest, kind)
    if (row === null) return false
    this.#sql.exec('UPDATE one_time_secrets SET used = 1 WHERE digest = ?', digest)
    this.#insert(refreshDigest, 'refresh_token', row.family, grant, REFRESH_LIFETIME_MS)
    return true
  }

  /**
   * RFC 6749 §4.1.2 for codes, RFC 9700 §4.14.2 for refresh tokens: two holders of one secret cannot
   * be told apart, so both lose it. Access tokens that are out end by their own short life.
   */
  #revokeFamily(family: string): void {
    this.#sql.exec(
      `DELETE FROM one_time_secrets WHERE family = ? AND kind = 'refresh_token'`,
      family,
    )
  }

  #findUnused(digest: string, kind: SecretKind): SecretRow | null {
    const [row] = this.#sql
      .exec<SecretRow>(
        `SELECT family, grant_json, expires_at, used FROM one_time_secrets
         WHERE digest = ? AND kind = ?`,
        digest,
        kind,
      )
      .toArray()
    if (row === undefined) return null
    if (row.used === 1) this.#revokeFamily(row.family)
    return row.used === 1 || row.expires_at <= Date.now() ? null : row
  }

  #insert(digest: string, kind: SecretKind, family: string, grant: Grant, lifetime: number): void {
    this.#sql.exec(
      `INSERT INTO one_time_secrets (digest, kind, family, grant_json, expires_at)
       VALUES (?, ?, ?, ?, ?)`,
      digest,
      kind,
      family,
      JSON.stringify(grant),
      Date.now() + lifetime,
    )
  }

  /** A used secret is kept for as long as what it gave may live, so that a second use is noticed. */
  #forgetLapsed(): void {
    const before = Date.now() - REFRESH_LIFETIME_MS
    this.#sql.exec('DELETE FROM one_time_secrets WHERE expires_at <= ?', before)
  }
}

export type SecretKind = 'code' | 'refresh_token'

interface SecretRow extends Record<string, SqlStorageValue> {
  family: string
  grant_json: string
  expires_at: number
  used: number
}
