import { env } from 'cloudflare:workers'
import { createLocalJWKSet, jwtVerify, SignJWT, importJWK, type JWK } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import { sha256 } from '../../../src/sha256.ts'
import {
  introspect,
  isActive,
  jwks,
  lastClaims,
  lastShown,
  request,
  signsForCrm,
} from '../../support/worker/signed.ts'
import { call, inThisWorld, ISSUER, newUser, sql, token } from '../../support/worker/world.ts'

inThisWorld()
beforeEach(signsForCrm)

async function shown(options: Parameters<typeof token>[0] = {}): Promise<string> {
  const sub = options.sub ?? (await newUser())
  expect((await call('note', { token: await token({ ...options, sub }) })).code).toBe('allowed')
  return lastShown()
}

describe('a server that asks', () => {
  it('is told everything that the token says, but what is sealed', async () => {
    const text = await shown()
    const response = await introspect(text)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { sealed, ...said } = lastClaims()
    expect(sealed).toBeTypeOf('string')
    expect(await response.json()).toEqual({ active: true, token_type: 'Bearer', ...said })
  })

  it('may have it signed', async () => {
    const text = await shown()
    const response = await introspect(text, {
      headers: { accept: 'application/token-introspection+jwt' },
    })
    expect(response.headers.get('content-type')).toBe('application/token-introspection+jwt')
    const { payload } = await jwtVerify(await response.text(), createLocalJWKSet(await jwks()), {
      typ: 'token-introspection+jwt',
      audience: 'crm',
    })
    expect(payload['token_introspection']).toMatchObject({ active: true })
  })

  it.each([
    ['another password', { password: 'x' }, 401],
    ['no such server', { name: 'nobody' }, 401],
    ['a bearer token', { headers: { authorization: 'Bearer x' } }, 401],
    ['a password in the form', { headers: { authorization: '' } }, 401],
    ['GET', { method: 'GET' }, 405],
    ['JSON', { headers: { 'content-type': 'application/json' } }, 400],
    ['two tokens', { body: 'token=a&token=b' }, 400],
    ['no token', { body: '' }, 400],
    ['too much', { body: `token=${'x'.repeat(70_000)}` }, 400],
  ])('with %s is not answered', async (_what, options, status) => {
    const response = await introspect(await shown(), options)
    expect(response.status).toBe(status)
    expect(JSON.stringify(await response.json())).not.toContain('active')
  })

  it('is none any more from the moment its row knows no password', async () => {
    const text = await shown()
    await sql("UPDATE servers SET introspection_digest = NULL WHERE name = 'crm'")
    expect((await introspect(text)).status).toBe(401)
  })

  it('may change its password', async () => {
    const text = await shown()
    const digest = await sha256('another')
    await sql(`UPDATE servers SET introspection_digest = '${digest}' WHERE name = 'crm'`)
    expect(await isActive(text)).toBeUndefined()
    expect(await isActive(text, { password: 'another' })).toBe(true)
  })
})

const ROW = `'acme', '${ISSUER}'`
const revoke = (kind: string, id: string) =>
  `INSERT INTO revocations (tenant, issuer, kind, id) VALUES (${ROW}, '${kind}', '${id}')`

describe('a token holds no longer once', () => {
  it.each<[string, (its: { sub: string }) => string]>([
    ['its token is revoked', () => revoke('token', 'jti-1')],
    ['its login is revoked', () => revoke('token_session', 'sid-1')],
    ['its subject is revoked', ({ sub }) => revoke('subject', sub)],
    ['its client is revoked', () => revoke('client', 'acme-agent')],
    ['its agent is revoked', () => revoke('agent', 'bot')],
    ['its server is revoked', () => revoke('server', 'crm')],
    ['its tool is revoked', () => revoke('tool', 'crm/note')],
    ['a key of its issuer is revoked', () => revoke('issuer_key', 'k1')],
    ['its issuer is revoked', () => revoke('issuer', ISSUER)],
    ['its tenant is revoked', () => revoke('tenant', 'acme')],
    ['its task is revoked', () => revoke('task', 't1')],
    ['its consent is revoked', ({ sub }) => revoke('consent', `c-${sub}`)],
    ['its task is closed', () => `UPDATE tasks SET closed_at = ${Date.now()}, closed_by = 'x'`],
    ['its server is switched off', () => "UPDATE servers SET active = 0 WHERE name = 'crm'"],
    ['its issuer is switched off', () => 'UPDATE issuers SET active = 0'],
    ['its tenant is switched off', () => 'UPDATE tenants SET active = 0'],
    ['its client is switched off', () => 'UPDATE clients SET active = 0'],
    ['its client is gone', () => 'DELETE FROM clients'],
    ['its agent is switched off', () => 'UPDATE agents SET active = 0'],
    ['its tool is gone', () => "DELETE FROM tools WHERE name = 'note'"],
  ])('%s', async (_what, change) => {
    const sub = await newUser()
    await sql(
      "UPDATE servers SET consent_required = 1 WHERE name = 'crm'",
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool, expires_at)
         VALUES ('acme', 'c-${sub}', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'note', ${Date.now() + 60_000})`,
      `INSERT INTO tasks (tenant, id, issuer, subject, client, agent, purpose, opened_by, expires_at)
         VALUES ('acme', 't1', '${ISSUER}', '${sub}', 'acme-agent', 'bot', 'work', '${sub}', ${Date.now() + 60_000})`,
    )
    const text = await shown({
      sub,
      agent: 'bot',
      claims: { jti: 'jti-1', sid: 'sid-1' },
    })
    expect(await isActive(text)).toBe(true)
    await sql(change({ sub }))
    expect(await isActive(text)).toBe(false)
  })

  it('its time is over, though everything else holds', async () => {
    const exp = Math.floor(Date.now() / 1000) + 2
    const text = await shown({ claims: { exp } })
    expect(await isActive(text)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 50 - Date.now()))
    expect(await isActive(text)).toBe(false)
  })

  it('nobody can say so: 503, and neither yes nor no', async () => {
    const text = await shown()
    const broken = { ...env, DB: failing } as Env
    const response = await app.request(
      new Request('http://localhost:8787/introspect', {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: 'Basic Y3JtOng=',
        },
        body: new URLSearchParams({ token: text }).toString(),
      }),
      {},
      broken,
    )
    expect(response.status).toBe(503)
    expect(await response.json()).not.toHaveProperty('active')
  })
})

const failing = {
  withSession: () => {
    throw new Error('down')
  },
} as unknown as D1Database

describe('a token that is not what it looks like', () => {
  const parts = (text: string) => text.split('.') as [string, string, string]

  it('of another server is inactive here', async () => {
    const text = await shown()
    await sql(
      `INSERT INTO servers (name, tenant, url, credential, introspection_digest)
         SELECT 'desk', 'acme', url, 'signed', introspection_digest FROM servers WHERE name = 'crm'`,
    )
    // Even with one upstream behind both, and so one audience.
    expect(await isActive(text, { name: 'desk' })).toBe(false)
    expect(await isActive(text)).toBe(true)
  })

  it('of another tenant is inactive here', async () => {
    const text = await shown()
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO servers (name, tenant, url, credential, introspection_digest)
         SELECT 'theirs', 'globex', url, 'signed', introspection_digest FROM servers WHERE name = 'crm'`,
    )
    expect(await isActive(text, { name: 'theirs' })).toBe(false)
  })

  it.each<[string, (text: string) => Promise<string> | string]>([
    ['the client’s own', () => token()],
    ['nothing', () => ''],
    ['no token', () => 'x.y.z'],
    ['without a signature', (text) => `${parts(text)[0]}.${parts(text)[1]}.`],
    [
      'with another algorithm',
      (text) => `${btoa('{"alg":"none","typ":"at+jwt"}').replaceAll('=', '')}.${parts(text)[1]}.`,
    ],
    ['with other claims', (text) => changed(text, (claims) => ({ ...claims, sub: 'eve' }))],
    [
      'with another sealed claim',
      (text) =>
        changed(text, (claims) => ({
          ...claims,
          sealed: `${String(claims['sealed']).slice(0, -4)}AAAA`,
        })),
    ],
    ['written in another way', (text) => `${text}=`],
    ['signed by somebody else', async (text) => resigned(text, await strangersKey(), {})],
  ])('%s', async (_what, change) => {
    const text = await shown()
    expect(await isActive(await change(text))).toBe(false)
    expect(await isActive(text)).toBe(true)
  })

  // As if our own signing key were not the only thing between a forger and a yes.
  it.each<[string, (claims: Record<string, unknown>, other: string) => Record<string, unknown>]>([
    ['a sealed claim that was changed', ({ sealed }) => ({ sealed: flipped(String(sealed)) })],
    ['no sealed claim', () => ({ sealed: undefined })],
    ['a sealed claim that is a number', () => ({ sealed: 7 })],
    ['another audience', () => ({ aud: 'https://other.example/mcp' })],
    ['several audiences', ({ aud }) => ({ aud: [aud, 'https://other.example/mcp'] })],
    ['another issuer', () => ({ iss: ISSUER })],
    ['an end of the past', () => ({ exp: 1 })],
    ['no end', () => ({ exp: undefined })],
  ])('%s', async (_what, change) => {
    const text = await shown()
    const { keys } = JSON.parse((env as unknown as { SIGNING_KEYS: string }).SIGNING_KEYS) as {
      keys: JWK[]
    }
    const own = keys[0] ?? {}
    expect(await isActive(await resigned(text, own, {}))).toBe(true)
    expect(await isActive(await resigned(text, own, change(lastClaims(), text)))).toBe(false)
  })

  it('of another kind that we sign', async () => {
    const { keys } = JSON.parse((env as unknown as { SIGNING_KEYS: string }).SIGNING_KEYS) as {
      keys: JWK[]
    }
    const text = await resigned(await shown(), keys[0] ?? {}, {}, 'token-introspection+jwt')
    expect(await isActive(text)).toBe(false)
  })
})

const flipped = (text: string): string => {
  const at = text.length - 8
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

function changed(text: string, change: (claims: Record<string, unknown>) => object): string {
  const [header = '', payload = '', signature = ''] = text.split('.')
  const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<
    string,
    unknown
  >
  const again = btoa(JSON.stringify(change(claims)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
  return `${header}.${again}.${signature}`
}

async function strangersKey(): Promise<JWK> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
  ])) as CryptoKeyPair
  return {
    ...((await crypto.subtle.exportKey('jwk', pair.privateKey)) as JWK),
    kid: 's1',
    alg: 'ES256',
  }
}

async function resigned(
  text: string,
  key: JWK,
  claims: Record<string, unknown>,
  typ = 'at+jwt',
): Promise<string> {
  const payload = { ...lastClaims(), ...claims }
  expect(text).not.toBe('')
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', typ, kid: key.kid ?? '' })
    .sign(await importJWK({ ...key }, 'ES256'))
}

describe('our keys', () => {
  it('are public ones only, and for signing', async () => {
    const response = await request('/.well-known/jwks.json')
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] }
    expect(keys).toHaveLength(1)
    expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual([
      'alg',
      'crv',
      'kid',
      'kty',
      'use',
      'x',
      'y',
    ])
  })

  it('are not served under another name', async () => {
    const response = await app.request('http://evil.example/.well-known/jwks.json', {}, env)
    expect(response.status).toBe(403)
  })
})
