import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import { readCertificate } from '../../../src/authentication/certificate.ts'
import type { Claims } from '../../../src/authentication/claims.ts'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { isSameTarget } from '../../../src/authentication/target.ts'
import { cellOf } from './attack.ts'
import { FINGERPRINT, PRESENTED, THUMBPRINT } from './attacks-on-bindings.ts'
import {
  boundTo,
  dpopCredentials,
  ecdsaTwin,
  jktOf,
  jwkOf,
  type ProofChanges,
} from './proof-smith.ts'
import {
  ALIAS,
  bearer,
  contextWith,
  NO_CREDENTIALS,
  RESOURCE,
  SECONDS,
  SIGNING_ALGORITHMS,
  token,
  type Members,
} from './token-smith.ts'

async function accepted(credentials: Credentials): Promise<Claims> {
  const result = await authenticate(credentials, contextWith())
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const provenBy = async (changes: ProofChanges = {}): Promise<Claims> =>
  accepted(await dpopCredentials(changes))

describe('a bound token with its proof', () => {
  it.each(SIGNING_ALGORITHMS)('passes with a proof by %s, and shows that key', async (by) => {
    const claims = await provenBy({ by })
    const thumbprint = await calculateJwkThumbprint(JSON.parse(jwkOf(by)) as object, 'sha256')
    expect(thumbprint).toBe(jktOf(by))
    expect(claims).toMatchObject({
      subject: 'alice',
      bindings: [{ kind: 'dpop', thumbprint }],
      senderConstrained: true,
      proofs: [{ kind: 'dpop', thumbprint, nonce: null }],
    })
  })

  it.each(['DPoP', 'dpop', 'DPOP', 'dPoP'])('passes as %s', async (scheme) => {
    const { authorization, ...rest } = await dpopCredentials()
    const text = (authorization ?? '').replace('DPoP', scheme)
    expect((await accepted({ ...rest, authorization: text })).subject).toBe('alice')
  })

  it.each([
    ['iat 60 s ahead', { payload: { iat: `${SECONDS + 60}` } }],
    ['iat 299 s ago', { payload: { iat: `${SECONDS - 299}` } }],
    ['a nonce and 59 s ago', { payload: { iat: `${SECONDS - 59}`, nonce: '"n"' } }],
    ['a jti of 256 bytes', { payload: { jti: `"${'j'.repeat(256)}"` } }],
    ['typ in other letters', { header: { typ: '"DPoP+JWT"' } }],
    ['typ in full', { header: { typ: '"application/dpop+jwt"' } }],
    ['the other name of Ed25519', { by: 'EdDSA', header: { alg: '"Ed25519"' } }],
    ['members that say nothing', { payload: { aud: '"x"', scope: '"all"' } }],
    ['its own bounds kept', { payload: { exp: `${SECONDS + 1}`, nbf: `${SECONDS + 60}` } }],
    [
      'a key with its kid and alg',
      {
        header: {
          jwk: jwkOf('ES256').replace(
            '{',
            '{"kid":"k","alg":"ES256","use":"sig","key_ops":["verify"],',
          ),
        },
      },
    ],
    [
      'a key whose members come in another order',
      {
        header: {
          jwk: JSON.stringify(
            Object.fromEntries(Object.entries(JSON.parse(jwkOf('ES256')) as object).toReversed()),
          ),
        },
      },
    ],
    [
      'a key beside addresses, which are never called',
      { header: { jku: '"https://evil.example"', x5u: '"https://evil.example"' } },
    ],
  ] satisfies [string, ProofChanges][])('passes at the bound: %s', async (_name, changes) => {
    const { by = 'ES256' }: ProofChanges = changes
    expect((await provenBy(changes)).bindings).toEqual([{ kind: 'dpop', thumbprint: jktOf(by) }])
  })

  it('may be bound to a certificate as well, and then shows both', async () => {
    const claims = { cnf: `{"jkt":"${jktOf('ES256')}","x5t#S256":"${THUMBPRINT}"}` }
    const both = await accepted(
      await dpopCredentials({}, { claims, certificate: readCertificate(PRESENTED) }),
    )
    expect(both.bindings).toEqual([
      { kind: 'dpop', thumbprint: jktOf('ES256') },
      { kind: 'certificate', thumbprint: THUMBPRINT },
    ])
  })

  it('is judged by the clock after its signature was verified', async () => {
    let now = SECONDS * 1000
    const context = contextWith({
      now: () => now,
      keys: {
        find: async (...asked) => {
          now += 400_000
          return contextWith().keys.find(...asked)
        },
      },
    })
    const claims: Members = { exp: `${SECONDS + 3000}` }
    const result = await authenticate(await dpopCredentials({}, { claims }), context)
    expect(result.ok ? 'accepted' : cellOf(result.error)).toBe('proof time')
  })

  it('is not looked at until the token itself is good', async () => {
    const { dpop } = await dpopCredentials()
    const text = await token({ ...boundTo('ES256'), aud: '"https://other.example"' })
    const credentials = { ...NO_CREDENTIALS, authorization: `DPoP ${text}`, dpop }
    const result = await authenticate(credentials, contextWith())
    expect(result.ok ? 'accepted' : cellOf(result.error)).toBe('audience')
  })
})

describe('the use of a proof', () => {
  const useOf = async (changes: ProofChanges = {}) => (await provenBy(changes)).proofs[0]

  it('has one name, whatever its text', async () => {
    const credentials = await dpopCredentials()
    const twin = { ...credentials, dpop: ecdsaTwin(credentials.dpop ?? '') }
    expect(twin.dpop).not.toBe(credentials.dpop)
    const [one] = (await accepted(credentials)).proofs
    const [other] = (await accepted(twin)).proofs
    expect(one?.id).toMatch(/^[0-9a-f]{64}$/)
    expect(other).toEqual(one)
    // Another text over other claims, signed by the holder: the same id all the same.
    expect((await useOf({ payload: { x: '1', htu: `"${RESOURCE}?q=1"` } }))?.id).toBe(one?.id)
    expect((await useOf({ payload: { iat: `${SECONDS - 9}` } }))?.id).toBe(one?.id)
  })

  it('has another name with another jti, key or address', async () => {
    const names = [
      await useOf(),
      await useOf({ payload: { jti: '"proof-2"' } }),
      await useOf({ by: 'EdDSA' }),
      await useOf({ payload: { htu: `"${ALIAS}"` } }),
    ].map((use) => use?.id)
    expect(new Set(names).size).toBe(4)
  })

  it('is forgotten only when the proof is refused for its age', async () => {
    expect((await useOf({ payload: { iat: `${SECONDS - 7}` } }))?.expiresAt).toBe(
      (SECONDS + 293) * 1000,
    )
    const use = await useOf({ payload: { iat: `${SECONDS - 7}`, nonce: '"n"' } })
    expect(use).toMatchObject({ nonce: 'n', expiresAt: (SECONDS + 53) * 1000 })
  })

  it('names no text of the proof or the token', async () => {
    const credentials = await dpopCredentials({ payload: { jti: '"a-very-peculiar-name"' } })
    const told = JSON.stringify((await accepted(credentials)).proofs)
    expect(told).not.toContain('peculiar')
    for (const part of (credentials.dpop ?? '').split('.')) expect(told).not.toContain(part)
  })
})

describe('a certificate-bound token', () => {
  const claims = { cnf: `{"x5t#S256":"${THUMBPRINT}"}` }

  it.each([FINGERPRINT, FINGERPRINT.toUpperCase()])('passes with its certificate', async (hex) => {
    const certificate = readCertificate({ ...PRESENTED, certFingerprintSHA256: hex })
    expect(await accepted({ ...bearer(await token(claims)), certificate })).toMatchObject({
      bindings: [{ kind: 'certificate', thumbprint: THUMBPRINT }],
      senderConstrained: true,
      proofs: [],
    })
  })

  it('is what binds, not the certificate: a plain token stays plain beside one', async () => {
    const certificate = readCertificate(PRESENTED)
    expect(await accepted({ ...bearer(await token()), certificate })).toMatchObject({
      bindings: [],
      senderConstrained: false,
    })
  })
})

describe('the address in a proof', () => {
  it.each([
    RESOURCE,
    `${RESOURCE}?session=1`,
    `${RESOURCE}#part`,
    `${RESOURCE}?a=/../b#c?d`,
    'HTTPS://mcp.example.com/files/mcp',
    'https://MCP.Example.COM/files/mcp',
    'https://mcp.example.com:443/files/mcp',
    'https://mcp.example.com:/files/mcp',
  ])('may be written as %s', (htu) => {
    expect(isSameTarget(htu, RESOURCE)).toBe(true)
  })

  it('may leave out the empty path and the default port, and is compared to the letter otherwise', () => {
    expect(isSameTarget('https://a.example', 'https://a.example/')).toBe(true)
    expect(isSameTarget('https://a.example/x%2Fy', 'https://a.example/x%2Fy')).toBe(true)
    expect(isSameTarget('https://a.example/x%2fy', 'https://a.example/x%2Fy')).toBe(false)
    expect(isSameTarget('http://localhost:8787/crm/mcp', 'http://localhost:8787/crm/mcp')).toBe(
      true,
    )
    expect(isSameTarget('http://[::1]:8787/crm/mcp', 'http://[::1]:8787/crm/mcp')).toBe(true)
    expect(isSameTarget('http://localhost:80/x', 'http://localhost/x')).toBe(true)
  })

  it('may be any of our own names, whichever was called', async () => {
    expect((await provenBy({ payload: { htu: `"${ALIAS}"` } })).subject).toBe('alice')
  })
})
