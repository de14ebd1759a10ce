import fc from 'fast-check'
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  sessionKey,
  sql,
  token,
} from '../../support/worker/world.ts'
import { propertyRuns } from '../../support/property-runs.ts'
import { ask, askMany, mayCall, register } from './ask.ts'

inThisWorld()
beforeEach(() => register())

const eventsOf = async (sub: string): Promise<unknown[]> =>
  runInDurableObject(env.SESSIONS.getByName(await sessionKey(sub)), (_, { storage }) =>
    storage.sql.exec('SELECT state FROM events').toArray(),
  )

describe('a question', () => {
  it('admits, consumes and records nothing', async () => {
    const sub = await newUser()
    for (let asked = 0; asked < 20; asked += 1) {
      expect(await ask(mayCall('note', sub))).toMatchObject({ decision: true })
      expect((await ask(mayCall('note', `${sub}-unknown`))).decision).toBe(false)
    }
    expect(await eventsOf(sub)).toEqual([])
    expect(await eventsOf(`${sub}-unknown`)).toEqual([])
  })

  it('is not promised what the history could refuse', async () => {
    const sub = await newUser()
    expect(await ask(mayCall('export_all', sub))).toMatchObject({
      decision: false,
      context: { reason: 'history_applies' },
    })
    await sql("UPDATE sequence_rules SET effect = 'audit'")
    expect(await ask(mayCall('export_all', sub))).toMatchObject({ decision: true })
  })

  it('an edit governs the next one, in both directions', async () => {
    const question = mayCall('note', await newUser())
    const seen: (boolean | undefined)[] = []
    for (let edit = 0; edit < 20; edit += 1) {
      await sql(`UPDATE policies SET enabled = ${edit % 2}`)
      seen.push((await ask(question)).decision)
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, edit) => edit % 2 === 1))
  })

  it('an observed server answers as the front door would, and says what it will be', async () => {
    await sql(`UPDATE servers SET observe_until = ${Date.now() + 3_600_000}`)
    expect(await ask(mayCall('note', 'nobody'))).toMatchObject({
      decision: true,
      context: { would_be: 'not_allowed' },
    })
    expect(await ask(mayCall('export_all', await newUser()))).toMatchObject({
      decision: true,
      context: { would_be: 'history_applies' },
    })
  })

  it('an approval or a login that is missing is a no that says what helps', async () => {
    await sql("UPDATE policies SET require_approval = 1, require_acr = 'gold', max_auth_age_s = 60")
    const sub = await newUser()
    const step = await ask(mayCall('note', sub))
    expect(step).toMatchObject({
      decision: false,
      context: { reason: 'insufficient_authentication', acr_values: 'gold', max_age: 60 },
    })
    const question = mayCall('note', sub)
    const now = Math.floor(Date.now() / 1000)
    const properties = { client: 'acme-agent', acr: 'gold', auth_time: now }
    const loggedIn = { ...question, subject: { ...question.subject, properties } }
    expect(await ask(loggedIn)).toMatchObject({
      decision: false,
      context: { reason: 'approval_required', help: { kind: 'ask_for_approval' } },
    })
  })

  it('scopes that the caller does not tell are for the caller to check', async () => {
    const sub = await newUser()
    expect(await ask(mayCall('note', sub))).toMatchObject({
      decision: true,
      context: { scopes_needed: ['crm'] },
    })
    const with_ = (properties: object) => ({
      ...mayCall('note', sub),
      subject: { type: 'user', id: sub, properties: { client: 'acme-agent', ...properties } },
    })
    expect(await ask(with_({ scopes: ['crm'] }))).toMatchObject({ decision: true, context: {} })
    expect(await ask(with_({ scope: 'x' }))).toMatchObject({
      decision: false,
      context: { reason: 'insufficient_scope' },
    })
  })

  it('arguments that nobody told leave no yes that hangs on them', async () => {
    const { context: _, ...untold } = mayCall('note', await newUser())
    expect(await ask(untold)).toMatchObject({ decision: true })
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES ('acme', 'large', 'deny', 'note', 'has(args.n) && args.n > 5.0')`,
    )
    expect(await ask(untold)).toMatchObject({
      decision: false,
      context: { reason: 'arguments_needed' },
    })
    expect(await ask({ ...untold, context: { arguments: { n: 1 } } })).toMatchObject({
      decision: true,
    })
    expect(await ask({ ...untold, context: { arguments: { n: 6 } } })).toMatchObject({
      decision: false,
      context: { reason: 'denied_by_policy' },
    })
  })

  it('names what is revoked of its subject, and the subject alone is refused', async () => {
    const sub = await newUser()
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
    expect(await ask(mayCall('note', sub))).toMatchObject({
      decision: false,
      context: { reason: 'revoked' },
    })
    expect(await ask(mayCall('note', await newUser()))).toMatchObject({ decision: true })
  })

  it("says the same of another tenant's resource as of nobody's yes", async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO servers (name, tenant, url) VALUES ('hers', 'globex', 'https://crm.example/mcp')",
      "INSERT INTO resource_types (tenant, name) VALUES ('globex', 'file'), ('acme', 'file')",
      "INSERT INTO resources (tenant, type, id) VALUES ('globex', 'file', 'a')",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/file', 'file')",
    )
    const sub = await newUser()
    const theirs = await ask(mayCall('note', sub, { arguments: { file: 'a' } }))
    expect(theirs).toMatchObject({ decision: false })
    const nobodys = await ask(mayCall('note', 'nobody', { arguments: { file: 'b' } }))
    expect(theirs.text).toBe(nobodys.text)
  })
})

describe('the same answer as the front door', () => {
  const people = ['alice', 'stranger']
  const clients = ['acme-agent', 'other-agent', 'nobody']
  const tools = ['note', 'read_all', 'nothing']
  const rows: readonly string[] = [
    `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES ('acme', 'x', 'deny', 'note', 'has(args.n) && args.n > 5.0')`,
    "UPDATE clients SET active = 0 WHERE id = 'other-agent'",
    'UPDATE servers SET consent_required = 1',
    `INSERT INTO policies (tenant, id, effect, agent, access) VALUES ('acme', 'y', 'allow', '*', 'read')`,
    "UPDATE tools SET required_scope = 'more' WHERE name = 'note'",
    "UPDATE policies SET require_acr = 'gold'",
    `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')`,
    'UPDATE tenants SET active = 0',
  ]
  /** Everybody's call of everything, at both doors. */
  async function compared(): Promise<{ allowed: number; refused: number }> {
    const found = { allowed: 0, refused: 0 }
    for (const sub of people) {
      for (const client of clients) {
        for (const tool of tools) {
          for (const agent of [{}, { agent: 'bot' }]) {
            const args = client === 'acme-agent' ? { n: 'agent' in agent ? 6 : 1 } : {}
            const reply = await ask({
              subject: { type: 'user', id: sub, properties: { client, scopes: ['crm'], ...agent } },
              action: { name: 'tools/call' },
              resource: { type: 'tool', id: tool },
              context: { arguments: args },
            })
            const bearer = await token({ sub, client, ...agent })
            const { code } = await call(tool, { token: bearer, args })
            const said = reply.decision === true ? 'allowed' : reply.context.reason
            const which = { sub, client, tool, ...agent }
            expect({ ...which, said }).toEqual({ ...which, said: code })
            found[code === 'allowed' ? 'allowed' : 'refused'] += 1
          }
        }
      }
    }
    return found
  }

  it('as the rows are', async () => {
    const { allowed, refused } = await compared()
    expect(allowed).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })

  it.each(rows)('%s', async (row) => {
    await sql(row)
    expect((await compared()).refused).toBeGreaterThan(0)
  })

  const column = (...values: readonly string[]) =>
    fc.constantFrom('NULL', ...values.map((value) => `'${value}'`))
  const policy = fc.record({
    effect: fc.constantFrom("'allow'", "'deny'"),
    mode: fc.constantFrom("'enforce'", "'enforce'", "'shadow'"),
    role: column('sales', 'nobody'),
    client: column('acme-agent', 'other-agent'),
    agent: column('*', 'bot'),
    tool: column('note', 're*', '*'),
    access: column('read', 'write'),
    condition: column('args.n > 5.0', 'has(args.n)', 'subject.kind == "user"', 'broken('),
  })
  const sets = fc.sample(fc.array(policy, { minLength: 1, maxLength: 4 }), propertyRuns(120))

  it.each(sets.map((set) => ({ set })))('$set', async ({ set }) => {
    const inserted = set.map(
      (row, at) =>
        `INSERT INTO policies (tenant, id, ${Object.keys(row).join()}) VALUES ('acme', 'p${at}', ${Object.values(row).join()})`,
    )
    await sql("UPDATE policies SET access = 'read'", ...inserted)
    const { allowed, refused } = await compared()
    expect(allowed + refused).toBe(people.length * clients.length * tools.length * 2)
  })
})

describe('COAZ default mappings', () => {
  const identity = async () => ({ type: 'identity', id: await newUser() })
  const cells: readonly [method: string, resource: object, decision: boolean, reason?: string][] = [
    ['initialize', { type: 'mcp_server', id: `${ORIGIN}/crm/mcp` }, true],
    ['tools/list', { type: 'mcp_server', id: 'crm' }, true],
    ['server/discover', { type: 'mcp_server', id: 'crm' }, true],
    ['ping', { type: 'mcp_server', id: 'crm' }, true],
    ['notifications/initialized', { type: 'mcp_server', id: 'crm' }, true],
    ['tools/call', { type: 'tool', id: 'note' }, true],
    ['tools/call', { type: 'tool', id: 'nothing' }, false, 'tool_unknown'],
    ['notifications/roots/list_changed', { type: 'mcp_server', id: 'crm' }, true],
    ['notifications/tasks/status', { type: 'mcp_server', id: 'crm' }, false, 'method_unknown'],
    ['resources/read', { type: 'resource', id: 'file:///x' }, false, 'tool_unknown'],
    ['prompts/get', { type: 'prompt', id: 'note' }, false, 'tool_unknown'],
    ['tasks/get', { type: 'task', id: '1' }, false, 'method_unknown'],
    ['subscriptions/listen', { type: 'mcp_server', id: 'crm' }, false, 'method_unknown'],
    ['made/up', { type: 'mcp_server', id: 'crm' }, false, 'method_unknown'],
  ]
  it.each(cells)('%s of %o', async (name, resource, decision, reason) => {
    const reply = await ask({
      subject: await identity(),
      action: { name },
      resource,
      context: { agent: 'acme-agent' },
    })
    expect(reply.decision).toBe(decision)
    expect(reply.context.reason).toBe(reason)
  })
})

describe('many questions at once', () => {
  const items = [
    { resource: { type: 'tool', id: 'note' } },
    { resource: { type: 'tool', id: 'x' } },
    7,
    {},
  ]
  const body = async (semantic?: string, evaluations: unknown = items) => ({
    ...mayCall('read_all', await newUser()),
    evaluations,
    ...(semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }),
  })
  const decisions = (reply: Awaited<ReturnType<typeof ask>>) =>
    reply.evaluations.map(({ decision }) => decision)

  it('in order, a faulty one answered no in its place', async () => {
    const reply = await askMany(await body())
    expect(decisions(reply)).toEqual([true, false, false, true])
    expect(reply.evaluations[2]?.context.error?.status).toBe(400)
  })

  it('up to the answer that ends it', async () => {
    expect(decisions(await askMany(await body('deny_on_first_deny')))).toEqual([true, false])
    expect(decisions(await askMany(await body('permit_on_first_permit')))).toEqual([true])
    expect((await askMany(await body('something'))).status).toBe(400)
  })

  it('a question outside the row is an error of its own', async () => {
    const outside = [{}, { context: { server: 'hers' } }]
    const reply = await askMany(await body(undefined, outside))
    expect(decisions(reply)).toEqual([true, false])
    expect(reply.evaluations[1]?.context.error?.status).toBe(403)
  })

  it('without a list it is a question of its own; with too long a one it is none', async () => {
    expect(await askMany(await body(undefined, []))).toMatchObject({ decision: true })
    expect((await askMany(await body(undefined, Array(51).fill({})))).status).toBe(400)
    expect((await askMany(await body(undefined, Array(50).fill({})))).evaluations).toHaveLength(50)
  })
})

describe('who acts', () => {
  it('a workload is judged as itself, and a person never as software', async () => {
    await sql(
      `INSERT INTO policies (tenant, id, effect, client) VALUES ('acme', 'job', 'allow', 'other-agent')`,
    )
    const note = { action: { name: 'tools/call' }, resource: { type: 'tool', id: 'note' } }
    const job = { ...note, subject: { type: 'workload', id: 'other-agent' } }
    expect(await ask(job)).toMatchObject({ decision: true })
    for (const [type, id, client] of [
      ['user', 'other-agent', 'other-agent'],
      ['workload', 'alice', 'other-agent'],
    ]) {
      const subject = { type, id, properties: { client } }
      expect((await ask({ ...note, subject })).status).toBe(400)
    }
    expect(await ask({ ...note, subject: { type: 'group', id: 'alice' } })).toMatchObject({
      decision: false,
      context: { reason: 'subject_type_unknown' },
    })
  })

  it('the caller itself is the client where none is named', async () => {
    const subject = { type: 'user', id: await newUser() }
    const question = { ...mayCall('note', ''), subject }
    expect(await ask(question)).toMatchObject({ context: { reason: 'client_not_registered' } })
    await sql(`INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'pep')`)
    expect(await ask(question)).toMatchObject({ decision: true })
  })
})
