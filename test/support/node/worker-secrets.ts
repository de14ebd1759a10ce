import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** A private key as SIGNING_KEYS has it, made anew for each run. */
export const signingKey = (kid: string) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid,
  alg: 'ES256',
})

export const sealingKey = (kid: string) => ({
  kty: 'oct',
  k: randomBytes(32).toString('base64url'),
  kid,
})

export const keySet = (...keys: readonly object[]): string => JSON.stringify({ keys })

const ISSUER = { origin: 'https://issuer.example', client_id: 'sallyport', client_secret: 'c' }
const CRM = { origin: 'https://crm.example', header: 'x-api-key', value: 'k-4711' }

/** What an operator would store with `wrangler secret put`, for the world of the worker tests. */
export const workerSecrets = () => ({
  SIGNING_KEYS: keySet(signingKey('s1')),
  SEALING_KEYS: keySet(sealingKey('e1')),
  EXCHANGE_ACME: JSON.stringify({ tenant: 'acme', ...ISSUER }),
  EXCHANGE_GLOBEX: JSON.stringify({ tenant: 'globex', ...ISSUER }),
  EXCHANGE_ELSEWHERE: JSON.stringify({
    tenant: 'acme',
    ...ISSUER,
    origin: 'https://other.example',
  }),
  EXCHANGE_PARTNER: JSON.stringify({
    tenant: 'acme',
    ...ISSUER,
    origin: 'https://partner.example',
  }),
  UPSTREAM_CRM: JSON.stringify({ tenant: 'acme', ...CRM }),
  UPSTREAM_GLOBEX: JSON.stringify({ tenant: 'globex', ...CRM }),
  UPSTREAM_ELSEWHERE: JSON.stringify({ tenant: 'acme', ...CRM, origin: 'https://other.example' }),
  UPSTREAM_HOST: JSON.stringify({ tenant: 'acme', ...CRM, header: 'host' }),
  UPSTREAM_LINES: JSON.stringify({ tenant: 'acme', ...CRM, value: 'a\r\nx-more: b' }),
})
