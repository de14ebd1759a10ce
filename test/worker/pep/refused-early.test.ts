import { describe, expect, it } from 'vitest'
import {
  inThisWorld,
  message,
  ORIGIN,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

describe('refused before anything is decided, and the upstream sees nothing', () => {
  const good = toolCall('note')
  const bytes = (...numbers: number[]) => new Uint8Array(numbers)

  it.each<[string, BodyInit, Parameters<typeof post>[1], number, string]>([
    ['no token', good, { token: null }, 401, 'credentials_missing'],
    [
      'another scheme',
      good,
      { token: null, headers: { authorization: 'Basic YTpi' } },
      401,
      'credentials_missing',
    ],
    [
      'two credentials',
      good,
      { token: null, headers: { authorization: 'Bearer a.b.c, Bearer a.b.c' } },
      400,
      'credentials_malformed',
    ],
    ['a token in the query', good, { query: '?access_token=x' }, 400, 'credentials_malformed'],
    ['not a JWT', good, { token: 'abc' }, 401, 'token_invalid'],
    ['malformed JSON', '{"jsonrpc":', {}, 400, 'malformed_json'],
    ['nothing', '', {}, 400, 'malformed_json'],
    ['not UTF-8', bytes(0x22, 0xff, 0x22), {}, 400, 'malformed_json'],
    ['a byte order mark', `\ufeff${good}`, {}, 400, 'malformed_json'],
    [
      'duplicate keys',
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
      {},
      400,
      'malformed_json',
    ],
    [
      'duplicate keys, spelled apart',
      '{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"x"}',
      {},
      400,
      'malformed_json',
    ],
    ['a batch', `[${good}]`, {}, 400, 'batch'],
    ['not a message', '{"hello":1}', {}, 400, 'malformed_message'],
    ['a response', '{"jsonrpc":"2.0","id":1,"result":{}}', {}, 400, 'response_unexpected'],
    ['too large', `"${'x'.repeat(4 * 1024 * 1024)}"`, {}, 413, 'body_too_large'],
    [
      'another media type',
      good,
      { headers: { 'content-type': 'text/plain' } },
      415,
      'media_type_unsupported',
    ],
    ['no media type', good, { headers: { 'content-type': '' } }, 415, 'media_type_unsupported'],
    [
      'a charset that JSON does not have',
      good,
      { headers: { 'content-type': 'application/json; charset=utf-16' } },
      415,
      'media_type_unsupported',
    ],
    [
      'a compressed body',
      good,
      { headers: { 'content-encoding': 'gzip' } },
      415,
      'encoding_unsupported',
    ],
    ['an Accept without JSON', good, { headers: { accept: 'text/html' } }, 406, 'not_acceptable'],
    ['unknown server', good, { server: 'nobody' }, 404, 'server_unknown'],
    ['foreign Host', good, { origin: 'http://evil.example' }, 403, 'host_not_allowed'],
    [
      'foreign Origin',
      good,
      { headers: { origin: 'https://evil.example' } },
      403,
      'origin_not_allowed',
    ],
    ['null Origin', good, { headers: { origin: 'null' } }, 403, 'origin_not_allowed'],
    ['PUT', good, { method: 'PUT' }, 405, 'method_not_allowed'],
    [
      'GET for no stream',
      good,
      { method: 'GET', headers: { accept: 'application/json' } },
      406,
      'not_acceptable',
    ],
    [
      'DELETE in 2026-07-28',
      good,
      { method: 'DELETE', headers: { 'mcp-protocol-version': '2026-07-28' } },
      405,
      'method_not_allowed',
    ],
    [
      'unknown method',
      message('resources/write', { uri: 'file:///etc/passwd' }),
      {},
      200,
      'method_unknown',
    ],
    [
      'a method of another spelling',
      message('Tools/Call', { name: 'note' }),
      {},
      200,
      'method_unknown',
    ],
    ['a name that is no text', message('tools/call', { name: 7 }), {}, 200, 'params_invalid'],
    [
      'a task with more to it than how long',
      message('tools/call', { name: 'note', task: { name: 'other' } }),
      {},
      200,
      'params_invalid',
    ],
    [
      'a header that disagrees with the body',
      good,
      { headers: { 'mcp-name': 'other' } },
      400,
      'header_mismatch',
    ],
    [
      'an unknown protocol version',
      good,
      { headers: { 'mcp-protocol-version': '1999-01-01' } },
      400,
      'version_unsupported',
    ],
  ])('%s', async (_, body, options, status, code) => {
    expect(await verdict(await post(body, options))).toMatchObject({ status, code, decision: null })
    expect(seen).toEqual([])
  })

  it.each<[string, Parameters<typeof token>[0]]>([
    ['expired', { claims: { exp: Math.floor(Date.now() / 1000) - 60 } }],
    ['for another server', { claims: { aud: `${ORIGIN}/other/mcp` } }],
    ['for a longer path', { claims: { aud: `${RESOURCE}/x` } }],
    ['an ID token', { header: { typ: 'JWT' } }],
    ['of an unknown issuer', { claims: { iss: 'https://evil.example' } }],
    ['bound to a key', { claims: { cnf: { jkt: 'x' } } }],
    ['that lives for a day', { claims: { exp: Math.floor(Date.now() / 1000) + 86_400 } }],
    ['without a subject', { claims: { sub: '' } }],
  ])('a token %s', async (_, options) => {
    const response = await post(toolCall('note'), { token: await token(options) })
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(await verdict(response)).toMatchObject({ status: 401, code: 'token_invalid' })
    expect(seen).toEqual([])
  })

  it('a re-spelled token', async () => {
    const good = await token()
    for (const spelled of [`${good}=`, `${good}==`, `${good}.`, good.replace('.', '..')]) {
      const response = await post(toolCall('note'), {
        token: null,
        headers: { authorization: `Bearer ${spelled}` },
      })
      expect([400, 401]).toContain(response.status)
    }
    expect(seen).toEqual([])
  })

  it('an issuer that does not answer is a 503, and never a 401', async () => {
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'https://down.example', 'https://down.example/jwks.json')`,
    )
    const bearer = await token({ claims: { iss: 'https://down.example' } })
    const response = await post(toolCall('note'), { token: bearer })
    expect(response.headers.get('retry-after')).not.toBeNull()
    expect(await verdict(response)).toMatchObject({ status: 503, code: 'issuer_unavailable' })
    expect(seen).toEqual([])
  })

  it('says where to get a token, and with which scopes', async () => {
    const response = await post(good, { token: null })
    expect(response.headers.get('www-authenticate')).toBe(
      ['Bearer ', 'DPoP algs="ES256 ES384 EdDSA Ed25519 RS256 PS256", ']
        .map(
          (scheme) =>
            `${scheme}resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/crm/mcp", scope="crm"`,
        )
        .join(', '),
    )
  })

  it('repeats the id of the request', async () => {
    const response = await post('{"jsonrpc":"2.0","id":"my-id","method":"nobody/knows"}')
    expect(await response.json()).toMatchObject({ id: 'my-id' })
  })
})
