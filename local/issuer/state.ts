import { DurableObject } from 'cloudflare:workers'
import type { Client } from './clients.ts'
import { Codes, type Grant, type SecretKind } from './codes.ts'
import { parsePrivateKey, type PrivateKey } from './config.ts'
import type { Env } from './env.ts'
import { Keys, type PublicKey } from './keys.ts'
import { OpaqueTokens } from './opaque-tokens.ts'

/** What a test can make misbehave, and how. */
export const FAULTY_PATHS = ['/jwks.json', '/introspect', '/token', '/revoke'] as const
export type FaultyPath = (typeof FAULTY_PATHS)[number]
export const FAULTS = [
  'none',
  'hang',
  'error',
  'unauthorized',
  'garbage',
  'page',
  'redirect',
  'huge',
] as const
export type Fault = (typeof FAULTS)[number]

/** All that this server remembers, in one object, so that a code works once across all isolates. */
export class IssuerState extends DurableObject<Env> {
  readonly #sql: SqlStorage
  readonly #codes: Codes
  readonly #keys: Keys
  readonly #tokens: OpaqueTokens

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#sql = state.storage.sql
    this.#codes = new Codes(this.#sql)
    this.#keys = new Keys(this.#sql, parsePrivateKey(env.ISSUER_PRIVATE_JWK))
    this.#tokens = new OpaqueTokens(this.#sql)
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS dynamic_clients (
        id TEXT PRIMARY KEY,
        client_json TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS faults (
        path TEXT PRIMARY KEY,
        mode TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS requests (
        path TEXT PRIMARY KEY,
        count INTEGER NOT NULL
      ) STRICT;
    `)
  }

  issueCode(digest: string, grant: Grant): void {
    this.#codes.issueCode(digest, grant)
  }

  readGrant(digest: string, kind: SecretKind): Grant | null {
    return this.#codes.read(digest, kind)
  }

  exchangeForRefreshToken(
    digest: string,
    kind: SecretKind,
    refreshDigest: string,
    grant: Grant,
  ): boolean {
    return this.#codes.exchange(digest, kind, refreshDigest, grant)
  }

  keepOpaqueToken(digest: string, claimsJson: string): void {
    this.#tokens.keep(digest, claimsJson)
  }

  opaqueToken(digest: string): string | null {
    return this.#tokens.find(digest)
  }

  revokeToken(digest: string, claimsJson: string | null): void {
    this.#tokens.revoke(digest, claimsJson)
  }

  revocations(): string[] {
    return this.#tokens.revocations()
  }

  isTokenRevoked(digest: string): boolean {
    return this.#tokens.isRevoked(digest)
  }

  register(client: Client): void {
    this.#sql.exec(
      'INSERT INTO dynamic_clients (id, client_json) VALUES (?, ?)',
      client.id,
      JSON.stringify(client),
    )
  }

  dynamicClient(id: string): Client | null {
    const [row] = this.#sql
      .exec<{ client_json: string }>('SELECT client_json FROM dynamic_clients WHERE id = ?', id)
      .toArray()
    return row === undefined ? null : (JSON.parse(row.client_json) as Client)
  }

  signingKey(): PrivateKey {
    return this.#keys.signing()
  }

  publishedKeys(): PublicKey[] {
    return this.#keys.published()
  }

  rotateKey(options: { dropOld: boolean }): Promise<string> {
    return this.#keys.rotate(options)
  }

  setFault(path: FaultyPath, mode: Fault): void {
    this.#sql.exec('INSERT OR REPLACE INTO faults (path, mode) VALUES (?, ?)', path, mode)
  }

  fault(path: FaultyPath): Fault {
    const [row] = this.#sql
      .exec<{ mode: Fault }>('SELECT mode FROM faults WHERE path = ?', path)
      .toArray()
    return row?.mode ?? 'none'
  }

  countRequest(path: string): void {
    this.#sql.exec(
      `INSERT INTO requests (path, count) VALUES (?, 1)
       ON CONFLICT (path) DO UPDATE SET count = count + 1`,
      path,
    )
  }

  requests(): Record<string, number> {
    const rows = this.#sql
      .exec<{ path: string; count: number }>('SELECT path, count FROM requests ORDER BY path')
      .toArray()
    return Object.fromEntries(rows.map((row) => [row.path, row.count]))
  }

  /** Back to the bound key and to no clients, codes, faults or counts. */
  reset(): void {
    for (const table of TABLES) this.#sql.exec(`DELETE FROM ${table}`)
  }
}

const TABLES = [
  'one_time_secrets',
  'opaque_tokens',
  'revoked_tokens',
  'revocations',
  'dynamic_clients',
  'rotated_keys',
  'dropped_keys',
  'faults',
  'requests',
] as const
