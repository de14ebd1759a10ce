import { attack, type Attack } from './attack.ts'
import {
  bearer,
  type Members,
  contextWith,
  issuerRow,
  ISSUER,
  token,
  tokenBy,
} from './token-smith.ts'

const raw = (
  name: string,
  authorization: string | null | (() => Promise<string>),
  refusal: string,
  because: string,
  more = {},
): Attack => ({
  name,
  credentials: async () => ({
    ...bearer(''),
    authorization: typeof authorization === 'function' ? await authorization() : authorization,
    ...more,
  }),
  refusal,
  because,
})

const CREDENTIALS: readonly Attack[] = [
  raw('no header', null, 'credentials_missing', 'the 401 that starts the flow'),
  raw('empty header', '', 'credentials_malformed', 'unreadable'),
  raw('Basic', 'Basic YWxpY2U6c2VjcmV0', 'credentials_missing', 'not a scheme of ours'),
  raw('no scheme', token, 'credentials_missing', 'the token is not a scheme'),
  raw(
    'scheme __proto__',
    '__proto__ x',
    'credentials_missing',
    'must not find an inherited member',
  ),
  raw('scheme only', 'Bearer', 'credentials_malformed', 'RFC 6750 §2.1'),
  raw('scheme and blanks', 'Bearer   ', 'credentials_malformed', 'RFC 6750 §2.1'),
  raw('colon', async () => `Bearer:${await token()}`, 'credentials_malformed', 'RFC 6750 §2.1'),
  raw(
    'tab',
    async () => `Bearer\t${await token()}`,
    'credentials_malformed',
    'RFC 9110 §11.4: blanks only',
  ),
  raw('quoted', async () => `Bearer "${await token()}"`, 'credentials_malformed', 'RFC 6750 §2.1'),
  raw(
    'two headers',
    async () => `Bearer ${await token()}, Bearer ${await token()}`,
    'credentials_malformed',
    'arrive joined',
  ),
  raw(
    'Basic and Bearer',
    async () => `Basic eDp5, Bearer ${await token()}`,
    'credentials_malformed',
    'arrive joined',
  ),
  raw(
    'two tokens',
    async () => `Bearer ${await token()} ${await token()}`,
    'credentials_malformed',
    'which one?',
  ),
  raw('query alone', null, 'credentials_malformed', 'RFC 6750 §2.3 is not offered', {
    tokenInQuery: true,
  }),
  raw(
    'query next to a header',
    async () => `Bearer ${await token()}`,
    'credentials_malformed',
    'two methods',
    { tokenInQuery: true },
  ),
  raw('DPoP scheme', async () => `DPoP ${await token()}`, 'bound', 'not checked, so not passed'),
  raw(
    'dpop scheme with proof',
    async () => `dpop ${await token()}`,
    'bound',
    'not checked, so not passed',
    { dpop: true },
  ),
  raw('Bearer with proof', async () => `Bearer ${await token()}`, 'bound', 'a silent downgrade', {
    dpop: true,
  }),
]

const withIssuer = (changes: Partial<typeof issuerRow>) =>
  contextWith({ issuers: new Map([[ISSUER, { ...issuerRow, ...changes }]]) })

const foreign = (name: string, payload: Members): Attack => ({
  ...attack(`tenant claim ${name}`, () => token(payload), 'tenant_mismatch', 'it fixes the tenant'),
  context: withIssuer({ tenantClaim: 'org' }),
})

const CONFIGURED: readonly Attack[] = [
  {
    ...attack('issuer switched off', () => token(), 'issuer_unknown', 'ends at once'),
    context: withIssuer({ active: false }),
  },
  {
    ...attack(
      'alg not of this issuer',
      () => tokenBy('RS256'),
      'algorithm',
      'the list is per issuer',
    ),
    context: withIssuer({ algorithms: ['ES256'] }),
  },
  {
    ...attack('row of another tenant', () => token(), 'tenant_mismatch', 'tenants never meet'),
    context: withIssuer({ tenant: 'globex' }),
  },
  foreign('absent', {}),
  foreign('of another tenant', { org: '"globex"' }),
  foreign('an array', { org: '["acme"]' }),
  foreign('in other letters', { org: '"ACME"' }),
  {
    ...attack('tenant claim inherited', () => token(), 'tenant_mismatch', 'nothing is inherited'),
    context: withIssuer({ tenantClaim: 'constructor' }),
  },
  {
    ...attack(
      'keys cannot be had',
      () => token(),
      'issuer_unavailable',
      'a good token must not be thrown away',
    ),
    context: { keys: { find: async () => 'unavailable' } },
  },
]

export const CREDENTIAL_ATTACKS: readonly Attack[] = [...CREDENTIALS, ...CONFIGURED]
