// A trust domain for the world of test/support: its bundle stands at the issuer's address, beside the
// issuer's own keys, so that every test shows as well that a key's use counts.

import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type GenerateKeyPairResult,
  type JWTPayload,
} from 'jose'
import { hashOf } from '../../../src/authentication/thumbprint.ts'
import { behaviour, ISSUER, RESOURCE, sql } from '../../support/worker/world.ts'

export const DOMAIN = 'spiffe://prod.example'
export const REPORTER = `${DOMAIN}/ns/crm/sa/reporter`
export const STRANGER = `${DOMAIN}/ns/crm/sa/stranger`

const svidKeys = await generateKeyPair('ES256', { extractable: true })
const witKeys = await generateKeyPair('ES256', { extractable: true })
const held = await generateKeyPair('ES256', { extractable: true })
const heldJwk = { ...(await exportJWK(held.publicKey)), alg: 'ES256' }
export const heldThumbprint = await calculateJwkThumbprint(heldJwk)

/** JWT-SVID §2.1. One key of each kind, and under each algorithm a name of its own. */
export const SVID_ALGORITHMS = {
  RS256: 'RS256',
  RS384: 'RS256',
  RS512: 'RS256',
  PS256: 'RS256',
  PS384: 'RS256',
  PS512: 'RS256',
  ES256: 'ES256',
  ES384: 'ES384',
  ES512: 'ES512',
} as const

type SvidAlgorithm = keyof typeof SVID_ALGORITHMS

const pairs = new Map(
  await Promise.all(
    [...new Set(Object.values(SVID_ALGORITHMS))].map(
      async (kind) => [kind, await generateKeyPair(kind, { extractable: true })] as const,
    ),
  ),
)

function pairOf(algorithm: SvidAlgorithm): GenerateKeyPairResult {
  const pair = pairs.get(SVID_ALGORITHMS[algorithm])
  if (pair === undefined) throw new Error(`no key for ${algorithm}`)
  return pair
}

const algorithms = Object.keys(SVID_ALGORITHMS) as SvidAlgorithm[]

const bundle = [
  ...(await Promise.all(
    algorithms.map(async (alg) => ({
      ...(await exportJWK(pairOf(alg).publicKey)),
      kid: alg,
      alg,
      use: 'jwt-svid',
    })),
  )),
  { ...(await exportJWK(svidKeys.publicKey)), kid: 'jwt-1', use: 'jwt-svid' },
  { ...(await exportJWK(witKeys.publicKey)), kid: 'wit-1', use: 'wit-svid' },
]

const now = () => Math.floor(Date.now() / 1000)

/** For `beforeEach`: the row, its bundle, and a workload that may do what salespeople may. */
export async function trustWorkloads(): Promise<void> {
  const { jwks } = behaviour
  behaviour.jwks = async (request) => {
    const { keys } = await (await jwks(request)).json<{ keys: object[] }>()
    return Response.json({ spiffe_sequence: 7, keys: [...keys, ...bundle] })
  }
  await sql(
    `INSERT INTO issuers (tenant, url, jwks_uri, kind, algorithms)
      VALUES ('acme', '${DOMAIN}', '${ISSUER}/jwks.json', 'workload', '${JSON.stringify(algorithms)}')`,
    `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${DOMAIN}', '${REPORTER}'), ('acme', '${DOMAIN}', '${STRANGER}')`,
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${DOMAIN}', 'client', '${REPORTER}', 'sales')`,
    // A trust domain grants no scopes.
    "UPDATE servers SET required_scope = '' WHERE name = 'crm'",
  )
}

export const svid = (id = REPORTER, claims: JWTPayload = {}): Promise<string> =>
  new SignJWT({ sub: id, aud: RESOURCE, exp: now() + 120, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'jwt-1' })
    .sign(svidKeys.privateKey)

export async function svidBy(alg: string): Promise<string> {
  const algorithm = alg as SvidAlgorithm
  const key = await importJWK(await exportJWK(pairOf(algorithm).privateKey), algorithm)
  return new SignJWT({ sub: REPORTER, aud: RESOURCE, exp: now() + 120 })
    .setProtectedHeader({ alg, kid: alg, typ: 'JOSE' })
    .sign(key)
}

export const wit = (id = REPORTER, claims: JWTPayload = {}): Promise<string> =>
  new SignJWT({ sub: id, exp: now() + 600, cnf: { jwk: heldJwk }, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'wit-1', typ: 'wit+jwt' })
    .sign(witKeys.privateKey)

export const wpt = (witText: string, claims: JWTPayload = {}): Promise<string> =>
  new SignJWT({
    aud: RESOURCE,
    exp: now() + 60,
    jti: crypto.randomUUID(),
    wth: hashOf(witText),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'wpt+jwt' })
    .sign(held.privateKey)

/** The two headers, for a workload alone or beside this access token. */
export async function workloadHeaders(
  id = REPORTER,
  accessToken?: string,
  claims: JWTPayload = {},
): Promise<Record<string, string>> {
  const text = await wit(id)
  const ath = accessToken === undefined ? {} : { ath: hashOf(accessToken) }
  return {
    'workload-identity-token': text,
    'workload-proof-token': await wpt(text, { ...ath, ...claims }),
  }
}
