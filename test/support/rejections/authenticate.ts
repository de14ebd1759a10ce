import type { Rejection, SheetOf } from './rejection.ts'

const SECONDS = Math.floor(Date.now() / 1000)

const invalidToken = (what: string, token: Rejection['ask']['token'] & object): Rejection => ({
  what,
  ask: { token },
  status: 401,
  rpc: 40101,
  code: 'token_invalid',
})

export const AUTHENTICATE: SheetOf<'authenticate'> = {
  credentials_missing: [
    {
      what: 'no token',
      ask: { token: null },
      status: 401,
      rpc: 40101,
      code: 'credentials_missing',
    },
    {
      what: 'no token, whatever else is wrong',
      ask: { token: null, body: '{"jsonrpc":' },
      status: 401,
      rpc: 40101,
      code: 'credentials_missing',
    },
    {
      what: 'another scheme',
      ask: { token: null, headers: { authorization: 'Basic YTpi' } },
      status: 401,
      rpc: 40101,
      code: 'credentials_missing',
    },
  ],
  credentials_malformed: [
    {
      what: 'two credentials',
      ask: { token: null, headers: { authorization: 'Bearer a.b.c, Bearer a.b.c' } },
      status: 400,
      rpc: 40101,
      code: 'credentials_malformed',
    },
    {
      what: 'a token in the query',
      ask: { query: '?access_token=x' },
      status: 400,
      rpc: 40101,
      code: 'credentials_malformed',
    },
  ],
  status_list_unavailable: 'test/worker/authentication/status-list.test.ts',
  token_invalid: [
    { what: 'no JWT', ask: { token: 'abc' }, status: 401, rpc: 40101, code: 'token_invalid' },
    invalidToken('an expired token', { claims: { exp: SECONDS - 60 } }),
    invalidToken('a token for another server', {
      claims: { aud: 'http://localhost:8787/other/mcp' },
    }),
    invalidToken('an ID token', { header: { typ: 'JWT' } }),
    invalidToken('a token that lives for a day', { claims: { exp: SECONDS + 86_400 } }),
    invalidToken('a token without a subject', { claims: { sub: '' } }),
    invalidToken('a token that is bound to a key, as a bearer', { claims: { cnf: { jkt: 'x' } } }),
  ],
  issuer_unknown: [
    invalidToken('a token of an unknown issuer', { claims: { iss: 'https://evil.example' } }),
  ],
  tenant_mismatch: 'test/worker/attacks/tenants.test.ts',
  issuer_unavailable: 'test/stack/outages.test.ts',
  introspection_unavailable: 'test/stack/introspection.test.ts',
  proof_invalid: 'test/worker/authentication/dpop.test.ts',
  proof_nonce: 'test/worker/authentication/dpop.test.ts',
  workload_proof_invalid: 'test/worker/authentication/attacks.test.ts',
}
