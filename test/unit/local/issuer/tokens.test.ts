import { exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { parsePrivateKey } from '../../../../local/issuer/config.ts'
import { signAccessToken, type TokenRequest } from '../../../../local/issuer/tokens.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const key = parsePrivateKey(JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'k1' }))

const request: TokenRequest = {
  issuer: 'http://127.0.0.1:8788',
  subject: 'alice',
  client: 'acme-agent',
  resource: 'http://127.0.0.1:8787/demo/mcp',
  scope: 'demo:use',
  tenant: 'acme',
}

async function claimsAndHeader(changes: Partial<TokenRequest> = {}) {
  const token = await signAccessToken(key, { ...request, ...changes })
  // A token that lapsed on purpose is read as of the moment it was good.
  const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
    currentDate: new Date(0),
  })
  return { claims: payload, header: protectedHeader }
}

test('a token has the form and the claims of RFC 9068', async () => {
  const { claims, header } = await claimsAndHeader()
  expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
  expect(claims).toEqual({
    iss: request.issuer,
    sub: 'alice',
    aud: request.resource,
    client_id: 'acme-agent',
    iat: expect.any(Number),
    exp: (claims.iat ?? 0) + 300,
    jti: expect.any(String),
    scope: 'demo:use',
    tenant: 'acme',
  })
})

test('an agent is the actor (RFC 8693 §4.1), a task is a claim', async () => {
  const { claims } = await claimsAndHeader({ agent: 'mail-bot', task: 't1' })
  expect(claims['act']).toEqual({ sub: 'mail-bot' })
  expect(claims['txn']).toBe('t1')
})

test('overrides replace, add and take away', async () => {
  const { claims, header } = await claimsAndHeader({
    type: 'JWT',
    lifetimeSeconds: -10,
    overrides: { tenant: null, scope: 'other', extra: true },
  })
  expect(header.typ).toBe('JWT')
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(-10)
  expect(claims).not.toHaveProperty('tenant')
  expect(claims).toMatchObject({ scope: 'other', extra: true })
})
