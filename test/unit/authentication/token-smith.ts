// Makes tokens as raw text, so that a test can write what no library would sign.

import { base64url, exportJWK } from 'jose'
import type { AuthenticationContext } from '../../../src/authentication/context.ts'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import type { Algorithm, Issuer } from '../../../src/authentication/issuer.ts'
import { readKeySet } from '../../../src/authentication/key-set.ts'
import { createKeySource, type KeySource } from '../../../src/authentication/keys.ts'
import { readObject } from '../../../src/exact-json.ts'

export const NOW = 1_800_000_000_000
export const SECONDS = NOW / 1000
export const ISSUER = 'https://login.example.com/acme'
export const RESOURCE = 'https://mcp.example.com/files/mcp'
export const ALIAS = 'https://alias.example.com/files/mcp'

const CURVES = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  EdDSA: { name: 'Ed25519' },
  RS256: rsa('RSASSA-PKCS1-v1_5'),
  PS256: { ...rsa('RSA-PSS'), saltLength: 32 },
} as const

function rsa(name: string) {
  const publicExponent = new Uint8Array([1, 0, 1])
  return { name, hash: 'SHA-256', modulusLength: 2048, publicExponent } as const
}

export type SigningAlgorithm = keyof typeof CURVES
export const SIGNING_ALGORITHMS = Object.keys(CURVES) as SigningAlgorithm[]

const pairs = new Map<SigningAlgorithm, CryptoKeyPair>()
for (const algorithm of SIGNING_ALGORITHMS) {
  const pair = await crypto.subtle.generateKey(CURVES[algorithm], true, ['sign', 'verify'])
  pairs.set(algorithm, pair as CryptoKeyPair)
}

export function pairOf(algorithm: SigningAlgorithm): CryptoKeyPair {
  const pair = pairs.get(algorithm)
  if (pair === undefined) throw new Error(`no key for ${algorithm}`)
  return pair
}

/** The public key as its issuer would publish it. */
export async function publicJwk(algorithm: SigningAlgorithm): Promise<Record<string, unknown>> {
  const { kty, crv, x, y, n, e } = await exportJWK(pairOf(algorithm).publicKey)
  const jwk = { kty, crv, x, y, n, e, kid: algorithm, alg: algorithm, use: 'sig' }
  return Object.fromEntries(Object.entries(jwk).filter(([, value]) => value !== undefined))
}

/** Members in JSON text: `'1e400'` is a number here, and `'"a"'` a string. */
export type Members = Readonly<Record<string, string>>

export const HEADER: Members = { typ: '"at+jwt"', alg: '"ES256"', kid: '"ES256"' }

export const PAYLOAD: Members = {
  iss: `"${ISSUER}"`,
  aud: `"${RESOURCE}"`,
  sub: '"alice"',
  client_id: '"acme-agent"',
  jti: '"token-1"',
  iat: `${SECONDS - 10}`,
  exp: `${SECONDS + 290}`,
  scope: '"mcp:read mcp:write"',
}

export function json(members: Members): string {
  const parts = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  return `{${parts.join(',')}}`
}

/** All members but the named ones. */
export function without(members: Members, ...names: string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
}

const encode = (text: string | Uint8Array): string => base64url.encode(text)

/** Signs exactly these texts; `by` is the key, whatever the header says. */
export async function sign(
  header: string | Uint8Array,
  payload: string | Uint8Array,
  by: SigningAlgorithm = 'ES256',
): Promise<string> {
  const input = `${encode(header)}.${encode(payload)}`
  const bytes = new TextEncoder().encode(input)
  const signature = await crypto.subtle.sign(CURVES[by], pairOf(by).privateKey, bytes)
  return `${input}.${encode(new Uint8Array(signature))}`
}

/** A token of the issuer with some members changed. */
export function token(
  payload: Members = {},
  header: Members = {},
  by: SigningAlgorithm = 'ES256',
): Promise<string> {
  return sign(json({ ...HEADER, ...header }), json({ ...PAYLOAD, ...payload }), by)
}

export function tokenBy(algorithm: SigningAlgorithm): Promise<string> {
  return token({}, { alg: `"${algorithm}"`, kid: `"${algorithm}"` }, algorithm)
}

export const issuerRow: Issuer = {
  tenant: 'acme',
  url: ISSUER,
  jwksUri: 'https://login.example.com/acme/jwks.json',
  algorithms: [...SIGNING_ALGORITHMS, 'Ed25519'] satisfies Algorithm[],
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

const jwks = { keys: await Promise.all(SIGNING_ALGORITHMS.map(publicJwk)) }
const document = readObject(new TextEncoder().encode(JSON.stringify(jwks)))
if (!document.ok) throw new Error(document.error)
const keySet = readKeySet(document.value)
if (!keySet.ok) throw new Error(keySet.error)

/** The real key source over a set that never changes. */
export const keys: KeySource = createKeySource({
  ask: async () => ({
    keys: keySet.value,
    fetchedAt: NOW,
    goodForMs: 300_000,
    miss: 'unknown',
    missForMs: 30_000,
  }),
  allowLoopback: false,
  now: () => NOW,
})

export function contextWith(changes: Partial<AuthenticationContext> = {}): AuthenticationContext {
  return {
    tenant: 'acme',
    resources: [RESOURCE, ALIAS],
    targets: [RESOURCE, ALIAS],
    issuers: new Map([[ISSUER, issuerRow]]),
    keys,
    introspect: async () => {
      throw new Error('nobody is asked about tokens here')
    },
    now: () => NOW,
    ...changes,
  }
}

export const NO_CREDENTIALS: Credentials = {
  authorization: null,
  dpop: null,
  workloadToken: null,
  workloadProof: null,
  transactionToken: null,
  tokenInQuery: false,
  certificate: null,
  method: 'POST',
}

export const bearer = (text: string): Credentials => ({
  ...NO_CREDENTIALS,
  authorization: `Bearer ${text}`,
})
