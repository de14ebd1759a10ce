import { base64url } from 'jose'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { readCertificate } from '../../../src/authentication/certificate.ts'
import { claim, type Attack } from './attack.ts'
import { boundTo, dpopCredentials, jktOf, respelled } from './proof-smith.ts'
import { bearer, token, type Members } from './token-smith.ts'

/** SHA-256 of some certificate, in hex as the platform gives it and in base64url as tokens do. */
export const FINGERPRINT = '9d3f'.repeat(16)
export const THUMBPRINT = base64url.encode(
  Uint8Array.from(FINGERPRINT.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
)

export const PRESENTED = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certFingerprintSHA256: FINGERPRINT,
} as const

const cnf = (text: string): Members => ({ cnf: text })
const certificateBound = cnf(`{"x5t#S256":"${THUMBPRINT}"}`)

const withCertificate = (
  name: string,
  tlsClientAuth: unknown,
  because: string,
  claims: Members = certificateBound,
): Attack => ({
  name: `certificate: ${name}`,
  credentials: async (): Promise<Credentials> => ({
    ...bearer(await token(claims)),
    certificate: readCertificate(tlsClientAuth),
  }),
  tlsClientAuth,
  refusal: 'bound',
  because,
})

const CERTIFICATES: readonly Attack[] = [
  withCertificate('absent', undefined, 'RFC 8705 §3'),
  withCertificate('null', null, 'no TLS client authentication'),
  withCertificate(
    'the placeholder',
    { certPresented: '0', certVerified: 'NONE', certRevoked: '0', certFingerprintSHA256: '' },
    'nothing was presented',
  ),
  withCertificate('revoked', { ...PRESENTED, certRevoked: '1' }, 'still reads as verified'),
  withCertificate(
    'self-signed',
    { ...PRESENTED, certVerified: 'FAILED:self signed certificate' },
    'not verified',
  ),
  withCertificate(
    'expired',
    { ...PRESENTED, certVerified: 'FAILED:certificate has expired' },
    'not verified',
  ),
  withCertificate(
    'verified in other letters',
    { ...PRESENTED, certVerified: 'success' },
    'one spelling',
  ),
  withCertificate('verified as a flag', { ...PRESENTED, certVerified: true }, 'strings, always'),
  withCertificate('presented as a number', { ...PRESENTED, certPresented: 1 }, 'strings, always'),
  withCertificate('presented as a flag', { ...PRESENTED, certPresented: true }, 'strings, always'),
  withCertificate(
    'not presented, yet verified',
    { ...PRESENTED, certPresented: '0' },
    '`"0"` is true to a careless comparison',
  ),
  withCertificate(
    'revocation unknown',
    { ...PRESENTED, certRevoked: undefined },
    'not known is not good',
  ),
  withCertificate('revocation as a number', { ...PRESENTED, certRevoked: 0 }, 'strings, always'),
  withCertificate('revocation empty', { ...PRESENTED, certRevoked: '' }, 'not known is not good'),
  withCertificate(
    'of somebody else',
    { ...PRESENTED, certFingerprintSHA256: 'ab'.repeat(32) },
    'a stolen token, with the certificate of the thief',
  ),
  withCertificate(
    'without a fingerprint',
    { ...PRESENTED, certFingerprintSHA256: '' },
    'nothing to compare',
  ),
  withCertificate(
    'with half a fingerprint',
    { ...PRESENTED, certFingerprintSHA256: FINGERPRINT.slice(0, 40) },
    'SHA-1 is no SHA-256',
  ),
  withCertificate(
    'with colons',
    { ...PRESENTED, certFingerprintSHA256: (FINGERPRINT.match(/../g) ?? []).join(':') },
    'one spelling',
  ),
  withCertificate(
    'with a blank',
    { ...PRESENTED, certFingerprintSHA256: `${FINGERPRINT} ` },
    'one spelling',
  ),
  withCertificate(
    'thumbprint in hex',
    PRESENTED,
    'RFC 8705 §3.1: base64url',
    cnf(`{"x5t#S256":"${FINGERPRINT}"}`),
  ),
  withCertificate(
    'thumbprint padded',
    PRESENTED,
    'one spelling',
    cnf(`{"x5t#S256":"${THUMBPRINT}="}`),
  ),
  withCertificate(
    'thumbprint re-spelled',
    PRESENTED,
    'one spelling',
    cnf(`{"x5t#S256":"${respelled(THUMBPRINT)}"}`),
  ),
  withCertificate(
    'thumbprint as x5t',
    PRESENTED,
    'SHA-1, RFC 7515 §4.1.7',
    cnf(`{"x5t":"${THUMBPRINT}"}`),
  ),
  withCertificate(
    'thumbprint as jkt',
    PRESENTED,
    'another kind of key',
    cnf(`{"jkt":"${THUMBPRINT}"}`),
  ),
]

const BOTH = { cnf: `{"jkt":"${jktOf('ES256')}","x5t#S256":"${THUMBPRINT}"}` }

const CONFIRMATIONS: readonly Attack[] = [
  claim('cnf a string', cnf('"x"'), 'bound', 'RFC 7800 §3.1: an object'),
  claim('cnf empty', cnf('{}'), 'bound', 'bound to nothing is not unbound'),
  claim('cnf an array', cnf('[]'), 'bound', 'RFC 7800 §3.1: an object'),
  claim('cnf false', cnf('false'), 'bound', 'present in any form'),
  claim('cnf jwk', cnf('{"jwk":{"kty":"oct","k":"AAAA"}}'), 'bound', 'nobody checks it here'),
  claim('cnf kid', cnf('{"kid":"x"}'), 'bound', 'nobody checks it here'),
  claim('cnf jwe', cnf('{"jwe":"x"}'), 'bound', 'nobody checks it here'),
  claim('cnf __proto__', cnf('{"__proto__":{"jkt":"x"}}'), 'bound', 'nothing is inherited'),
  claim('cnf JKT', cnf(`{"JKT":"${jktOf('ES256')}"}`), 'bound', 'names have a case'),
  claim('cnf.jkt null', cnf('{"jkt":null}'), 'bound', 'present and wrong is not absent'),
  claim('cnf.jkt empty', cnf('{"jkt":""}'), 'bound', 'no thumbprint'),
  claim(
    'cnf.jkt a list',
    cnf(`{"jkt":["${jktOf('ES256')}"]}`),
    'bound',
    'prints as the thumbprint',
  ),
  claim('cnf twice', { cnf: '{},"cnf":{"jkt":"x"}' }, 'payload', 'jose takes the last'),
  ...(
    [
      ['re-spelled', respelled(jktOf('ES256')), 'a second text of one thumbprint'],
      ['padded', `${jktOf('ES256')}=`, 'a second text of one thumbprint'],
      [
        'in hex',
        Array.from(base64url.decode(jktOf('ES256')), (byte) =>
          byte.toString(16).padStart(2, '0'),
        ).join(''),
        'one spelling',
      ],
      ['with a blank', `${jktOf('ES256')} `, 'one spelling'],
    ] as const
  ).map(([name, jkt, because]): Attack => ({
    name: `cnf.jkt ${name}, with its proof`,
    credentials: () => dpopCredentials({}, { claims: cnf(`{"jkt":"${jkt}"}`) }),
    refusal: 'bound',
    because,
  })),
  {
    name: 'cnf.jkt beside an unknown way, with its proof',
    credentials: () =>
      dpopCredentials({}, { claims: cnf(`{"jkt":"${jktOf('ES256')}","att":"x"}`) }),
    refusal: 'bound',
    because: 'what its issuer asks for besides is not overlooked',
  },
  {
    name: 'cnf.jkt and jwk, with its proof',
    credentials: () => dpopCredentials({}, { claims: cnf(`{"jkt":"${jktOf('ES256')}","jwk":{}}`) }),
    refusal: 'bound',
    because: 'two keys, one of which nobody checks',
  },
  {
    name: 'bound in both ways, the proof alone',
    credentials: () => dpopCredentials({}, { claims: BOTH }),
    refusal: 'bound',
    because: 'both must hold',
  },
  {
    name: 'bound in both ways, the certificate alone',
    credentials: async () => ({
      ...bearer(await token(BOTH)),
      certificate: readCertificate(PRESENTED),
    }),
    tlsClientAuth: PRESENTED,
    refusal: 'bound',
    because: 'both must hold',
  },
  {
    name: 'bound in both ways, a wrong proof and the certificate',
    credentials: () =>
      dpopCredentials(
        { payload: { htm: '"GET"' } },
        { claims: BOTH, certificate: readCertificate(PRESENTED) },
      ),
    refusal: 'proof method',
    because: 'both must hold',
  },
  {
    name: 'bound in both ways, the proof and a revoked certificate',
    credentials: () =>
      dpopCredentials(
        {},
        { claims: BOTH, certificate: readCertificate({ ...PRESENTED, certRevoked: '1' }) },
      ),
    refusal: 'bound',
    because: 'both must hold',
  },
  {
    name: 'bound to a certificate, sent as DPoP with a proof',
    credentials: async () => ({
      ...(await dpopCredentials({}, { claims: certificateBound })),
      certificate: readCertificate(PRESENTED),
    }),
    tlsClientAuth: PRESENTED,
    refusal: 'bound',
    because: 'the proof is by a key that the issuer never saw',
  },
  {
    name: 'bound to a DPoP key, sent with a certificate instead',
    credentials: async () => ({
      ...bearer(await token(boundTo('ES256'))),
      certificate: readCertificate(PRESENTED),
    }),
    tlsClientAuth: PRESENTED,
    refusal: 'bound',
    because: 'one proof is no other',
  },
]

const details = (name: string, text: string, because: string): Attack =>
  claim(`authorization_details ${name}`, { authorization_details: text }, 'claim', because)

const DETAILS: readonly Attack[] = [
  details('null', 'null', 'present and wrong is not absent: would lift the bound'),
  details('an object', '{"type":"mcp_tool"}', 'RFC 9396 §2: an array'),
  details('a string', '"[]"', 'RFC 9396 §2: an array'),
  details('with a string', '["mcp_tool"]', 'RFC 9396 §2: objects'),
  details('with null', '[null]', 'RFC 9396 §2: objects'),
  details('with an array', '[[]]', 'RFC 9396 §2: objects'),
  details('without type', '[{"actions":[]}]', 'RFC 9396 §2: REQUIRED'),
  details('with type a list', '[{"type":["mcp_tool"]}]', 'prints as mcp_tool'),
  details('with type empty', '[{"type":""}]', 'no type'),
  details(
    'of 65 entries',
    `[${Array.from({ length: 65 }, () => '{"type":"x"}').join(',')}]`,
    'bounded',
  ),
]

const mayAct = (name: string, text: string, because: string, more: Members = {}): Attack =>
  claim(`may_act ${name}`, { may_act: text, ...more }, 'claim', because)

const MAY_ACT: readonly Attack[] = [
  mayAct('null', 'null', 'present and wrong is not absent'),
  mayAct('a string', '"bot"', 'RFC 8693 §4.4: an object'),
  mayAct('an array', '[{"sub":"bot"}]', 'RFC 8693 §4.4: an object'),
  mayAct('empty', '{}', 'names nobody'),
  mayAct('without sub', '{"iss":"https://login.example.com/acme"}', 'names nobody'),
  mayAct('sub a list', '{"sub":["bot"]}', 'prints as bot'),
  mayAct(
    'of another issuer',
    '{"sub":"bot","iss":"https://evil.example"}',
    'a name of another namespace',
  ),
  mayAct(
    'narrowed by a member that is not known',
    '{"sub":"bot","client_id":"x"}',
    'each narrows who is meant',
  ),
  mayAct('naming another than acts', '{"sub":"other"}', 'RFC 8693 §4.4', { act: '{"sub":"bot"}' }),
  mayAct('naming an inner actor', '{"sub":"inner"}', 'only the outermost acts', {
    act: '{"sub":"bot","act":{"sub":"inner"}}',
  }),
]

export const BINDING_ATTACKS: readonly Attack[] = [
  ...CERTIFICATES,
  ...CONFIRMATIONS,
  ...DETAILS,
  ...MAY_ACT,
]
