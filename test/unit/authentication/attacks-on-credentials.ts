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
  raw(
    'DPoP scheme',
    async () => `DPoP ${await token()}`,
    'proof missing',
    'a plain token under the better name',
  ),
  raw(
    'dpop scheme with proof',
    async () => `dpop ${await token()}`,
    'bound',
    'whoever stole the token could have made the proof',
    { dpop: 'e30.e30.AA' },
  ),
  raw('Bearer with proof', async () => `Bearer ${await token()}`, 'bound', 'a silent downgrade', {
    dpop: 'e30.e30.AA',
  }),
  raw('Bearer with an empty proof', async () => `Bearer ${await token()}`, 'bound', 'as above', {
    dpop: '',
  }),
  raw('a proof alone', null, 'credentials_missing', 'proves a key, names nobody', {
    dpop: 'e30.e30.AA',
  }),
  raw(
    'the scheme `workload`',
    async () => `Workload ${await token()}`,
    'credentials_missing',
    'the name of a row that is no Authorization scheme',
  ),
  raw(
    'the scheme `constructor`',
    async () => `constructor ${await token()}`,
    'credentials_missing',
    'must not find an inherited member',
  ),
  raw(
    'Bearer and DPoP',
    async () => `Bearer ${await token()}, DPoP ${await token()}`,
    'credentials_malformed',
    'arrive joined',
  ),
  raw(
    'a comma after the token',
    async () => `Bearer ${await token()},`,
    'credentials_malformed',
    'an empty second credential',
  ),
  raw(
    'parameters after the token',
    async () => `Bearer ${await token()} realm="x"`,
    'credentials_malformed',
    'token68 stands alone',
  ),
  raw(
    'a no-break space',
    async () => `Bearer\u00a0${await token()}`,
    'credentials_malformed',
    'a blank to some trimmers',
  ),
  raw(
    'a blank before the scheme',
    async () => ` Bearer ${await token()}`,
    'credentials_malformed',
    'the platform trims; nobody else may',
  ),
  raw(
    'padding of a token68',
    async () => `Bearer ${await token()}=`,
    'spelling',
    'allowed by the grammar, and a second text of one token',
  ),
  raw(
    'a header of 100,000 letters',
    async () => `Bearer ${'A'.repeat(100_000)}`,
    'spelling',
    'bounded before anything is decoded',
  ),
  raw('a workload token without its proof', null, 'workload_proof_invalid', 'half a credential', {
    workloadToken: 'e30.e30.AA',
  }),
  raw('a workload proof without its token', null, 'credentials_malformed', 'half a credential', {
    workloadProof: 'e30.e30.AA',
  }),
  raw(
    'a workload token beside a token, without its proof',
    async () => `Bearer ${await token()}`,
    'workload_proof_invalid',
    'half a credential is not overlooked',
    { workloadToken: 'e30.e30.AA' },
  ),
  raw(
    'a workload proof beside a token, without its token',
    async () => `Bearer ${await token()}`,
    'workload_proof_invalid',
    'half a credential is not overlooked',
    { workloadProof: 'e30.e30.AA' },
  ),
  raw('a DPoP proof beside a workload', null, 'credentials_malformed', 'a proof of no token', {
    workloadToken: 'e30.e30.AA',
    workloadProof: 'e30.e30.AA',
    dpop: 'e30.e30.AA',
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
  ...(['workload', 'access'] as const).map((kind): Attack => ({
    ...attack(
      `issuer that speaks for others: ${kind}`,
      () => token(),
      'issuer_unknown',
      'what it signs is no access token',
    ),
    context: withIssuer({ kind }),
  })),
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
