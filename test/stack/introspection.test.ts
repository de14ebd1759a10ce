import * as openid from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { issuerRequests, setFault, type Fault } from '../support/node/demo.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { callOnWire, type WireAnswer } from '../support/node/wire.ts'
import { quote } from '../../local/sql-client.ts'

let stack: TestStack
/** What Sallyport's Worker logged. */
const logged: string[] = []

beforeAll(async () => {
  stack = await startTestStack({
    log: (part, line) => {
      if (part === 'sallyport') logged.push(line)
    },
  })
})
beforeEach(async () => {
  logged.length = 0
  await setFault(stack, 'none', '/introspect')
})
afterAll(() => stack.stop())

const call = (token: string): Promise<WireAnswer> => callOnWire(stack.endpoint(), { token })

/** The agent as an OAuth client that knows nothing but its issuer's name. */
const agent = (): Promise<openid.Configuration> =>
  openid.discovery(
    new URL(stack.issuer),
    'acme-agent',
    undefined,
    openid.ClientSecretBasic('acme-agent-demo-secret'),
    // The demo issuer is on this machine and speaks plain http.
    // oxlint-disable-next-line typescript/no-deprecated
    { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' },
  )

const grant = async (configuration: openid.Configuration, more: Record<string, string> = {}) =>
  openid.clientCredentialsGrant(configuration, {
    resource: stack.endpoint().href,
    scope: 'demo:use',
    token_format: 'opaque',
    ...more,
  })

/** An opaque token that the issuer explains so; null takes a member away. */
const explained = (claims: Record<string, unknown> = {}): Promise<string> =>
  stack.token({ sub: 'alice', client: 'acme-agent', opaque: true, claims })

const introspections = async (): Promise<number> =>
  (await issuerRequests(stack))['/introspect'] ?? 0

describe('an opaque token', { timeout: 20_000 }, () => {
  it('of a workload opens what a JWT would, until the issuer takes it back', async () => {
    const configuration = await agent()
    const { access_token: token } = await grant(configuration)
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(await call(token)).toMatchObject({ status: 200, code: 'allowed' })

    await openid.tokenRevocation(configuration, token)
    const answer = await call(token)
    expect(answer).toMatchObject({ status: 401, code: 'token_invalid' })
    expect(answer.challenge).toContain('error="invalid_token"')
  })

  it('of a person opens what the person may, and nothing else', async () => {
    expect(await call(await explained())).toMatchObject({ code: 'allowed' })
    const bob = await stack.token({ sub: 'bob', client: 'acme-agent', opaque: true })
    const asked = { token: bob, tool: 'export_customers', args: { format: 'csv' } }
    expect(await callOnWire(stack.endpoint(), asked)).toMatchObject({ code: 'not_allowed' })
  })

  it('is asked about at every call, once', async () => {
    const token = await explained()
    const before = await introspections()
    for (let calls = 0; calls < 3; calls += 1) await call(token)
    expect(await introspections()).toBe(before + 3)
  })

  it('bound to a key is no use without the key', async () => {
    const configuration = await agent()
    const handle = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
    const { access_token: token, token_type } = await openid.clientCredentialsGrant(
      configuration,
      { resource: stack.endpoint().href, token_format: 'opaque' },
      { DPoP: handle },
    )
    expect(token_type).toBe('dpop')
    expect(await call(token)).toMatchObject({ status: 401 })
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: { text: 'hello' } },
    })
    const headers = new Headers({
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    })
    const sent = await openid.fetchProtectedResource(
      configuration,
      token,
      stack.endpoint(),
      'POST',
      body,
      headers,
      { DPoP: handle },
    )
    expect(sent.status).toBe(200)
  })

  it.each([
    ['that the issuer never saw', 'made-up-token', 'token_invalid'],
    ['for another server', { aud: 'https://other.example/mcp' }, 'token_invalid'],
    ['for nobody', { aud: null }, 'token_invalid'],
    ['of another issuer', { iss: 'https://evil.example' }, 'token_invalid'],
    ['of another tenant', { tenant: 'globex' }, 'token_invalid'],
    ['that lapsed', { exp: 1 }, 'token_invalid'],
    ['without an end', { exp: null }, 'token_invalid'],
    ['that lives for ever', { exp: 99_999_999_999 }, 'token_invalid'],
    ['that is not good yet', { nbf: 99_999_999_998 }, 'token_invalid'],
    ['without a subject', { sub: null }, 'token_invalid'],
    ['without a client', { client_id: null }, 'token_invalid'],
    ['with a list for its scope', { scope: ['demo:use'] }, 'token_invalid'],
  ])('%s opens nothing', async (_what, given, code) => {
    const token = typeof given === 'string' ? given : await explained(given)
    expect(await call(token)).toMatchObject({ status: 401, code })
  })

  it.each([['true'], [1]])('that is `active` %j is one nobody speaks for', async (active) => {
    const answer = await call(await explained({ active }))
    expect(answer).toMatchObject({ status: 503, code: 'introspection_unavailable' })
  })

  it('is not one for a tenant whose issuer takes none', async () => {
    const answer = await callOnWire(stack.endpoint('globex-demo'), {
      token: await stack.token({
        sub: 'alice',
        client: 'globex-agent',
        tenant: 'globex',
        server: 'globex-demo',
        opaque: true,
      }),
    })
    expect(answer).toMatchObject({ status: 401, code: 'token_invalid' })
  })
})

describe('an issuer that is asked about its JWTs too', { timeout: 20_000 }, () => {
  it('can take one back, from the next call on', async () => {
    const where = `WHERE tenant = 'acme' AND url = ${quote(stack.issuer)}`
    const configuration = await agent()
    const { access_token: token } = await grant(configuration, { token_format: 'jwt' })
    expect(await call(token)).toMatchObject({ code: 'allowed' })
    await openid.tokenRevocation(configuration, token)
    expect(await call(token)).toMatchObject({ code: 'allowed' })
    await stack.query(`UPDATE issuers SET introspection = 'always' ${where}`)
    expect(await call(token)).toMatchObject({ status: 401, code: 'token_invalid' })

    const { access_token: fresh } = await grant(configuration, { token_format: 'jwt' })
    expect(await call(fresh)).toMatchObject({ code: 'allowed' })
    await setFault(stack, 'error', '/introspect')
    expect(await call(fresh)).toMatchObject({ status: 503, code: 'introspection_unavailable' })
    await stack.query(`UPDATE issuers SET introspection = 'opaque' ${where}`)
    expect(await call(fresh)).toMatchObject({ code: 'allowed' })
  })
})

/** The issuer has two seconds; the rest is ours. */
const BOUND_MS = 3_000
const FAULTS: readonly Fault[] = [
  'hang',
  'error',
  'unauthorized',
  'garbage',
  'page',
  'redirect',
  'huge',
]

describe('introspection that fails', { timeout: 20_000 }, () => {
  const UNAVAILABLE = {
    status: 503,
    code: 'introspection_unavailable',
    retryable: true,
    retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    challenge: null,
  }

  it.each(FAULTS)('%s: 503 in time, JWTs pass, and it heals at once', async (mode) => {
    const token = await explained()
    const jwt = await stack.token({ sub: 'alice', client: 'acme-agent' })
    await call(jwt)
    await setFault(stack, mode, '/introspect')
    const before = await issuerRequests(stack)
    const [answer, other] = await Promise.all([call(token), call(jwt)])
    expect(answer).toMatchObject(UNAVAILABLE)
    expect(answer.ms).toBeLessThan(BOUND_MS)
    expect(other).toMatchObject({ code: 'allowed' })
    expect(other.ms).toBeLessThan(1_000)
    // The way that a redirect names leads to the true answer: it was not followed.
    const after = await issuerRequests(stack)
    expect(after['/redirected/introspect']).toBeUndefined()
    expect((after['/introspect'] ?? 0) - (before['/introspect'] ?? 0)).toBe(1)

    await setFault(stack, 'none', '/introspect')
    expect(await call(token)).toMatchObject({ code: 'allowed' })
  })

  it('because nobody is there: the same', async () => {
    const token = await explained()
    await stack.parts.issuer.stop()
    const answer = await call(token)
    await stack.parts.issuer.start()
    expect(answer).toMatchObject(UNAVAILABLE)
    expect(answer.ms).toBeLessThan(BOUND_MS)
    // The demo issuer keeps its tokens in memory: a new one.
    expect(await call(await explained())).toMatchObject({ code: 'allowed' })
  })

  it.each([
    ['a secret that nobody stored', 'introspection_secret', 'INTROSPECTION_NONE', 'no secret'],
    ['another origin', 'introspection_url', 'http://127.0.0.1:9/introspect', 'another origin'],
  ])('because its row names %s: 503, and the log says why', async (_what, column, value, why) => {
    const token = await explained()
    const [row] = await stack.query(`SELECT ${column} AS was FROM issuers WHERE tenant = 'acme'`)
    const set = (text: string): Promise<unknown> =>
      stack.query(`UPDATE issuers SET ${column} = ${quote(text)} WHERE tenant = 'acme'`)
    await set(value)
    // The first call may still ask by the row as it was, and is decided by the row as it is.
    expect(await call(token)).toMatchObject(UNAVAILABLE)
    const asked = await introspections()
    expect(await call(token)).toMatchObject(UNAVAILABLE)
    expect(await introspections()).toBe(asked)
    expect(logged.join('\n')).toContain('introspection_failed')
    expect(logged.join('\n')).toContain(why)
    expect(logged.join('\n')).not.toContain('sallyport-demo-secret')
    await set(String(row?.['was']))
    expect(await call(token)).toMatchObject({ code: 'allowed' })
  })
})
