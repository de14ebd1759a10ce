// The object in workerd: what Node cannot show is storage, RPC and one isolate's own fetch.

import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import { credentialsOf } from '../../../src/authentication/credentials.ts'
import type { Issuer } from '../../../src/authentication/issuer.ts'
import { createKeySource } from '../../../src/authentication/keys.ts'

const resource = 'https://mcp.example.com/files/mcp'
const pair = await generateKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }

let serial = 0
function issuer(): Issuer {
  serial += 1
  const url = `https://login-${serial}.example.com`
  return {
    tenant: 'acme',
    url,
    jwksUri: `${url}/jwks.json`,
    algorithms: ['ES256'],
    tenantClaim: null,
    maxLifetimeSeconds: 3600,
    kind: 'oauth',
    audience: null,
    introspection: null,
    exchange: null,
    login: null,
    opensTasks: false,
    active: true,
  }
}

const stubOf = (uri: string) => env.ISSUER_KEYS.get(env.ISSUER_KEYS.idFromName(uri))

const source = () =>
  createKeySource({
    ask: (request) => stubOf(request.uri).keys(request),
    allowLoopback: false,
    now: () => Date.now(),
  })

const publish = (answer: () => Promise<Response>) =>
  vi.spyOn(globalThis, 'fetch').mockImplementation(answer)

const tokenOf = ({ url }: Issuer) =>
  new SignJWT({ client_id: 'agent', jti: 't' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
    .setIssuer(url)
    .setAudience(resource)
    .setSubject('alice')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(pair.privateKey)

afterEach(() => {
  vi.restoreAllMocks()
})

describe('issuer keys', () => {
  it('verify a token through the object', async () => {
    const fetched = publish(async () => Response.json({ keys: [jwk] }))
    const row = issuer()
    const result = await authenticate(
      credentialsOf(
        new Request(resource, { headers: { authorization: `Bearer ${await tokenOf(row)}` } }),
      ),
      {
        tenant: 'acme',
        resources: [resource],
        targets: [resource],
        introspect: () => Promise.reject(new Error('no row asks for it')),
        issuers: new Map([[row.url, row]]),
        keys: source(),
        now: () => Date.now(),
      },
    )
    expect(result.ok && result.value.subject).toBe('alice')
    expect(fetched).toHaveBeenCalledTimes(1)
  })

  it('are fetched once for many isolates that ask at once', async () => {
    const fetched = publish(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return Response.json({ keys: [jwk] })
    })
    const row = issuer()
    const found = await Promise.all(
      Array.from({ length: 30 }, () => source().find(row, 'k1', 'ES256')),
    )
    expect(found.every((key) => key instanceof CryptoKey)).toBe(true)
    expect(fetched).toHaveBeenCalledTimes(1)
  })

  it('are unavailable while the issuer is down, and unknown only where it answered', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    publish(async () => new Response('no', { status: 503 }))
    const row = issuer()
    expect(await source().find(row, 'k1', 'ES256')).toBe('unavailable')
    publish(async () => Response.json({ keys: [jwk] }))
    expect(await source().find(issuer(), 'k2', 'ES256')).toBe('unknown')
  })

  it('are kept in storage for a successor', async () => {
    publish(async () => Response.json({ keys: [jwk] }))
    const row = issuer()
    await source().find(row, 'k1', 'ES256')
    const stored = await runInDurableObject(stubOf(row.jwksUri), (_object, state) =>
      state.storage.get('good_set'),
    )
    expect(stored).toMatchObject({ version: 2, good: { keys: [{ kid: 'k1' }] } })
  })

  it('follow no redirect', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const fetched = publish(async () =>
      Response.redirect('https://elsewhere.example.com/jwks.json', 302),
    )
    expect(await source().find(issuer(), 'k1', 'ES256')).toBe('unavailable')
    expect(fetched).toHaveBeenCalledTimes(1)
  })
})
