import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'

/**
 * The demo issuer's private key as JWK text. It is made on each machine and kept beside the
 * databases, so that a token outlives a restart; it is never part of the repository.
 */
export async function issuerKey(state: string): Promise<string> {
  const file = join(state, 'issuer-key.json')
  const kept = await readFile(file, 'utf8').catch(() => null)
  if (kept !== null) return kept
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  })
  const kid = await calculateJwkThumbprint({ ...jwk, kty: 'EC' })
  const text = JSON.stringify({ ...jwk, kid, alg: 'ES256', use: 'sig' })
  await writeFile(file, text, { mode: 0o600 })
  return text
}
