import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import { withExchange } from '../../support/worker/exchange.ts'
import { signsForCrm } from '../../support/worker/signed.ts'
import { inThisWorld, ORIGIN } from '../../support/worker/world.ts'

inThisWorld()

interface Health {
  readonly status: string
  readonly reasons: readonly string[]
}

/** Of a deployment with these secrets. */
async function healthOf(changed: Partial<Env>): Promise<Health> {
  const response = await app.request(`${ORIGIN}/healthz`, {}, { ...env, ...changed })
  // Other servers are served.
  expect(response.status).toBe(200)
  return response.json()
}

const without = (...names: readonly string[]): Partial<Env> =>
  Object.fromEntries(names.map((name) => [name, undefined])) as Partial<Env>

const MALFORMED = { SIGNING_KEYS: '{"keys":[{"kty":"EC","d":"c2VjcmV0"}]}' } as Partial<Env>

describe('/healthz, where servers are shown what Sallyport signs,', () => {
  it('names keys that are missing or malformed, and nothing of them', async () => {
    await signsForCrm()
    expect((await healthOf({})).reasons).toEqual([])
    expect((await healthOf(without('SIGNING_KEYS', 'SEALING_KEYS'))).reasons).toEqual([
      'SIGNING_KEYS: there is no such secret',
      'SEALING_KEYS: there is no such secret',
    ])
    const malformed = await healthOf(MALFORMED)
    expect(malformed).toMatchObject({
      status: 'ok',
      reasons: ['SIGNING_KEYS: a key has no `kid`, or two have one'],
    })
    expect(JSON.stringify(malformed)).not.toContain('c2VjcmV0')
  })
})

describe('/healthz, where tokens are exchanged,', () => {
  withExchange()
  it('names the one secret that they are kept with', async () => {
    expect((await healthOf(without('SIGNING_KEYS', 'SEALING_KEYS'))).reasons).toEqual([
      'SEALING_KEYS: there is no such secret',
    ])
  })
})

describe('/healthz, where nothing of the kind is shown,', () => {
  it('asks for no keys', async () => {
    expect((await healthOf(without('SIGNING_KEYS', 'SEALING_KEYS'))).reasons).toEqual([])
  })
})

describe('the published set', () => {
  it('is not kept by anybody while the secret cannot be read', async () => {
    const asked = async (changed: Partial<Env>) =>
      app.request(`${ORIGIN}/.well-known/jwks.json`, {}, { ...env, ...changed })
    const broken = await asked(MALFORMED)
    expect(await broken.json()).toEqual({ keys: [] })
    expect(broken.headers.get('cache-control')).toBe('no-store')
    expect((await asked({})).headers.get('cache-control')).toBe('public, max-age=300')
  })
})
