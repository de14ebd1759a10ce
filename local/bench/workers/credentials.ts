import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import type { AuthenticationContext } from '../../../src/authentication/context.ts'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import type { Algorithm, Issuer } from '../../../src/authentication/issuer.ts'
import { readKeySet } from '../../../src/authentication/key-set.ts'
import { createKeySource } from '../../../src/authentication/keys.ts'
import { hashOf, thumbprintOf } from '../../../src/authentication/thumbprint.ts'

/**
 * Door one alone, with keys that are warm. Different tokens in turn, so that nothing is found again.
 * A Worker's clock stands still while it computes, so whoever asks takes the time.
 */
const URL_OF_ISSUER = 'https://issuer.example'
const RESOURCE = 'https://mcp.example/crm/mcp'
const DIFFERENT = 64

const NONE: Credentials = {
  authorization: null,
  dpop: null,
  workloadToken: null,
  workloadProof: null,
  transactionToken: null,
  tokenInQuery: false,
  certificate: null,
  method: 'POST',
}

interface Made {
  readonly context: AuthenticationContext
  readonly credentials: readonly Credentials[]
}

async function make(algorithm: Algorithm, bound: boolean): Promise<Made> {
  const signer = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(signer.publicKey)), kid: 'k', alg: algorithm, use: 'sig' }
  const set = readKeySet(JSON.parse(JSON.stringify({ keys: [jwk] })) as never)
  if (!set.ok) throw new Error(set.error)
  const madeAt = Date.now()
  const issuer: Issuer = {
    tenant: 'acme',
    kind: 'oauth',
    url: URL_OF_ISSUER,
    jwksUri: `${URL_OF_ISSUER}/jwks`,
    algorithms: [algorithm],
    tenantClaim: null,
    audience: null,
    maxLifetimeSeconds: 3600,
    introspection: null,
    exchange: null,
    login: null,
    opensTasks: false,
    active: true,
  }
  const context: AuthenticationContext = {
    tenant: 'acme',
    resources: [RESOURCE],
    targets: [RESOURCE],
    issuers: new Map([[URL_OF_ISSUER, issuer]]),
    keys: createKeySource({
      ask: async () => ({
        keys: set.value,
        fetchedAt: madeAt,
        goodForMs: 300_000,
        miss: 'unknown',
        missForMs: 30_000,
      }),
      allowLoopback: false,
      now: () => madeAt,
    }),
    introspect: () => Promise.reject(new Error('nobody is asked here')),
    now: () => madeAt,
  }
  const client = await generateKeyPair('ES256', { extractable: true })
  const { kty, crv, x = '', y = '' } = await exportJWK(client.publicKey)
  if (kty !== 'EC' || crv === undefined) throw new Error('not an EC key')
  const clientKey = { kty: 'EC', crv, x, y } as const
  const seconds = Math.floor(madeAt / 1000)
  const credentials: Credentials[] = []
  for (let number = 0; number < DIFFERENT; number += 1) {
    const token = await new SignJWT({
      iss: URL_OF_ISSUER,
      sub: `user-${number}`,
      aud: RESOURCE,
      client_id: 'client-1',
      scope: 'crm',
      jti: crypto.randomUUID(),
      iat: seconds,
      exp: seconds + 300,
      ...(bound ? { cnf: { jkt: thumbprintOf(clientKey) } } : {}),
    })
      .setProtectedHeader({ alg: algorithm, kid: 'k', typ: 'at+jwt' })
      .sign(signer.privateKey)
    const proof = await new SignJWT({
      jti: base64url.encode(crypto.getRandomValues(new Uint8Array(16))),
      htm: 'POST',
      htu: RESOURCE,
      iat: seconds,
      ath: hashOf(token),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: clientKey })
      .sign(client.privateKey)
    credentials.push({
      ...NONE,
      authorization: `${bound ? 'DPoP' : 'Bearer'} ${token}`,
      dpop: bound ? proof : null,
    })
  }
  return { context, credentials }
}

const made = new Map<string, Made>()

export default {
  async fetch(incoming: Request): Promise<Response> {
    const { searchParams } = new URL(incoming.url)
    const algorithm = searchParams.get('algorithm') as Algorithm
    const bound = searchParams.has('bound')
    const name = `${algorithm} ${bound}`
    const { context, credentials } = made.get(name) ?? (await make(algorithm, bound))
    made.set(name, { context, credentials })
    let accepted = 0
    for (let asked = 0; asked < Number(searchParams.get('times')); asked += 1) {
      const one = credentials[asked % DIFFERENT]
      if (one !== undefined && (await authenticate(one, context)).ok) accepted += 1
    }
    return Response.json({ accepted })
  },
} satisfies ExportedHandler
