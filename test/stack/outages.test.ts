import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bearing, connect, ERAS, newClient, verdictOf } from '../support/node/client.ts'
import { issuerRequests, rotateKey, setFault, takeCalls } from '../support/node/demo.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { callOnWire, type WireAnswer, type WireCall } from '../support/node/wire.ts'
import type { RecordedCall } from '../../local/server/calls.ts'
import { quote } from '../../local/sql-client.ts'

let stack: TestStack
let alice: string
/** All that ever reached the demo server while this file ran. */
const reached: RecordedCall[] = []

beforeAll(async () => {
  stack = await startTestStack()
  alice = await stack.token({ sub: 'alice', client: 'acme-agent' })
})
afterAll(() => stack.stop())

const EXPORT: WireCall = {
  tool: 'export_customers',
  args: { format: 'csv', destination: 'reports' },
}

/** Every call carries a cookie: it must arrive nowhere. */
const call = (parts: WireCall = {}, server = 'demo'): Promise<WireAnswer> =>
  callOnWire(stack.endpoint(server), {
    token: alice,
    ...parts,
    headers: { cookie: 'session=secret', ...parts.headers },
  })

const UNAVAILABLE = {
  status: 503,
  code: 'issuer_unavailable',
  retryable: true,
  retryAfter: expect.stringMatching(/^[1-9]\d*$/),
  challenge: null,
}
/** What a caller may have to wait for an answer, however bad things are. */
const BOUND_MS = 4_000

/** What callers are told from now until calls pass again. Nothing of Sallyport is restarted. */
async function toldUntilAllowed(
  caller: () => Promise<WireAnswer> = call,
  timeout = BOUND_MS,
): Promise<string[]> {
  const told = new Set<string>()
  await vi.waitFor(
    async () => {
      const { status, code } = await caller()
      told.add(`${status} ${code}`)
      if (code !== 'allowed') throw new Error(`still ${status} ${code}`)
    },
    { timeout, interval: 50 },
  )
  return [...told]
}

/** Not one 401 among them: the token was good all the time. */
const ONLY_UNAVAILABLE = expect.toSatisfy((told: string[]) =>
  told.every((one) => one === '503 issuer_unavailable' || one === '200 allowed'),
)

describe('the issuer is down before the first token was seen', { timeout: 20_000 }, () => {
  it('says 503 and when to come back, never 401, and lets calls pass once it is back', async () => {
    await stack.parts.issuer.stop()
    const answer = await call()
    expect(answer).toMatchObject(UNAVAILABLE)
    expect(answer.ms).toBeLessThan(BOUND_MS)

    const client = newClient(ERAS.legacy.negotiation)
    const transport = () => new StreamableHTTPClientTransport(stack.endpoint(), bearing(alice))
    await expect(client.connect(transport())).rejects.toMatchObject({ status: 503 })

    await stack.parts.issuer.start()
    expect(await toldUntilAllowed()).toEqual(ONLY_UNAVAILABLE)
    await client.connect(transport())
    expect(verdictOf(await client.callTool({ name: 'echo', arguments: { text: '' } }))).toBe(
      'allowed',
    )
    await client.close()
  })

  it('keeps on accepting tokens of a key that is known while the issuer is away', async () => {
    await stack.parts.issuer.stop()
    expect(await call()).toMatchObject({ code: 'allowed' })
    await stack.parts.issuer.start()
  })
})

/**
 * A tenant with a server of the same name and a key set that nobody has fetched yet: addresses that
 * differ in their query are different key sets. Returns a call by its token.
 */
async function addTenant(name: string): Promise<(token?: string) => Promise<WireAnswer>> {
  const [tenant, issuer] = [quote(name), quote(stack.issuer)]
  await stack.query(`
    INSERT INTO tenants (id) VALUES (${tenant});
    INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim, demo)
    VALUES (${tenant}, ${issuer}, ${quote(`${stack.issuer}/jwks.json?${name}`)}, 'tenant', 1);
    INSERT INTO clients (tenant, issuer, id) VALUES (${tenant}, ${issuer}, 'acme-agent');
    INSERT INTO servers (name, tenant, url) VALUES (${tenant}, ${tenant}, ${quote(`${stack.server}/mcp`)});
    INSERT INTO tools (tenant, server, name, access) VALUES (${tenant}, ${tenant}, '*', 'read');
    INSERT INTO policies (tenant, id, effect, agent) VALUES (${tenant}, 'all', 'allow', '*')`)
  const own = await tokenFor(name)
  return (token = own) => call({ token }, name)
}

const tokenFor = (tenant: string): Promise<string> =>
  stack.token({ sub: 'alice', client: 'acme-agent', tenant, server: tenant })

const FAULTS = ['hang', 'error', 'garbage', 'page', 'redirect', 'huge'] as const

describe('the key set of an issuer', { timeout: 20_000 }, () => {
  const callers = new Map<string, () => Promise<WireAnswer>>()

  it.each(FAULTS)('is fetched once for ten callers; %s: 503 for them, in time', async (mode) => {
    const caller = await addTenant(mode)
    callers.set(mode, caller)
    await setFault(stack, mode)
    const before = await issuerRequests(stack)

    const [other, ...answers] = await Promise.all([
      call(),
      ...Array.from({ length: 10 }, () => caller()),
    ])
    for (const answer of answers) {
      expect(answer).toMatchObject(UNAVAILABLE)
      expect(answer.ms).toBeLessThan(BOUND_MS)
    }
    // A tenant whose keys are known does not even wait.
    expect(other).toMatchObject({ code: 'allowed' })
    expect(other.ms).toBeLessThan(1_000)
    const after = await issuerRequests(stack)
    expect((after['/jwks.json'] ?? 0) - (before['/jwks.json'] ?? 0)).toBe(1)
    // A redirect would lead to the true keys: it was not followed.
    expect(after['/redirected/jwks.json']).toBeUndefined()
  })

  it('heals by itself after each of them', async () => {
    await setFault(stack, 'none')
    expect(callers.size).toBe(FAULTS.length)
    for (const caller of callers.values()) {
      expect(await toldUntilAllowed(caller)).toEqual(ONLY_UNAVAILABLE)
    }
  })

  it('that was good once serves on while the issuer answers nonsense', async () => {
    await setFault(stack, 'garbage')
    expect(await call()).toMatchObject({ code: 'allowed' })
    await setFault(stack, 'none')
  })
})

describe('the MCP server is down', { timeout: 20_000 }, () => {
  it('says 502 for what is allowed, still refuses the rest, and recovers', async () => {
    const client = await connect(stack.endpoint(), alice)
    reached.push(...(await takeCalls(stack)))
    expect(await stack.leaks()).toEqual([])
    await stack.parts.server.stop()

    const answer = await call()
    expect(answer).toMatchObject({ status: 502, code: 'upstream_unreachable', retryable: false })
    expect(answer.ms).toBeLessThan(BOUND_MS)
    const bob = await stack.token({ sub: 'bob', client: 'acme-agent' })
    expect(await call({ ...EXPORT, token: bob })).toMatchObject({ code: 'not_allowed' })
    const echo = () => client.callTool({ name: 'echo', arguments: { text: '' } })
    await expect(echo()).rejects.toMatchObject({ status: 502 })

    await stack.parts.server.start()
    expect(await call()).toMatchObject({ code: 'allowed' })
    expect(verdictOf(await echo())).toBe('allowed')
    await client.close()
  })
})

describe('the MCP server', () => {
  it('hears nothing of a call that was refused, whatever for', async () => {
    reached.push(...(await takeCalls(stack)))
    const token = (sub: string, parts: object = {}): Promise<string> =>
      stack.token({ sub, client: 'acme-agent', ...parts })
    const [bob, narrow, lapsed, elsewhere, stranger, otherTenant, idToken] = await Promise.all([
      token('bob'),
      token('carol', { scope: 'demo:use' }),
      token('carol', { lifetimeSeconds: -10 }),
      token('carol', { server: 'globex-demo' }),
      token('carol', { client: 'nobody' }),
      token('carol', { tenant: 'globex' }),
      token('carol', { type: 'JWT' }),
    ])
    const refused: readonly (readonly [string, WireCall])[] = [
      ['token_invalid', { token: 'not.a.token' }],
      ['token_invalid', { token: lapsed }],
      ['token_invalid', { token: elsewhere }],
      ['token_invalid', { token: otherTenant }],
      ['token_invalid', { token: idToken }],
      ['client_not_registered', { token: stranger }],
      ['insufficient_scope', { ...EXPORT, token: narrow }],
      ['not_allowed', { ...EXPORT, token: bob }],
      ['tool_unknown', { tool: 'no_such_tool' }],
      ['origin_not_allowed', { headers: { origin: 'https://evil.example' } }],
    ]
    for (const [code, parts] of refused) expect(await call(parts)).toMatchObject({ code })
    expect(await takeCalls(stack)).toEqual([])

    await call({ args: { text: 'after all' } })
    const calls = await takeCalls(stack)
    expect(calls).toMatchObject([{ tool: 'echo', arguments: { text: 'after all' } }])
    reached.push(...calls)
  })
})

describe('a key that the issuer begins to sign with', { timeout: 60_000 }, () => {
  it('is good at once where its key set was not fetched yet, and so is the old one', async () => {
    const caller = await addTenant('rotated')
    await rotateKey(stack)
    expect(await caller(await tokenFor('rotated'))).toMatchObject({ code: 'allowed' })
    expect(await caller()).toMatchObject({ code: 'allowed' })
  })

  it('replaces the old one where the issuer drops that: its tokens are refused', async () => {
    const caller = await addTenant('dropped')
    await rotateKey(stack, true)
    expect(await caller(await tokenFor('dropped'))).toMatchObject({ code: 'allowed' })
    expect(await caller()).toMatchObject({ status: 401, code: 'token_invalid' })
  })

  // The wait is what protects an issuer from made-up key ids.
  it.runIf(process.env['PROPERTY_RUNS'] === 'full')(
    'is good half a minute after the key set was fetched last, without a restart',
    async () => {
      await rotateKey(stack)
      const token = await stack.token({ sub: 'alice', client: 'acme-agent' })
      const told = await toldUntilAllowed(() => call({ token }), 35_000)
      expect(told.at(-1)).toBe('200 allowed')
    },
  )
})

describe('over all of this', () => {
  it('the MCP server was never shown a credential of a client', async () => {
    reached.push(...(await takeCalls(stack)))
    expect(reached.length).toBeGreaterThan(10)
    for (const { headers } of reached) {
      expect(headers).toMatchObject({ authorization: false, cookie: false })
      expect(Object.values(headers).join(' ')).not.toContain('secret')
    }
    // It would have noticed: this call goes past Sallyport.
    const token = 'secret'
    await callOnWire(new URL('/mcp', stack.server), { token, headers: { cookie: 'a=b' } })
    expect(await stack.leaks()).toEqual(['/mcp'])
  })
})
