import type { JsonObject } from '../../../src/mcp/value.ts'
import { err, ok } from '../../../src/result.ts'
import type { Attack } from './attack.ts'
import { bearer, ISSUER, issuerRow, RESOURCE, SECONDS, token, type Members } from './token-smith.ts'

const asked = (introspection: { opaque: boolean; jwt: boolean }) =>
  new Map([
    [
      ISSUER,
      {
        ...issuerRow,
        introspection: {
          url: `${ISSUER}/introspect`,
          secret: 'INTROSPECTION_ACME',
          ...introspection,
        },
      },
    ],
  ])

const ANSWER: JsonObject = {
  active: true,
  sub: 'alice',
  client_id: 'acme-agent',
  aud: RESOURCE,
  exp: SECONDS + 100,
}

const without = (...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(ANSWER).filter(([name]) => !names.includes(name)))

const opaque = (name: string, answer: JsonObject, refusal: string, because: string): Attack => ({
  name: `introspected: ${name}`,
  credentials: async () => bearer('opaque-token'),
  context: { issuers: asked({ opaque: true, jwt: false }), introspect: async () => ok(answer) },
  refusal,
  because,
})

const jwt = (
  name: string,
  answer: JsonObject,
  refusal: string,
  because: string,
  claims: Members = {},
): Attack => ({
  name: `introspected JWT: ${name}`,
  credentials: async () => bearer(await token(claims)),
  context: {
    issuers: asked({ opaque: false, jwt: true }),
    introspect: async () => ok({ ...ANSWER, ...answer }),
  },
  refusal,
  because,
})

/** A text that must not be shown to an issuer: the one in the token smith throws when it is asked. */
const neverShown = (
  name: string,
  text: string | (() => Promise<string>),
  refusal: string,
  because: string,
): Attack => ({
  name: `never shown: ${name}`,
  credentials: async () => bearer(typeof text === 'string' ? text : await text()),
  context: { issuers: asked({ opaque: true, jwt: false }) },
  refusal,
  because,
})

export const INTROSPECTION_ATTACKS: readonly Attack[] = [
  opaque('without aud', without('aud'), 'audience', 'for whom?'),
  opaque(
    'for another server',
    { ...ANSWER, aud: 'https://mcp.example.com/mail/mcp' },
    'audience',
    'RFC 8707',
  ),
  opaque('without exp', without('exp'), 'claim', 'for ever'),
  opaque('expired', { ...ANSWER, exp: SECONDS - 5 }, 'expired', 'active is not enough'),
  opaque(
    'for a year',
    { ...ANSWER, exp: SECONDS + 31_536_000 },
    'lifetime',
    'the bound holds without `iat`',
  ),
  opaque('without sub', without('sub'), 'claim', 'nobody'),
  opaque('without client_id', without('client_id'), 'claim', 'a call must be bound to one client'),
  opaque(
    'of another issuer',
    { ...ANSWER, iss: 'https://evil.example' },
    'issuer',
    'the row says who',
  ),
  opaque('iss null', { ...ANSWER, iss: null }, 'issuer', 'present and wrong is not absent'),
  opaque('jti null', { ...ANSWER, jti: null }, 'claim', 'present and wrong is not absent'),
  opaque('iat null', { ...ANSWER, iat: null }, 'claim', 'present and wrong is not absent'),
  opaque('iat ahead', { ...ANSWER, iat: SECONDS + 61 }, 'not_yet_valid', 'as in a JWT'),
  opaque('bound to a key', { ...ANSWER, cnf: { jkt: 'A'.repeat(43) } }, 'bound', 'RFC 9449 §6.2'),
  opaque('bound in an unknown way', { ...ANSWER, cnf: { x: 'y' } }, 'bound', 'nobody checks it'),
  opaque(
    'a DPoP token without a key',
    { ...ANSWER, token_type: 'DPoP' },
    'bound',
    'RFC 9449 §5: bound, to we know not what',
  ),
  ...[
    { token_type: 'refresh_token' },
    { token_type: 'N_A' },
    { token_type: ['Bearer'] },
    { token_type: null },
    { token_use: 'refresh_token' },
    { token_use: 'id' },
    { typ: 'Refresh' },
    { typ: 'Offline' },
    { typ: 'ID' },
    { typ: '' },
  ].map((said) =>
    opaque(
      `of another kind: ${JSON.stringify(said)}`,
      { ...ANSWER, ...said },
      'type',
      'refresh tokens are active as well (RFC 7662 §2.2), and live for months',
    ),
  ),
  opaque('sub a list', { ...ANSWER, sub: ['alice'] }, 'claim', 'prints as alice'),
  {
    ...opaque('no longer active', ANSWER, 'inactive', 'RFC 7662 §2.2'),
    context: {
      issuers: asked({ opaque: true, jwt: false }),
      introspect: async () =>
        err({ at: 'authenticate', reason: 'token_invalid', fault: 'inactive', detail: '' }),
    },
  },
  {
    ...opaque(
      'nobody answers',
      ANSWER,
      'introspection_unavailable',
      'a good token must not be thrown away',
    ),
    context: {
      issuers: asked({ opaque: true, jwt: false }),
      introspect: async () => err({ at: 'authenticate', reason: 'introspection_unavailable' }),
    },
  },
  jwt('of another subject', { sub: 'admin' }, 'claim', 'two stories'),
  jwt('of another client', { client_id: 'other' }, 'claim', 'two stories'),
  jwt('by another name', { jti: 'token-2' }, 'claim', 'two stories'),
  jwt('with another actor', { act: { sub: 'bot' } }, 'claim', 'two stories'),
  jwt('bound, where the token is not', { cnf: { jkt: 'A'.repeat(43) } }, 'claim', 'two stories'),
  jwt('expired by now', { exp: SECONDS - 100 }, 'expired', 'the issuer knows better'),
  jwt(
    'with other details',
    { authorization_details: [{ type: 'mcp_tool', actions: ['delete_all'] }] },
    'claim',
    'two bounds',
    { authorization_details: '[{"type":"mcp_tool"}]' },
  ),
  neverShown(
    'a JWT of somebody else',
    () => token({ iss: '"https://other.example"' }),
    'issuer_unknown',
    'it may not be theirs',
  ),
  neverShown(
    'a re-spelled JWT',
    async () => `${await token()}==`,
    'spelling',
    'a second text of one token',
  ),
  neverShown('a JWE', 'AA.AA.AA.AA.AA', 'not_jwt', 'it may not be theirs'),
  neverShown('four parts', async () => `${await token()}.AAAA`, 'not_jwt', 'it may not be theirs'),
  neverShown('an ID token', () => token({}, { typ: '"JWT"' }), 'type', 'kinds exclude each other'),
  neverShown('16,385 letters', 'A'.repeat(16_385), 'spelling', 'bounded'),
]
