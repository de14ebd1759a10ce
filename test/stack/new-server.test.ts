import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, ERAS, verdictOf } from '../support/node/client.ts'
import { takeCalls } from '../support/node/demo.ts'
import { startNewServer, type NewServer } from '../support/node/mcp-server.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { callOnWire, type WireCall } from '../support/node/wire.ts'
import { quote } from '../../local/sql-client.ts'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

describe('a server that Sallyport has never heard of', { timeout: 20_000 }, () => {
  let weather: NewServer
  beforeAll(async () => {
    weather = await startNewServer()
  })
  afterAll(() => weather.stop())

  const FORECAST = { name: 'forecast', arguments: { place: 'Oslo' } }

  it('answers on the very next call after three rows, and no call after its policy is gone', async () => {
    const token = await stack.token({ sub: 'alice', client: 'acme-agent', server: 'weather' })
    const endpoint = stack.endpoint('weather')
    expect(await callOnWire(endpoint, { token })).toMatchObject({ code: 'server_unknown' })

    const url = await stack.tap(weather.url)
    await stack.query(`
      INSERT INTO servers (name, tenant, url) VALUES ('weather', 'acme', ${quote(url)});
      INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'weather', '*', 'read')`)
    expect(await callOnWire(endpoint, { token })).toMatchObject({ code: 'not_allowed' })
    expect(weather.requests()).toBe(0)

    await stack.query(`
      INSERT INTO policies (tenant, id, effect, agent, server)
      VALUES ('acme', 'weather-for-all', 'allow', '*', 'weather')`)
    const clients: Client[] = []
    for (const { negotiation } of Object.values(ERAS)) {
      const client = await connect(endpoint, token, negotiation)
      clients.push(client)
      expect((await client.listTools()).tools).toMatchObject([{ name: 'forecast' }])
      expect(await client.callTool(FORECAST)).toMatchObject({ content: [{ text: 'Sun in Oslo' }] })
    }

    await stack.query(`DELETE FROM policies WHERE id = 'weather-for-all'`)
    const before = weather.requests()
    for (const client of clients) {
      expect(verdictOf(await client.callTool(FORECAST))).toBe('not_allowed')
    }
    expect(weather.requests()).toBe(before)
    await Promise.all(clients.map((client) => client.close()))
    // Nothing of the client arrived there. It would be noticed: this call goes past Sallyport.
    expect(await stack.leaks()).toEqual([])
    await callOnWire(new URL(url), { token, tool: 'forecast', freshConnection: true })
    expect(await stack.leaks()).toContain(token)
  })
})

/** Each takes alice's right away and gives it back; what she is told in between. */
const CHANGES = {
  'a policy': {
    away: `UPDATE policies SET enabled = 0 WHERE tenant = 'acme' AND id = 'sales-may-read'`,
    back: `UPDATE policies SET enabled = 1 WHERE tenant = 'acme' AND id = 'sales-may-read'`,
    told: 'not_allowed',
  },
  'a deny': {
    away: `INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no-echo', 'deny', 'echo')`,
    back: `DELETE FROM policies WHERE id = 'no-echo'`,
    told: 'denied_by_policy',
  },
  'a role': {
    away: `UPDATE role_assignments SET role = 'nothing' WHERE tenant = 'acme' AND holder = 'alice'`,
    back: `UPDATE role_assignments SET role = 'sales' WHERE tenant = 'acme' AND holder = 'alice'`,
    told: 'not_allowed',
  },
  'a revocation': {
    away: `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', 'alice')`,
    back: `DELETE FROM revocations WHERE id = 'alice'`,
    told: 'revoked',
  },
} as const

describe('with one token, on one connection', { timeout: 20_000 }, () => {
  const ECHO = { name: 'echo', arguments: { text: '' } }
  let client: Client
  beforeAll(async () => {
    const token = await stack.token({ sub: 'alice', client: 'acme-agent' })
    client = await connect(stack.endpoint(), token)
  })
  afterAll(() => client.close())

  it.each(Object.entries(CHANGES))(
    '%s changed by SQL is felt by the very next call, 100 of 100 times',
    async (_, { away, back, told }) => {
      const seen: string[] = []
      for (let round = 0; round < 50; round += 1) {
        await stack.query(away)
        seen.push(verdictOf(await client.callTool(ECHO)))
        await stack.query(back)
        seen.push(verdictOf(await client.callTool(ECHO)))
      }
      expect(seen).toEqual(Array.from({ length: 50 }, () => [told, 'allowed']).flat())
    },
  )

  it('a revoked token is refused at its next call, and the client knows it needs another', async () => {
    const jti = 'token-of-this-test'
    const token = await stack.token({ sub: 'alice', client: 'acme-agent', claims: { jti } })
    const own = await connect(stack.endpoint(), token)
    expect(verdictOf(await own.callTool(ECHO))).toBe('allowed')
    await stack.query(
      `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', '${jti}')`,
    )
    await expect(own.callTool(ECHO)).rejects.toMatchObject({ status: 401 })
    expect(verdictOf(await client.callTool(ECHO))).toBe('allowed')
    await own.close()
  })
})

describe('after reading in bulk', { timeout: 20_000 }, () => {
  const READ: WireCall = { tool: 'search_customers', args: { query: '*' } }
  const EXPORT: WireCall = {
    tool: 'export_customers',
    args: { format: 'csv', destination: 'reports' },
  }
  const token = (sub: string, parts: { client?: string; agent?: string } = {}) =>
    stack.token({ sub, client: 'acme-agent', ...parts })
  const call = async (bearer: string, parts: WireCall): Promise<string> =>
    (await callOnWire(stack.endpoint(), { ...parts, token: bearer })).code

  /** Somebody new, so that nothing is behind them yet. */
  const hire = async (name: string): Promise<string> => {
    await stack.query(`
      INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
      VALUES ('acme', ${quote(stack.issuer)}, 'user', ${quote(name)}, 'sales')`)
    return name
  }

  it('who has read nothing may export', async () => {
    expect(await call(await token(await hire('fresh')), EXPORT)).toBe('allowed')
  })

  it('no new session id, connection, token, client or agent empties the history', async () => {
    const erin = await hire('erin')
    const first = await token(erin)
    expect(await call(first, READ)).toBe('allowed')
    await takeCalls(stack)

    const told: Record<string, string> = {
      'the same token': await call(first, EXPORT),
      'a session id': await call(first, { ...EXPORT, headers: session('one') }),
      'another session id': await call(first, { ...EXPORT, headers: session('two') }),
      'a fresh token': await call(await token(erin), EXPORT),
      'another client': await call(await token(erin, { client: 'other-agent' }), EXPORT),
      'an added agent': await call(await token(erin, { agent: 'research-bot' }), EXPORT),
      'a fresh connection': await call(first, { ...EXPORT, freshConnection: true }),
    }
    for (const [era, { negotiation }] of Object.entries(ERAS)) {
      const client = await connect(stack.endpoint(), await token(erin), negotiation)
      const { tool: name = '', args } = EXPORT
      told[`the SDK client, ${era}`] = verdictOf(
        await client.callTool({ name, arguments: { ...args } }),
      )
      await client.close()
    }
    expect(new Set(Object.values(told)), JSON.stringify(told)).toEqual(
      new Set(['denied_by_sequence']),
    )
    expect((await takeCalls(stack)).filter((one) => one.tool === EXPORT.tool)).toEqual([])
  })

  it('a dropped or exchanged agent does not empty it either', async () => {
    const frank = await hire('frank')
    expect(await call(await token(frank, { agent: 'research-bot' }), READ)).toBe('allowed')
    expect(await call(await token(frank), EXPORT)).toBe('denied_by_sequence')
    expect(await call(await token(frank, { agent: 'mail-bot' }), EXPORT)).toBe('denied_by_sequence')
  })

  it('and no restart of Sallyport does', async () => {
    const grace = await hire('grace')
    const bearer = await token(grace)
    expect(await call(bearer, READ)).toBe('allowed')
    await stack.parts.sallyport.stop()
    await stack.parts.sallyport.start()
    expect(await call(bearer, EXPORT)).toBe('denied_by_sequence')
  })
})

const session = (id: string): Record<string, string> => ({ 'mcp-session-id': id })
