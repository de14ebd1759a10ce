import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, readStrictJson } from '../../../examples/verifier/strict-json.ts'
import { createVerifier, type VerifierOptions } from '../../../examples/verifier/verifier.ts'
import { canonical } from '../../../src/mcp/canonical.ts'
import { readJson } from '../../../src/mcp/json.ts'
import { messageDetail } from '../../../src/upstream/credentials/digest.ts'

const ISSUER = 'https://mcp.example.com'
const AUDIENCE = 'https://crm.example.com/mcp'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const keys = createLocalJWKSet({
  keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }],
})
const NOW = 1_800_000_000_000

const BODY =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send","arguments":{"to":"a@b.example","n":1.5}}}'

async function signed(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  body = BODY,
): Promise<string> {
  const read = readJson(body)
  const detail = read.ok ? await messageDetail(read.value, AUDIENCE) : {}
  const now = NOW / 1000
  const payload = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'alice',
    sub_id: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' },
    client_id: 'agent-app',
    act: { sub: 'bot' },
    tenant: 'acme',
    txn: 't1',
    jti: 'd-1',
    iat: now,
    exp: now + 60,
    authorization_details: [{ ...detail }],
    ...claims,
  }
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', kid: 'a', typ: 'at+jwt', ...header })
    .sign(privateKey)
  return `Bearer ${token}`
}

const verifier = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys, now: () => NOW, ...options })

describe('a message that its token is for', () => {
  it('is handed over with who calls', async () => {
    expect(await verifier()(await signed(), BODY)).toMatchObject({
      ok: true,
      caller: {
        subject: 'alice',
        subjectIssuer: 'https://idp.example',
        client: 'agent-app',
        agent: 'bot',
        tenant: 'acme',
        task: 't1',
        decision: 'd-1',
        isSallyport: false,
      },
      message: { method: 'tools/call' },
    })
  })

  it('is the same in another spelling of the same values', async () => {
    const respelled =
      '{ "id":1, "params":{"arguments":{"n":15e-1,"to":"\\u0061@b.example"},"name":"send"},"method":"tools/call","jsonrpc":"2.0" }'
    expect(await verifier()(await signed(), respelled)).toMatchObject({ ok: true })
  })
})

describe('what has no method of its own', () => {
  const RESPONSE = '{"jsonrpc":"2.0","id":"s-1","result":{"action":"accept","content":{"to":"a"}}}'

  it('is the response to what the server asked, all of it', async () => {
    const token = await signed({}, {}, RESPONSE)
    expect(await verifier()(token, RESPONSE)).toMatchObject({ ok: true })
    for (const other of [
      RESPONSE.replace('"to":"a"', '"to":"b"'),
      RESPONSE.replace('s-1', 's-2'),
      RESPONSE.replace('"id"', '"method":"","id"'),
      BODY,
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verifier()(token, other)).toMatchObject({ ok: false, status: 401 })
    }
  })

  it('is a stream or the end of a session, without a message', async () => {
    const token = await signed({}, {}, '{"method":"DELETE"}')
    expect(await verifier()(token, '', 'DELETE')).toMatchObject({ ok: true, message: null })
    expect(await verifier()(token, '', 'GET')).toMatchObject({ ok: false })
    expect(await verifier()(token, '')).toMatchObject({ ok: false })
    expect(await verifier()(token, BODY, 'DELETE')).toMatchObject({ ok: false })
    expect(await verifier()(await signed(), '', 'DELETE')).toMatchObject({ ok: false })
  })
})

describe('a message that its token is not for', () => {
  const swap = (from: string, to: string) => BODY.replace(from, to)
  it.each([
    ['another tool', swap('"send"', '"delete"')],
    ['another method', swap('tools/call', 'tools/list')],
    ['another argument', swap('a@b', 'x@b')],
    ['one argument more', swap('"n":1.5', '"n":1.5,"cc":"x"')],
    ['one argument fewer', swap(',"n":1.5', '')],
    ['a text for a number', swap('1.5', '"1.5"')],
    ['no arguments', BODY.replace(/,"arguments":\{[^}]*\}/, '')],
    ['an argument twice, the right one last', swap('"to"', '"to":"x@b.example","to"')],
    ['an argument twice, the right one first', swap('"n"', '"to":"x@b.example","n"')],
    ['a method twice', swap('"method"', '"method":"tools/list","method"')],
    ['a tool twice', swap('"name"', '"name":"delete","name"')],
    ['params twice', swap('"params"', '"params":{},"params"')],
    ['a member twice by an escape', swap('"to"', '"t\\u006f":"x@b.example","to"')],
    ['a number that only rounds to it', swap('1.5', '1.5000000000000000001')],
    ['a batch', `[${BODY}]`],
    ['a byte order mark', `\ufeff${BODY}`],
    ['something after it', `${BODY} x`],
    ['nothing', ''],
    ['a null', 'null'],
    ['a trailing comma', swap('1.5}', '1.5,}')],
    ['a control character', swap('a@b', 'a\u0001@b')],
  ])('%s', async (_what, body) => {
    expect(await verifier()(await signed(), body)).toMatchObject({ ok: false, status: 401 })
  })
})

describe('a token that is no token for a call', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }, {}],
    ['for another server', { aud: 'https://other.example/mcp' }, {}],
    ['for this server and another', { aud: [AUDIENCE, 'https://other.example/mcp'] }, {}],
    ['that is over', { iat: NOW / 1000 - 120, exp: NOW / 1000 - 60 }, {}],
    ['that lives for an hour', { exp: NOW / 1000 + 3600 }, {}],
    ['from the future', { iat: NOW / 1000 + 30, exp: NOW / 1000 + 60 }, {}],
    ['without an end', { exp: undefined }, {}],
    ['without a name', { jti: undefined }, {}],
    ['without a subject', { sub: undefined }, {}],
    ['without a client', { client_id: undefined }, {}],
    ['with a number for a client', { client_id: 7 }, {}],
    ['of another kind', {}, { typ: 'JWT' }],
    ['of a key that nobody has', {}, { kid: 'b' }],
    ['without details', { authorization_details: undefined }, {}],
    ['with an empty list of them', { authorization_details: [] }, {}],
    ['with details of another type', { authorization_details: [{ type: 'payment' }] }, {}],
    [
      'with details that name no digest',
      {
        authorization_details: [
          { type: 'mcp_call', locations: [AUDIENCE], method: 'tools/call', actions: ['send'] },
        ],
      },
      {},
    ],
  ])('%s', async (_what, claims, header) => {
    expect(await verifier()(await signed(claims, header), BODY)).toMatchObject({
      ok: false,
      status: 401,
    })
  })

  it('with two details is for neither of them', async () => {
    const read = readJson(BODY)
    const detail = read.ok ? await messageDetail(read.value, AUDIENCE) : {}
    const token = await signed({ authorization_details: [{ ...detail }, { ...detail }] })
    expect(await verifier()(token, BODY)).toMatchObject({ ok: false })
  })

  it.each([[null], [''], ['Basic x'], ['Bearer'], ['Bearer x'], ['Bearer a.b.c, Bearer d.e.f']])(
    'of the form %j',
    async (authorization) => {
      expect(await verifier()(authorization, BODY)).toMatchObject({ ok: false, status: 401 })
    },
  )
})

describe('a second use', () => {
  it('is refused, also of two at the same time', async () => {
    const verify = verifier()
    const token = await signed()
    const both = await Promise.all([verify(token, BODY), verify(token, BODY)])
    expect(both.filter(({ ok }) => ok)).toHaveLength(1)
    expect(await verify(token, BODY)).toMatchObject({ detail: 'this token was used before' })
  })

  it('does not count what was refused', async () => {
    const verify = verifier()
    const token = await signed()
    await verify(token, BODY.replace('send', 'delete'))
    expect(await verify(token, BODY)).toMatchObject({ ok: true })
  })
})

describe('introspection', () => {
  const answering = (answer: () => Response | Promise<Response>) =>
    verifier({
      introspection: { name: 'crm', password: 'p', timeoutMs: 200, fetch: async () => answer() },
    })
  it.each<[string, () => Response | Promise<Response>, number]>([
    ['says that it is over', () => Response.json({ active: false }), 401],
    ['says something like yes', () => Response.json({ active: 'true', jti: 'd-1' }), 401],
    ['speaks of another token', () => Response.json({ active: true, jti: 'd-2' }), 401],
    ['does not know us', () => new Response(null, { status: 401 }), 503],
    ['fails', () => new Response(null, { status: 500 }), 503],
    ['sends a page', () => new Response('<html>'), 503],
    ['is down', () => Promise.reject(new TypeError('down')), 503],
  ])('%s: the call is not served', async (_what, answer, status) => {
    expect(await answering(answer)(await signed(), BODY)).toMatchObject({ ok: false, status })
  })

  it('says yes: it is', async () => {
    const verify = answering(() => Response.json({ active: true, jti: 'd-1' }))
    expect(await verify(await signed(), BODY)).toMatchObject({ ok: true })
  })
})

describe('keys that cannot be had', () => {
  it('are no reason to serve a call', async () => {
    const verify = verifier({ keys: () => Promise.reject(new TypeError('down')) })
    expect(await verify(await signed(), BODY)).toMatchObject({ ok: false, status: 503 })
  })
})

describe('canonical JSON', () => {
  it('is the same here and at Sallyport, for anything', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const theirs = readJson(text)
        const mine = readOrNull(text)
        expect(mine === null ? null : canonicalJson(mine.value)).toBe(
          theirs.ok ? canonical(theirs.value) : null,
        )
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['1.0'],
    ['1e2'],
    ['-0'],
    ['0.1'],
    ['1E400'],
    ['12345678901234567890'],
    ['12345678901234567168'],
    ['0.1000000000000000055'],
    ['9007199254740993'],
    ['1e-400'],
    ['5e-324'],
    ['-0.0e5'],
  ])('of the number %s is the same', (text) => {
    const theirs = readJson(`[${text}]`)
    const mine = readOrNull(`[${text}]`)
    expect(mine === null ? null : canonicalJson(mine.value)).toBe(
      theirs.ok ? canonical(theirs.value) : null,
    )
  })

  it.each([
    ['01'],
    ['+1'],
    ['.5'],
    ['1.'],
    ['NaN'],
    ['tru'],
    ["'a'"],
    ['{"a":1,}'],
    ['[1,]'],
    ['[1 2]'],
    ['{"a" 1}'],
    ['{a:1}'],
    ['"\\x"'],
    ['"a'],
    ['{"a":1'],
    ['['],
    ['\u00a01'],
    ['1\u0000'],
    ['{"__proto__":1,"__proto__":2}'],
  ])('of %j does not exist', (text) => {
    expect(readOrNull(text)).toBeNull()
  })
})

function readOrNull(text: string) {
  try {
    return { value: readStrictJson(text) }
  } catch {
    return null
  }
}
