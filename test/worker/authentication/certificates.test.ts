import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import {
  inThisWorld,
  newUser,
  RESOURCE,
  seen,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const FINGERPRINT = '5a'.repeat(32)
const THUMBPRINT = 'WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo'

const PRESENTED = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certFingerprintSHA256: FINGERPRINT,
}

const boundToken = async () =>
  token({ sub: await newUser(), claims: { cnf: { 'x5t#S256': THUMBPRINT } } })

/** The platform says of the connection what it wants; the client says what it wants in headers. */
const call = async (tlsClientAuth: unknown, headers: Record<string, string> = {}) =>
  app.fetch(
    new Request(RESOURCE, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await boundToken()}`,
        ...headers,
      },
      body: toolCall('note'),
      ...(tlsClientAuth === undefined ? {} : { cf: { tlsClientAuth } as never }),
    }),
    env,
    createExecutionContext(),
  )

describe('a certificate-bound token (RFC 8705 §3)', () => {
  it('is served over the connection of its certificate', async () => {
    expect((await call(PRESENTED)).status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  it.each([
    ['revoked, which still reads as verified', { ...PRESENTED, certRevoked: '1' }],
    ['not verified', { ...PRESENTED, certVerified: 'FAILED:self signed certificate' }],
    ['not presented', { ...PRESENTED, certPresented: '0' }],
    ['of somebody else', { ...PRESENTED, certFingerprintSHA256: 'ab'.repeat(32) }],
    ['absent', undefined],
    ['null', null],
  ])('is refused where the certificate is %s', async (_, tlsClientAuth) => {
    const response = await call(tlsClientAuth)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Bearer error="invalid_token"')
    expect(seen).toEqual([])
  })

  it('is not served for a header that says what only the platform can', async () => {
    for (const name of [
      'cf-client-cert-sha256',
      'cf-cert-verified',
      'cf-cert-presented',
      'cf-client-cert-der-base64',
      'client-cert',
      'x-client-cert',
      'x-forwarded-client-cert',
      'x-ssl-client-fingerprint',
    ]) {
      const response = await call(undefined, { [name]: FINGERPRINT })
      expect([name, response.status]).toEqual([name, 401])
    }
    expect(seen).toEqual([])
  })
})
