// Makes SVIDs, WITs and WPTs as raw text, with bundles of several trust domains around them.

import { base64url } from 'jose'
import type { AuthenticationContext } from '../../../../src/authentication/context.ts'
import type { Credentials } from '../../../../src/authentication/credentials.ts'
import type { Issuer } from '../../../../src/authentication/issuer.ts'
import { readKeySet } from '../../../../src/authentication/key-set.ts'
import { createKeySource } from '../../../../src/authentication/keys.ts'
import { hashOf } from '../../../../src/authentication/thumbprint.ts'
import { readDocument } from '../../../../src/exact-json.ts'
import {
  bearer,
  contextWith,
  ISSUER,
  issuerRow,
  json,
  NO_CREDENTIALS,
  NOW,
  RESOURCE,
  SECONDS,
  token,
  type Members,
} from '../token-smith.ts'

export const DOMAIN = 'spiffe://prod.example'
export const MESH = 'wimse://mesh.example'
export const WORKLOAD = `${DOMAIN}/ns/crm/sa/reporter`
export const MESH_WORKLOAD = `${MESH}/specific-workload`

const CURVES = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  RS256: rsa('RSASSA-PKCS1-v1_5', 256),
  RS384: rsa('RSASSA-PKCS1-v1_5', 384),
  RS512: rsa('RSASSA-PKCS1-v1_5', 512),
  PS256: rsa('RSA-PSS', 256),
  PS384: rsa('RSA-PSS', 384),
  PS512: rsa('RSA-PSS', 512),
  EdDSA: { name: 'Ed25519' },
} as const

function rsa(name: string, bits: 256 | 384 | 512) {
  const publicExponent = new Uint8Array([1, 0, 1])
  return {
    name,
    hash: `SHA-${bits}`,
    modulusLength: 2048,
    publicExponent,
    saltLength: bits / 8,
  } as const
}

export type SmithAlgorithm = keyof typeof CURVES
export const SVID_ALGORITHMS = (Object.keys(CURVES) as SmithAlgorithm[]).filter(
  (name) => name !== 'EdDSA',
)

/** A key by its algorithm and an owner: `ES256 prod`. Made when first asked for. */
const pairs = new Map<string, Promise<CryptoKeyPair>>()

function pairOf(algorithm: SmithAlgorithm, owner: string): Promise<CryptoKeyPair> {
  const name = `${algorithm} ${owner}`
  const known = pairs.get(name)
  if (known !== undefined) return known
  const made = crypto.subtle.generateKey(CURVES[algorithm], true, ['sign', 'verify'])
  pairs.set(name, made as Promise<CryptoKeyPair>)
  return made as Promise<CryptoKeyPair>
}

export interface Signer {
  readonly algorithm: SmithAlgorithm
  readonly owner: string
}

export const by = (owner: string, algorithm: SmithAlgorithm = 'ES256'): Signer => ({
  algorithm,
  owner,
})

/** The public part alone, without any other member. */
export async function publicPart(signer: Signer): Promise<Record<string, unknown>> {
  const pair = await pairOf(signer.algorithm, signer.owner)
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined),
  )
}

export async function privateJwk(signer: Signer): Promise<Record<string, unknown>> {
  const pair = await pairOf(signer.algorithm, signer.owner)
  const { d } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  return { ...(await publicPart(signer)), d }
}

/** Signs exactly these texts, whatever they say. */
export async function signAs(
  signer: Signer,
  header: string | Uint8Array,
  payload: string | Uint8Array,
): Promise<string> {
  const input = `${base64url.encode(header)}.${base64url.encode(payload)}`
  const { privateKey } = await pairOf(signer.algorithm, signer.owner)
  const bytes = new TextEncoder().encode(input)
  const signature = await crypto.subtle.sign(CURVES[signer.algorithm], privateKey, bytes)
  return `${input}.${base64url.encode(new Uint8Array(signature))}`
}

const SVID_HEADER: Members = { alg: '"ES256"', kid: '"jwt-1"', typ: '"JWT"' }

export const SVID: Members = {
  sub: `"${WORKLOAD}"`,
  aud: `"${RESOURCE}"`,
  iat: `${SECONDS - 10}`,
  exp: `${SECONDS + 290}`,
}

export const svid = (payload: Members = {}, header: Members = {}, signer = by('prod jwt')) =>
  signAs(signer, json({ ...SVID_HEADER, ...header }), json({ ...SVID, ...payload }))

/** The key that workloads hold here unless a test says otherwise. */
export const HELD = by('workload')

export const WIT_HEADER: Members = { alg: '"ES256"', kid: '"wit-1"', typ: '"wit+jwt"' }

export const WIT: Members = {
  sub: `"${WORKLOAD}"`,
  iat: `${SECONDS - 10}`,
  exp: `${SECONDS + 3000}`,
  jti: '"wit-token-1"',
  cnf: JSON.stringify({ jwk: { ...(await publicPart(HELD)), alg: 'ES256' } }),
}

export const wit = (payload: Members = {}, header: Members = {}, signer = by('prod wit')) =>
  signAs(signer, json({ ...WIT_HEADER, ...header }), json({ ...WIT, ...payload }))

export const MESH_HEADER: Members = { ...WIT_HEADER, kid: '"mesh-1"' }

export const meshWit = (payload: Members = {}, header: Members = {}) =>
  wit({ sub: `"${MESH_WORKLOAD}"`, ...payload }, { ...MESH_HEADER, ...header }, by('mesh'))

export const WPT_HEADER: Members = { alg: '"ES256"', typ: '"wpt+jwt"' }

export const wptPayload = (witText: string): Members => ({
  aud: `"${RESOURCE}"`,
  exp: `${SECONDS + 60}`,
  jti: '"proof-1"',
  wth: `"${hashOf(witText)}"`,
})

export const wpt = (
  witText: string,
  payload: Members = {},
  header: Members = {},
  signer: Signer = HELD,
) =>
  signAs(signer, json({ ...WPT_HEADER, ...header }), json({ ...wptPayload(witText), ...payload }))

/** A workload by itself. */
export const workloadAlone = (workloadToken: string, workloadProof: string): Credentials => ({
  ...NO_CREDENTIALS,
  workloadToken,
  workloadProof,
})

/** A workload beside somebody's token, which its proof names. */
export async function beside(
  accessToken: string,
  payload: Members = {},
  witPayload: Members = {},
): Promise<Credentials> {
  const workloadToken = await wit(witPayload)
  const ath = `"${hashOf(accessToken)}"`
  const workloadProof = await wpt(workloadToken, { ath, ...payload })
  return { ...bearer(accessToken), workloadToken, workloadProof }
}

export const userToken = (payload: Members = {}) => token(payload)

const trustDomain = (url: string, changes: Partial<Issuer> = {}): Issuer => ({
  ...issuerRow,
  kind: 'workload',
  url,
  jwksUri: `https://bundles.example.com/${url.replace('://', '-')}`,
  algorithms: [...SVID_ALGORITHMS, 'EdDSA'],
  ...changes,
})

export const prodRow = trustDomain(DOMAIN)
export const ISSUERS: ReadonlyMap<string, Issuer> = new Map(
  [
    issuerRow,
    prodRow,
    trustDomain(MESH),
    trustDomain('spiffe://other.example'),
    trustDomain('spiffe://gone.example', { active: false }),
    trustDomain('spiffe://theirs.example', { tenant: 'globex' }),
    trustDomain('spiffe://many.example', { tenantClaim: 'org' }),
    // Somebody wrote the wrong kind: it must not vouch for workloads.
    trustDomain('spiffe://oauth.example', { kind: 'oauth' }),
  ].map((issuer) => [issuer.url, issuer]),
)

async function bundle(...keys: (readonly [string, Signer, Record<string, unknown>])[]) {
  const jwks = await Promise.all(
    keys.map(async ([kid, signer, extra]) => ({ ...(await publicPart(signer)), kid, ...extra })),
  )
  // As SPIRE publishes it, with a version that a double cannot hold.
  const text = `{"spiffe_sequence":9223372036854775807,"spiffe_refresh_hint":300,"keys":${JSON.stringify(jwks)}}`
  const document = readDocument(new TextEncoder().encode(text))
  if (!document.ok) throw new Error(document.error)
  const set = readKeySet(document.value)
  if (!set.ok) throw new Error(set.error)
  return set.value
}

const own = (name: string) =>
  bundle(
    ['jwt-1', by(`${name} jwt`), { use: 'jwt-svid' }],
    ['wit-1', by(`${name} wit`), { use: 'wit-svid' }],
    ['sig-1', by(`${name} sig`), { use: 'sig' }],
    ['bare-1', by(`${name} bare`), {}],
    ['x509-1', by(`${name} x509`), { use: 'x509-svid', x5c: ['AAAA'] }],
    ...(name === 'prod'
      ? [...SVID_ALGORITHMS, 'EdDSA' as const].map(
          (algorithm) =>
            [algorithm, by('prod', algorithm), { use: 'jwt-svid', alg: algorithm }] as const,
        )
      : []),
  )

const BUNDLES = new Map([
  [prodRow.jwksUri, await own('prod')],
  [ISSUERS.get('spiffe://other.example')?.jwksUri, await own('other')],
  [ISSUERS.get('spiffe://gone.example')?.jwksUri, await own('prod')],
  [ISSUERS.get('spiffe://theirs.example')?.jwksUri, await own('prod')],
  [ISSUERS.get('spiffe://many.example')?.jwksUri, await own('prod')],
  [ISSUERS.get('spiffe://oauth.example')?.jwksUri, await own('prod')],
  [
    ISSUERS.get(MESH)?.jwksUri,
    await bundle(
      ['mesh-1', by('mesh'), { use: 'sig' }],
      ['svid-1', by('mesh svid'), { use: 'wit-svid' }],
      ['bare-1', by('mesh bare'), {}],
    ),
  ],
])

const bundles = createKeySource({
  ask: async ({ uri }) => ({
    keys: BUNDLES.get(uri) ?? [],
    fetchedAt: NOW,
    goodForMs: 300_000,
    miss: 'unknown',
    missForMs: 30_000,
  }),
  allowLoopback: false,
  now: () => NOW,
})

export function workloadContext(
  changes: Partial<AuthenticationContext> = {},
): AuthenticationContext {
  const users = contextWith().keys
  return contextWith({
    issuers: ISSUERS,
    keys: {
      find: (issuer, ...asked) => (issuer.url === ISSUER ? users : bundles).find(issuer, ...asked),
    },
    ...changes,
  })
}
