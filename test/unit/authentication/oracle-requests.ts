// Requests that are nearly right: a good token and proof with a few members changed, or a text spoilt.

import fc from 'fast-check'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { boundTo, ecdsaTwin, jktOf, jwkOf, proofFor, respelled } from './proof-smith.ts'
import {
  ALIAS,
  ISSUER,
  NO_CREDENTIALS,
  RESOURCE,
  SECONDS,
  token,
  type Members,
  type SigningAlgorithm,
} from './token-smith.ts'

/** Rarely: with everything changed at once, everything is refused for its first fault. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 25, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const times = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -400, max: 4000 }).map((off) => `${SECONDS + off}`) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(-301, -300, -299, -61, -60, -6, -5, -4, 0, 1, 59, 60, 61, 300, 301, 3600)
      .map((off) => `${SECONDS + off}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0',
      '-1',
      '1e400',
      `${SECONDS}.5`,
      `"${SECONDS}"`,
      'null',
      '[]',
      '99999999999',
    ),
  },
)

const texts = fc.oneof(
  fc.constantFrom(
    '""',
    'null',
    '7',
    '{}',
    '["a"]',
    '"alice"',
    String.raw`"a\u0000"`,
    String.raw`"\ud800"`,
    `"${'a'.repeat(257)}"`,
    'true',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
)

const audiences = fc.constantFrom(
  `"${RESOURCE}"`,
  `"${ALIAS}"`,
  `["${RESOURCE}"]`,
  `["https://other.example","${ALIAS}"]`,
  `"${RESOURCE}/"`,
  `"${RESOURCE}?"`,
  '[]',
  '""',
  `["${RESOURCE}",7]`,
  `[["${RESOURCE}"]]`,
  'null',
)

const addresses = fc
  .oneof(
    fc.constantFrom(
      RESOURCE,
      ALIAS,
      `${RESOURCE}?a=b`,
      `${RESOURCE}#c`,
      `${RESOURCE}/`,
      RESOURCE.toUpperCase(),
      'HTTPS://MCP.example.com/files/mcp',
      'https://mcp.example.com:443/files/mcp',
      'https://mcp.example.com:/files/mcp',
      'https://mcp.example.com:0443/files/mcp',
      'https://mcp.example.com./files/mcp',
      'https://a@mcp.example.com/files/mcp',
      'https://mcp.example.com/x/../files/mcp',
      'https://mcp.example.com/%66iles/mcp',
      'https://mcp.example.com/files%2fmcp',
      'https:/mcp.example.com/files/mcp',
      'https:\\\\mcp.example.com\\files\\mcp',
      'http://mcp.example.com/files/mcp',
      '',
      ` ${RESOURCE}`,
      `${RESOURCE}\n`,
      'https://mcp\uff0eexample.com/files/mcp',
      'https://mcp.ex%61mple.com/files/mcp',
      'https://mcp.example.com//files/mcp',
      'https://mcp.example.com/files\t/mcp',
      `${RESOURCE}?#`,
      `${RESOURCE};x`,
    ),
    // One letter of it changed, doubled or dropped.
    fc
      .tuple(fc.nat(RESOURCE.length - 1), fc.string({ maxLength: 2 }))
      .map(([at, text]) => RESOURCE.slice(0, at) + text + RESOURCE.slice(at + 1)),
  )
  .map((text) => JSON.stringify(text))

const jwkTexts = fc.constantFrom(
  jwkOf('ES256'),
  jwkOf('EdDSA'),
  jwkOf('ES256').replace('{', '{"kid":"k","use":"sig",'),
  jwkOf('ES256').replace('{', '{"use":"enc",'),
  jwkOf('ES256').replace('{', '{"d":"AAAA",'),
  jwkOf('ES256').replace('{', '{"alg":"ES384",'),
  jwkOf('ES256').replace('{', '{"key_ops":["verify"],"ext":true,'),
  jwkOf('ES256').replace(/"x":"([^"]+)"/, '"x":"$1="'),
  jwkOf('ES256').replace(/"x":"([^"]+)"/, (_, x: string) => `"x":"${respelled(x)}"`),
  '{"kty":"oct","k":"AAAA"}',
  'null',
  '{}',
)

const confirmations = fc.constantFrom(
  `{"jkt":"${jktOf('ES256')}"}`,
  `{"jkt":"${jktOf('EdDSA')}"}`,
  `{"jkt":"${jktOf('ES256')}="}`,
  `{"jkt":"${respelled(jktOf('ES256'))}"}`,
  `{"jkt":"${jktOf('ES256')}","x":"y"}`,
  '{}',
  'null',
  '{"kid":"x"}',
  '"x"',
  '{"jkt":7}',
)

const headers = {
  typ: maybe(
    fc.constantFrom(
      '"at+jwt"',
      '"AT+JWT"',
      '"application/at+jwt"',
      '"JWT"',
      '"dpop+jwt"',
      '"DPoP+jwt"',
      '""',
      'null',
      '["at+jwt"]',
      '"at+jwt "',
    ),
  ),
  alg: maybe(
    fc.constantFrom(
      '"ES256"',
      '"ES384"',
      '"EdDSA"',
      '"Ed25519"',
      '"RS256"',
      '"none"',
      '"HS256"',
      'null',
      '["ES256"]',
    ),
  ),
  crit: maybe(fc.constantFrom('["b64"]', '[]', '["x"]')),
  b64: maybe(fc.constantFrom('true', 'false')),
}

/** How a finished text is spoilt, or written anew. */
const rewrites: readonly ((text: string) => string)[] = [
  respelled,
  ecdsaTwin,
  (text) => `${text}=`,
  (text) => `${text}==`,
  (text) => text.replace(/(.{8})$/, ' $1'),
  (text) => `${text} `,
  (text) => text.slice(0, -1),
  (text) => `${text}A`,
  (text) => `${text}.`,
  (text) => text.replace('.', '..'),
  (text) => text.replace(/.(?=[^.]*$)/, '-'),
  (text) => `${text}, ${text}`,
  (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
]
const rewriting = maybe(fc.constantFrom(...rewrites))

const members = (made: Readonly<Record<string, string | undefined>>): Members =>
  Object.fromEntries(
    Object.entries(made).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )

/** Both ES256 signatures have twins; the other algorithms keep the rest honest. */
const algorithms = fc.constantFrom<SigningAlgorithm>(
  'ES256',
  'ES256',
  'ES256',
  'EdDSA',
  'ES384',
  'PS256',
  'RS256',
)

export const requests = fc.record({
  scheme: fc.constantFrom('DPoP', 'DPoP', 'DPoP', 'Bearer', 'Bearer', 'dpop', 'BEARER'),
  by: algorithms,
  bound: fc.constantFrom(true, true, true, false),
  proof: fc.constantFrom('for it', 'for it', 'for it', 'for it', 'none', 'for another'),
  method: fc.constantFrom('POST', 'POST', 'POST', 'GET'),
  claims: fc.record({
    iss: maybe(fc.constantFrom(`"${ISSUER}"`, `"${ISSUER}/"`, 'null', '"https://evil.example"')),
    aud: maybe(audiences),
    exp: maybe(times),
    iat: maybe(times),
    nbf: maybe(times),
    sub: maybe(texts),
    client_id: maybe(texts),
    jti: maybe(texts),
    scope: maybe(texts),
    azp: maybe(texts),
    act: maybe(texts),
    cnf: maybe(confirmations),
    auth_time: maybe(times),
  }),
  header: fc.record({ ...headers, kid: maybe(texts) }),
  said: fc.record({
    jti: maybe(texts),
    htm: maybe(fc.constantFrom('"POST"', '"GET"', '"post"', 'null', '["POST"]')),
    htu: maybe(addresses),
    iat: maybe(times),
    exp: maybe(times),
    nbf: maybe(times),
    ath: maybe(texts),
    nonce: maybe(texts),
    aud: maybe(texts),
    iss: maybe(texts),
  }),
  proofHeader: fc.record({ ...headers, jwk: maybe(jwkTexts) }),
  without: maybe(fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'jwk', 'typ', 'alg')),
  rewriteToken: rewriting,
  rewriteProof: rewriting,
})

type Generated = typeof requests extends fc.Arbitrary<infer T> ? T : never

export async function made(generated: Generated): Promise<Credentials> {
  const { by, scheme, bound, proof, method, without } = generated
  const text = await token(
    { ...(bound ? boundTo(by) : {}), ...members(generated.claims) },
    { alg: `"${by}"`, kid: `"${by}"`, ...members(generated.header) },
    by,
  )
  const sent = generated.rewriteToken?.(text) ?? text
  const provenText = proof === 'for another' ? await token({ jti: '"another"' }) : sent
  const changes = {
    by,
    payload: members(generated.said),
    header: members(generated.proofHeader),
    without: without === undefined ? [] : [without],
  }
  const proofText = await proofFor(provenText, changes)
  return {
    ...NO_CREDENTIALS,
    method,
    authorization: `${scheme} ${sent}`,
    dpop: proof === 'none' ? null : (generated.rewriteProof?.(proofText) ?? proofText),
  }
}
