import { describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  ISSUER,
  message,
  newUser,
  ORIGIN,
  post,
  seen,
  sql,
  verdict,
} from '../../support/worker/world.ts'
import {
  by,
  codeOf,
  modernCall,
  onlyRules,
  rawCall,
  ruleRow,
  seedMail,
  taskRow,
  type Way,
} from './second-server.ts'

inThisWorld()

const BOTH = [`${ORIGIN}/crm/mcp`, `${ORIGIN}/mail/mcp`]

const ways: readonly (readonly [string, Way])[] = [
  ['a new token', {}],
  ['a new Mcp-Session-Id', { headers: { 'mcp-session-id': crypto.randomUUID() } }],
  ['an empty Mcp-Session-Id', { headers: { 'mcp-session-id': ' ' } }],
  ['a new connection', { headers: { connection: 'close', 'user-agent': 'another' } }],
  [
    'headers that name another caller',
    {
      headers: {
        'x-forwarded-for': '203.0.113.9',
        forwarded: 'for=203.0.113.9',
        'cf-connecting-ip': '203.0.113.9',
        'x-user': 'somebody',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      },
    },
  ],
  ['another version of the legacy era', { headers: { 'mcp-protocol-version': '2025-03-26' } }],
  ['another client', { client: 'other-agent' }],
  ['an agent', { agent: 'bot' }],
  ['another client and an agent', { client: 'other-agent', agent: 'bot' }],
  ['another login', { claims: { sid: 'new', auth_time: 1, acr: 'gold' } }],
  ['more scopes', { scope: 'crm openid profile other' }],
  ['a token for several servers', { claims: { aud: BOTH } }],
  ['a token with an azp', { claims: { azp: 'acme-agent' } }],
  ['a longer chain of actors', { claims: { act: { sub: 'bot', act: { sub: 'before' } } } }],
  ['a name and roles of its own', { claims: { name: 'X', roles: ['new'], groups: ['new'] } }],
]

describe('a rule of scope subject goes on with', () => {
  it.each(ways)('%s: read before, exported after', async (_, way) => {
    const sub = await newUser()
    expect(await codeOf(sub, 'export_all', {}, way)).toBe('allowed')
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    expect(await codeOf(sub, 'export_all', {}, way)).toBe('denied_by_sequence')
    expect(seen).toHaveLength(2)
  })

  it.each(ways)('%s: read by that way, exported by the usual one', async (_, way) => {
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all', {}, way)).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it.each(ways)('%s on a second server', async (_, way) => {
    await seedMail()
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    expect(await codeOf(sub, 'export_mail', {}, { ...way, server: 'mail' })).toBe(
      'denied_by_sequence',
    )
  })

  it('another era of the protocol, in both directions', async () => {
    const [one, other] = [await newUser(), await newUser()]
    expect((await verdict(await modernCall(one, 'export_all'))).code).toBe('allowed')
    expect((await verdict(await modernCall(one, 'read_all'))).code).toBe('allowed')
    expect(await codeOf(one, 'export_all')).toBe('denied_by_sequence')
    expect(await codeOf(other, 'read_all')).toBe('allowed')
    expect((await verdict(await modernCall(other, 'export_all'))).code).toBe('denied_by_sequence')
  })

  it('every task that is opened, closed, or open beside it', async () => {
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    await sql(taskRow(sub, 'first'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql(
      "UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'first'",
      taskRow(sub, 'second'),
    )
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql("UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'second'")
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a read inside a task and an export outside of any', async () => {
    const sub = await newUser()
    await sql(taskRow(sub, 'inside'))
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    await sql("UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'inside'")
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a handshake, a listing or a cancellation between the two', async () => {
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    const between = [
      message('initialize', { protocolVersion: '2025-11-25', capabilities: {} }),
      message('ping'),
      message('tools/list'),
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: 2 },
      }),
    ]
    for (const body of between) await (await post(body, await by(sub))).text()
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('an attempt to end the session', async () => {
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    const options = await by(sub, { headers: { 'mcp-session-id': 'mine' } })
    expect((await post('', { ...options, method: 'DELETE' })).status).toBe(404)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('every registration that is taken back and given again', async () => {
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all', {}, { agent: 'bot' })).toBe('allowed')
    const again = (table: string, id: string) => [
      `DELETE FROM ${table} WHERE id = '${id}'`,
      `INSERT INTO ${table} (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${id}')`,
    ]
    await sql(...again('agents', 'bot'), ...again('clients', 'acme-agent'))
    await sql(
      `DELETE FROM role_assignments WHERE holder = '${sub}'`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', '${sub}', 'sales')`,
    )
    expect(await codeOf(sub, 'export_all', {}, { agent: 'bot' })).toBe('denied_by_sequence')
  })

  it('a server that is taken away and put back, and its tools with it', async () => {
    await seedMail()
    const sub = await newUser()
    expect(await codeOf(sub, 'find', {}, { server: 'mail' })).toBe('allowed')
    await onlyRules({
      id: 'no-export',
      on_label: 'sink.export',
      type: 'temporal',
      rules: '["source.confidential"]',
    })
    await sql(
      "DELETE FROM tool_arguments WHERE server = 'mail'",
      "DELETE FROM tool_labels WHERE server = 'mail'",
      "DELETE FROM tools WHERE server = 'mail'",
      "DELETE FROM servers WHERE name = 'mail'",
    )
    // What has no row any more may have been anything.
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql(
      `INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('mail', 'acme', 'https://crm.example/mcp/mail', 1, 'crm')`,
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'mail', 'find', 'read', 1)",
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'mail', 'find', 'source.confidential')",
    )
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})

describe('what a caller says of itself in the call chooses no history', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a session', { _meta: { sessionId: 'new', 'mcp-session-id': 'new' } }],
    [
      'a task',
      { _meta: { task: 'mine', 'io.modelcontextprotocol/related-task': { taskId: 'x' } } },
    ],
    ['a subject', { _meta: { sub: 'somebody', subject: 'somebody', actor: 'somebody' } }],
    ['a request for a task of the protocol', { task: { ttl: 60_000 } }],
  ])('%s', async (_, more) => {
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all')).toBe('allowed')
    seen.length = 0
    const body = message('tools/call', { name: 'export_all', arguments: {}, ...more })
    const said = await verdict(await post(body, await by(sub)))
    expect(said.code).not.toBe('allowed')
    expect(seen).toEqual([])
  })

  it('the same id of a request again is another call, and counts', async () => {
    const sub = await newUser()
    const options = await by(sub)
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'delete_one', arguments: {} },
    })
    const codes: string[] = []
    for (let n = 0; n < 12; n += 1) codes.push((await verdict(await post(body, options))).code)
    expect(codes.filter((code) => code === 'allowed')).toHaveLength(10)
  })
})

describe('a lock-out of scope actor', () => {
  const lock = ruleRow({
    id: 'lock',
    on_label: 'any',
    type: 'event_count',
    rules: '["decision.denied"]',
    scope: 'actor',
    timespan_s: 600,
    condition: '{"gte":3}',
  })

  const locked = async () => {
    await seedMail()
    await sql(lock)
    const sub = await newUser()
    for (let n = 0; n < 3; n += 1) {
      expect(await codeOf(sub, 'nothing_of_that_name', { n })).toBe('tool_unknown')
    }
    return sub
  }

  it.each<[string, Way]>([
    ['a new token', {}],
    ['another Mcp-Session-Id', { headers: { 'mcp-session-id': 'new' } }],
    ['another server', { server: 'mail' }],
    ['other scopes and another login', { scope: 'crm more', claims: { sid: 'new', auth_time: 1 } }],
  ])('follows the same client and agent with %s', async (_, way) => {
    const sub = await locked()
    const tool = way.server === 'mail' ? 'find' : 'note'
    expect(await codeOf(sub, tool, {}, way)).toBe('denied_by_sequence')
  })

  it.each<[string, Way]>([
    ['another client', { client: 'other-agent' }],
    ['an agent behind the same client', { agent: 'bot' }],
  ])('does not follow the person to %s: one client locks nobody out of another', async (_, way) => {
    const sub = await locked()
    expect(await codeOf(sub, 'note')).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'note', {}, way)).toBe('allowed')
  })

  it('cannot be written for the subject: SQL refuses it', async () => {
    await expect(
      sql(
        ruleRow({
          id: 'wide',
          on_label: 'any',
          type: 'event_count',
          rules: '["decision.denied"]',
          timespan_s: 60,
          condition: '{"gte":3}',
        }),
      ),
    ).rejects.toThrow(/constraint/i)
  })

  it('an agent that nobody registered is no second chance: it is refused', async () => {
    const sub = await locked()
    expect(await codeOf(sub, 'note', {}, { agent: 'made-up' })).toBe('agent_not_registered')
    expect(await codeOf(sub, 'note', {}, { client: 'made-up' })).toBe('client_not_registered')
  })
})

describe('a budget of scope task', () => {
  const rules = [
    {
      id: 'per-task',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      scope: 'task',
      timespan_s: 600,
      condition: '{"gt":3}',
    },
    {
      id: 'in-all',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespan_s: 600,
      condition: '{"gt":5}',
    },
  ] as const

  const deletes = async (sub: string, times: number, way: Way = {}) => {
    const codes: string[] = []
    for (let n = 0; n < times; n += 1) codes.push(await codeOf(sub, 'delete_one', { n }, way))
    return codes.filter((code) => code === 'allowed').length
  }

  it('is emptied by a second task, and the rule of scope subject beside it is not', async () => {
    await onlyRules(...rules)
    const sub = await newUser()
    await sql(taskRow(sub, 'first'))
    expect(await deletes(sub, 5)).toBe(3)
    await sql(
      "UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'first'",
      taskRow(sub, 'second'),
    )
    expect(await deletes(sub, 5)).toBe(2)
    await sql(
      "UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'second'",
      taskRow(sub, 'third'),
    )
    expect(await deletes(sub, 5)).toBe(0)
    await sql("UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'third'")
    expect(await deletes(sub, 5)).toBe(0)
    expect(await deletes(sub, 5, { client: 'other-agent' })).toBe(0)
  })

  it('goes on where the same task is closed, and it cannot be opened again', async () => {
    await onlyRules(rules[0])
    const sub = await newUser()
    await sql(taskRow(sub, 'same'))
    expect(await deletes(sub, 3)).toBe(3)
    for (const statement of [
      "UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'same'",
      taskRow(sub, 'again'),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await sql(statement)
    }
    for (const statement of [
      "UPDATE tasks SET closed_at = NULL WHERE id = 'same'",
      "DELETE FROM tasks WHERE id = 'same'",
      taskRow(sub, 'same', { agent: 'bot' }),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(sql(statement)).rejects.toThrow(/a task is proof/)
    }
  })

  it('cannot be told from another by an actor with two tasks open: it may call nothing', async () => {
    await onlyRules(rules[0])
    const sub = await newUser()
    await sql(taskRow(sub, 'one'), taskRow(sub, 'two'))
    expect(await codeOf(sub, 'delete_one')).toBe('task_ambiguous')
    expect((await rawCall(sub, 'delete_one', { task: 'one' })).status).toBe(200)
    expect(await codeOf(sub, 'delete_one', { task: 'one', task_id: 'two' })).toBe('task_ambiguous')
    expect((await call('delete_one', await by(sub, { client: 'other-agent' }))).code).toBe(
      'allowed',
    )
  })

  it('is no rule for flows: SQL refuses one', async () => {
    await expect(
      sql(
        ruleRow({
          id: 'flow',
          on_label: 'sink.export',
          type: 'temporal',
          rules: '["source.confidential"]',
          scope: 'task',
        }),
      ),
    ).rejects.toThrow(/constraint/i)
  })
})
