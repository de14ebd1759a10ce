import { base64url } from 'jose'
import { hashOf } from '../../../src/authentication/thumbprint.ts'
import type { Attack } from './attack.ts'
import { headed, proof } from './attack-by-proof.ts'
import { dpopCredentials, jwkOf, respelled } from './proof-smith.ts'

/** The RSA key with a number in one octet more than it takes (RFC 7518 §2). */
function withLeadingZero(member: string): string {
  const jwk = JSON.parse(jwkOf('RS256')) as Record<string, string>
  const octets = base64url.decode(jwk[member] ?? '')
  return JSON.stringify({ ...jwk, [member]: base64url.encode(Uint8Array.of(0, ...octets)) })
}

/** The good proof, written in another way. */
const written = (
  name: string,
  change: (text: string) => string,
  refusal: string,
  because: string,
): Attack => ({
  name: `proof: ${name}`,
  credentials: async () => {
    const credentials = await dpopCredentials()
    return { ...credentials, dpop: change(credentials.dpop ?? '') }
  },
  refusal,
  because,
})

const SPELLED: readonly Attack[] = [
  written('empty', () => '', 'proof spelling', 'RFC 9449 §4.3, check 1'),
  written(
    'twice',
    (text) => `${text}, ${text}`,
    'proof several',
    'check 1: two headers arrive joined',
  ),
  written('twice without a blank', (text) => `${text},${text}`, 'proof several', 'check 1'),
  written('beside an empty one', (text) => `${text},`, 'proof several', 'check 1'),
  written('with other unused bits', respelled, 'proof spelling', 'a second text of one proof'),
  written('with padding', (text) => `${text}==`, 'proof spelling', 'a second text of one proof'),
  written('with a final newline', (text) => `${text}\n`, 'proof spelling', 'jose accepts'),
  written(
    'with a blank inside',
    (text) => text.replace(/(.{8})$/, ' $1'),
    'proof spelling',
    'jose accepts',
  ),
  written(
    'with a tab inside',
    (text) => text.replace(/(.{8})$/, '\t$1'),
    'proof spelling',
    'jose accepts',
  ),
  written(
    'with its scheme',
    (text) => `DPoP ${text}`,
    'proof spelling',
    'the header holds the proof alone',
  ),
  written('quoted', (text) => `"${text}"`, 'proof spelling', 'the header holds the proof alone'),
  written(
    'of two parts',
    (text) => text.split('.').slice(0, 2).join('.'),
    'proof spelling',
    'unsigned',
  ),
  written('of four parts', (text) => `${text}.AAAA`, 'proof spelling', 'not a compact JWS'),
  written(
    'without a signature',
    (text) => text.replace(/[^.]+$/, ''),
    'proof spelling',
    'unsigned',
  ),
  written('of five parts', (text) => `${text}.AA.AA`, 'proof spelling', 'no JWE'),
  written(
    'of 4,097 letters',
    (text) => text.padStart(4097, 'A'),
    'proof spelling',
    'bounded before anything is decoded',
  ),
  written(
    'of 100,000 letters',
    () => 'A'.repeat(100_000),
    'proof spelling',
    'bounded before anything is decoded',
  ),
  written(
    'in standard base64',
    (text) => `${text.slice(0, -3)}+/A`,
    'proof spelling',
    'another alphabet',
  ),
]

const HEADED: readonly Attack[] = [
  headed('typ JWT', { typ: '"JWT"' }, 'proof type', 'check 4'),
  headed('typ at+jwt', { typ: '"at+jwt"' }, 'proof type', 'an access token as a proof'),
  headed('typ wpt+jwt', { typ: '"wpt+jwt"' }, 'proof type', 'the proof of a workload'),
  headed('typ a list', { typ: '["dpop+jwt"]' }, 'proof type', 'prints as dpop+jwt'),
  headed(
    'typ with a parameter',
    { typ: '"dpop+jwt;x=1"' },
    'proof type',
    'byte for byte, but for case',
  ),
  headed('typ text/dpop+jwt', { typ: '"text/dpop+jwt"' }, 'proof type', 'another media type'),
  headed('typ empty', { typ: '""' }, 'proof type', 'check 4'),
  proof('no typ', { without: ['typ'] }, 'proof type', 'check 4'),
  headed('alg none', { alg: '"none"' }, 'proof algorithm', 'check 5'),
  headed('alg HS256', { alg: '"HS256"' }, 'proof algorithm', 'check 5: a key that both sides know'),
  headed('alg ES512', { alg: '"ES512"' }, 'proof algorithm', 'not in the table'),
  headed('alg es256', { alg: '"es256"' }, 'proof algorithm', 'names have a case'),
  headed('alg __proto__', { alg: '"__proto__"' }, 'proof algorithm', 'nothing is inherited'),
  headed('alg a list', { alg: '["ES256"]' }, 'proof algorithm', 'prints as ES256'),
  proof('no alg', { without: ['alg'] }, 'proof algorithm', 'check 3'),
  headed('alg of another curve', { alg: '"ES384"' }, 'proof algorithm', 'one key, one algorithm'),
  headed(
    'alg of another kind of key',
    { alg: '"RS256"' },
    'proof algorithm',
    'one key, one algorithm',
  ),
  headed(
    'alg EdDSA over an EC key',
    { alg: '"EdDSA"' },
    'proof algorithm',
    'one key, one algorithm',
  ),
  headed('crit unknown', { crit: '["x"]', x: '1' }, 'proof critical', 'RFC 7515 §4.1.11'),
  headed('crit b64', { crit: '["b64"]', b64: 'true' }, 'proof critical', 'jose accepts'),
  headed('b64 alone', { b64: 'false' }, 'proof critical', 'changes what is signed'),
  proof('no jwk', { without: ['jwk'] }, 'proof key', 'check 3'),
  headed('jwk null', { jwk: 'null' }, 'proof key', 'check 3'),
  headed('jwk a string', { jwk: '"key"' }, 'proof key', 'check 3'),
  headed('jwk a list', { jwk: `[${jwkOf('ES256')}]` }, 'proof key', 'check 3'),
  headed('jwk symmetric', { jwk: '{"kty":"oct","k":"AAAA"}' }, 'proof key', 'check 7'),
  headed(
    'jwk private',
    { jwk: jwkOf('ES256').replace('{', '{"d":"AAAA",') },
    'proof key',
    'check 7',
  ),
  headed(
    'jwk with k',
    { jwk: jwkOf('ES256').replace('{', '{"k":"AAAA",') },
    'proof key',
    'check 7',
  ),
  headed(
    'jwk with priv',
    { jwk: jwkOf('ES256').replace('{', '{"priv":"AAAA",') },
    'proof key',
    'check 7',
  ),
  headed(
    'jwk with d null',
    { jwk: jwkOf('ES256').replace('{', '{"d":null,') },
    'proof key',
    'check 7, present in any form',
  ),
  headed(
    'jwk for encryption',
    { jwk: jwkOf('ES256').replace('{', '{"use":"enc",') },
    'proof key',
    'RFC 7517 §4.2',
  ),
  headed(
    'jwk for signing only',
    { jwk: jwkOf('ES256').replace('{', '{"key_ops":["sign"],') },
    'proof key',
    'RFC 7517 §4.3',
  ),
  headed(
    'jwk bound to another alg',
    { jwk: jwkOf('ES256').replace('{', '{"alg":"ES384",') },
    'proof algorithm',
    'RFC 8725 §3.1',
  ),
  headed(
    'jwk with a kid that is a number',
    { jwk: jwkOf('ES256').replace('{', '{"kid":1,') },
    'proof key',
    'no name of a key',
  ),
  headed(
    'jwk of an unknown kind',
    { jwk: '{"kty":"XX","x":"AAAA"}' },
    'proof key',
    'nobody can check it',
  ),
  headed(
    'jwk on an unknown curve',
    { jwk: jwkOf('ES256').replace('P-256', 'secp256k1') },
    'proof key',
    'nobody can check it',
  ),
  headed(
    'jwk with a short point',
    { jwk: '{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}' },
    'proof key',
    'malformed',
  ),
  headed(
    'jwk with a re-spelled x',
    { jwk: jwkOf('ES256').replace(/"x":"([^"]+)"/, (_, x: string) => `"x":"${respelled(x)}"`) },
    'proof key',
    'imports all the same, with another thumbprint',
  ),
  headed(
    'jwk with a padded x',
    { jwk: jwkOf('ES256').replace(/"x":"([^"]+)"/, '"x":"$1="') },
    'proof key',
    'another thumbprint',
  ),
  headed(
    'jwk with a weak modulus',
    {
      jwk: '{"kty":"RSA","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQ","e":"AQAB"}',
      alg: '"RS256"',
    },
    'proof key',
    'under 2048 bits',
  ),
  headed(
    'jwk with exponent 1',
    { jwk: jwkOf('RS256').replace('AQAB', 'AQ'), alg: '"RS256"' },
    'proof key',
    'every text signs itself',
  ),
  // The token is bound to the thumbprint of this very spelling: whoever asks for one chooses it.
  ...['n', 'e'].map((member): Attack => {
    const jwk = withLeadingZero(member)
    return {
      name: `proof: jwk with a leading zero in ${member}`,
      credentials: () =>
        dpopCredentials(
          { by: 'RS256', header: { jwk } },
          { claims: { cnf: `{"jkt":"${hashOf(jwk)}"}` } },
        ),
      refusal: 'proof key',
      because: 'a second thumbprint of one key outlives the revocation of the first',
    }
  }),
  headed(
    'jwk twice by escape',
    { jwk: `${jwkOf('ES256')},"\\u006awk":${jwkOf('EdDSA')}` },
    'proof header',
    'jose takes the last',
  ),
  headed(
    'x in jwk twice',
    { jwk: jwkOf('ES256').replace('}', ',"x":"AAAA"}') },
    'proof header',
    'two keys in one',
  ),
  proof('header an array', { rawHeader: '["dpop+jwt"]' }, 'proof header', 'an object'),
  proof('header not JSON', { rawHeader: 'dpop+jwt' }, 'proof header', 'an object'),
  proof(
    'header with a byte order mark',
    { rawHeader: `\ufeff{"typ":"dpop+jwt","alg":"ES256","jwk":${jwkOf('ES256')}}` },
    'proof header',
    'jose accepts',
  ),
]

export const PROOF_HEADER_ATTACKS: readonly Attack[] = [...SPELLED, ...HEADED]
