import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What an operator stores with `wrangler secret put` (docs/upstream-credentials.md). */
export interface OwnKeys {
  readonly SIGNING_KEYS: string
  readonly SEALING_KEYS: string
}

/** Sallyport's keys of this machine: made once, kept beside the databases, never in the repository. */
export async function ownKeys(state: string): Promise<OwnKeys> {
  const file = join(state, 'own-keys.json')
  const kept = await readFile(file, 'utf8').catch(() => null)
  if (kept !== null) return JSON.parse(kept) as OwnKeys
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  })
  const sealing = { kty: 'oct', k: randomBytes(32).toString('base64url') }
  const keys: OwnKeys = {
    SIGNING_KEYS: setOf({ ...signing, alg: 'ES256' }),
    SEALING_KEYS: setOf(sealing),
  }
  await writeFile(file, JSON.stringify(keys), { mode: 0o600 })
  return keys
}

const setOf = (key: object): string =>
  JSON.stringify({ keys: [{ ...key, kid: randomBytes(6).toString('base64url') }] })
