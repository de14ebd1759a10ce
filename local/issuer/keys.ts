// The signing keys: the one that was bound at the start, and those that `/_demo/rotate` made since.

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { parsePrivateKey, type PrivateKey } from './config.ts'

export interface PublicKey {
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
  kid: string
  alg: 'ES256'
  use: 'sig'
}

export class Keys {
  readonly #sql: SqlStorage
  readonly #bound: PrivateKey

  constructor(sql: SqlStorage, bound: PrivateKey) {
    this.#sql = sql
    this.#bound = bound
    sql.exec(`
      CREATE TABLE IF NOT EXISTS rotated_keys (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        private_jwk TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS dropped_keys (kid TEXT PRIMARY KEY) STRICT;
    `)
  }

  /** The newest key signs. */
  signing(): PrivateKey {
    return this.#rotated().at(-1) ?? this.#bound
  }

  published(): PublicKey[] {
    const keys = this.#isDropped(this.#bound.kid) ? [] : [this.#bound]
    return [...keys, ...this.#rotated()].map(toPublicKey)
  }

  /** Returns the kid of the new key. */
  async rotate(options: { dropOld: boolean }): Promise<string> {
    const next = await generateKey()
    if (options.dropOld) {
      this.#sql.exec('DELETE FROM rotated_keys')
      this.#sql.exec('INSERT OR IGNORE INTO dropped_keys (kid) VALUES (?)', this.#bound.kid)
    }
    this.#sql.exec('INSERT INTO rotated_keys (private_jwk) VALUES (?)', JSON.stringify(next))
    return next.kid
  }

  #rotated(): PrivateKey[] {
    return this.#sql
      .exec<{ private_jwk: string }>('SELECT private_jwk FROM rotated_keys ORDER BY position')
      .toArray()
      .map((row) => parsePrivateKey(row.private_jwk))
  }

  #isDropped(kid: string): boolean {
    return this.#sql.exec('SELECT 1 FROM dropped_keys WHERE kid = ?', kid).toArray().length > 0
  }
}

async function generateKey(): Promise<PrivateKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return parsePrivateKey(JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk) }))
}

/** Members are named one by one, so that `d` cannot slip through. */
function toPublicKey({ kty, crv, x, y, kid }: PrivateKey): PublicKey {
  return { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' }
}
