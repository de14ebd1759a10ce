// RFC 7520: well-formed JOSE objects of every kind. As access tokens all of them must be refused.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import { readKeySet } from '../../../src/authentication/key-set.ts'
import { readObject } from '../../../src/exact-json.ts'
import { bearer, contextWith } from './token-smith.ts'

const folder = join(process.env['SALLYPORT_SHARED'] ?? '../shared', 'vectors/rfc7520-cookbook')
const files = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    )
  : []

/** Every text in a vector that could be sent as a credential, wherever it stands. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return [JSON.stringify(value), ...Object.values(value).flatMap(textsOf)]
}

describe.skipIf(files.length === 0)('the JOSE cookbook', () => {
  it('is there', () => {
    expect(files.length).toBeGreaterThan(10)
  })

  it.each(files)('%s holds no access token', async (name) => {
    const texts = textsOf(JSON.parse(readFileSync(join(folder, name), 'utf8')))
    for (const text of texts) {
      expect((await authenticate(bearer(text), contextWith())).ok).toBe(false)
    }
  })

  const keyFiles = files.filter((name) => name.startsWith('jwk'))
  it.each(keyFiles)('%s in a key set', (name) => {
    const jwk = readFileSync(join(folder, name), 'utf8')
    const document = readObject(new TextEncoder().encode(`{"keys":[${jwk}]}`))
    const accepted = document.ok && readKeySet(document.value).ok
    expect(accepted).toBe(name.includes('public'))
  })
})
