import { beforeEach, describe, expect, it } from 'vitest'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  newUser,
  seen,
  sql,
  token,
} from '../../support/worker/world.ts'
import { lastOf, outcomeOf } from '../../support/worker/log.ts'
import { ask, close, notes, openerRow, openerToken, read, rowsOf, setUp } from '../tasks/door.ts'

inThisWorld()
beforeEach(setUp)

const with_ = (handle: string | undefined) => ({ headers: { 'sallyport-task': handle ?? '' } })

describe('a handle in other hands', () => {
  it('of another person, client or agent is the handle of nobody', async () => {
    const [alice, mallory] = [await newUser(), await newUser()]
    const { handle } = await ask(notes({ subject: alice }))
    const hands = {
      'another person': await token({ sub: mallory }),
      'another client of hers': await token({ sub: alice, client: 'other-agent' }),
      'an agent behind the same client': await token({ sub: alice, agent: 'bot' }),
    }
    for (const [who, bearer] of Object.entries(hands)) {
      // oxlint-disable-next-line no-await-in-loop
      const stolen = await call('note', { token: bearer, ...with_(handle) })
      // oxlint-disable-next-line no-await-in-loop
      const madeUp = await call('note', { token: bearer, ...with_(`sptask_${'x'.repeat(43)}`) })
      expect(stolen, who).toMatchObject({ code: 'task_unknown', status: 200 })
      expect(madeUp).toMatchObject({ code: stolen.code, status: stolen.status })
    }
    expect(seen).toEqual([])
    expect((await lastOf(mallory)).record.inputs.facts.tasks).toEqual([])
    expect(
      (await call('note', { token: await token({ sub: alice }), ...with_(handle) })).code,
    ).toBe('allowed')
  })

  it('is no token: without one it opens nothing', async () => {
    const { handle } = await ask(notes())
    expect((await call('note', { token: null, ...with_(handle) })).status).toBe(401)
    expect((await call('note', { token: handle ?? '' })).status).toBe(401)
  })

  it('replayed after the end of its task is over, and a new task has a new one', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    const first = await ask(notes({ subject: sub }), { key: 'k' })
    await close(first.id)
    const second = await ask(notes({ subject: sub }), { key: 'k2' })
    expect(second.handle).not.toBe(first.handle)
    expect((await call('note', { token: bearer, ...with_(first.handle) })).code).toBe('task_ended')
    expect((await call('note', { token: bearer, ...with_(second.handle) })).code).toBe('allowed')
  })

  it('its digest is no handle', async () => {
    const sub = await newUser()
    await ask(notes({ subject: sub }))
    const [row] = await rowsOf()
    const digest = String(row?.['handle_digest'])
    const shown = await call('note', { token: await token({ sub }), ...with_(digest) })
    expect(shown.code).toBe('task_unknown')
  })
})

describe('what acts under a task says nothing of it', () => {
  /** The names that one piece of software might come under. */
  const SPELLINGS = [
    'acme-agent',
    'ACME-AGENT',
    'Acme-Agent',
    ' acme-agent',
    'acme-agent ',
    'acme-agent/',
    'acme-agent//',
    'https://acme-agent',
    'acme%2Dagent',
    'acme%252Dagent',
    'ａcme-agent',
    'acme-\u200bagent',
    'acmé-agent',
  ]

  it.each(SPELLINGS)('a client that calls itself `%s`', async (client) => {
    await sql(
      `INSERT OR IGNORE INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${client}')`,
      openerRow({ id: client, client: 'other-agent' }),
      `UPDATE task_openers SET client = '*' WHERE id = '${client}'`,
    )
    const own = await openerToken({ client })
    expect(await ask(notes(), { token: own })).toMatchObject({ status: 403, error: 'opener_acts' })
    // Through it a person opens none either.
    await sql(openerRow({ kind: 'user', id: 'alice', client: '*' }))
    const through = await openerToken({ client, sub: 'alice' })
    expect(await ask(notes(), { token: through })).toMatchObject({ error: 'opener_acts' })
    expect(await rowsOf()).toEqual([])
  })

  it.each(SPELLINGS)(
    'a task for an agent called `%s`, by the client of that name',
    async (agent) => {
      await sql(openerRow({ id: 'acme-agent', client: 'other-agent' }))
      const own = await openerToken({ client: 'acme-agent' })
      const asked = notes({ client: 'other-agent', agent })
      expect(await ask(asked, { token: own })).toMatchObject({ error: 'opener_acts' })
    },
  )

  it('an agent, by its own name, by that of its client, and behind another', async () => {
    await sql(openerRow({ kind: 'agent', id: 'bot' }), openerRow({ kind: 'agent', id: 'helper' }))
    await sql(`INSERT INTO agents (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'helper')`)
    const bot = await openerToken({ sub: 'alice', client: 'desk', agent: 'bot' })
    expect(await ask(notes({ agent: 'bot' }), { token: bot })).toMatchObject({
      error: 'opener_acts',
    })
    const viaClient = await openerToken({ sub: 'alice', client: 'acme-agent', agent: 'bot' })
    expect(await ask(notes(), { token: viaClient })).toMatchObject({ error: 'opener_acts' })
    const behind = await openerToken({
      sub: 'alice',
      client: 'desk',
      claims: { act: { sub: 'helper', act: { sub: 'bot' } } },
    })
    expect(await ask(notes({ agent: 'bot' }), { token: behind })).toMatchObject({
      error: 'opener_acts',
    })
    expect(
      (
        await ask(notes({ agent: 'bot' }), {
          token: await openerToken({ sub: 'alice', client: 'desk', agent: 'helper' }),
        })
      ).status,
    ).toBe(201)
  })

  it('nor does it read or end the task that bounds it', async () => {
    await sql(
      openerRow({ id: 'acme-agent', client: 'other-agent' }),
      "UPDATE task_openers SET client = '*'",
    )
    const { id } = await ask(notes())
    const own = await openerToken({ client: 'acme-agent' })
    expect((await read(id, { token: own })).status).toBe(404)
    expect((await close(id, { token: own })).status).toBe(404)
    expect((await rowsOf())[0]).toMatchObject({ closed_at: null })
  })

  it.each(['acme-agent', 'ACME-agent ', 'acme-agent/'])(
    'a row that lets `%s` open for itself cannot be written',
    async (id) => {
      await expect(sql(openerRow({ id, client: 'acme-agent' }))).rejects.toThrow(/CHECK/)
      const person = { kind: 'user', id: 'alice', client: 'acme-agent', through: id } as const
      await expect(sql(openerRow(person))).rejects.toThrow(/CHECK/)
    },
  )
})

describe('another tenant', () => {
  const OTHER = 'https://other.example'
  beforeEach(() =>
    sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('globex', '${OTHER}', '${ISSUER}/jwks.json')`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('globex', '${OTHER}', 'desk'), ('globex', '${OTHER}', 'acme-agent')`,
      "INSERT INTO servers (name, tenant, url, internal) VALUES ('gcrm', 'globex', 'https://crm.example/mcp/g', 1)",
      openerRow({ tenant: 'globex', issuer: OTHER }),
    ),
  )
  const theirs = () => openerToken({ claims: { iss: OTHER } })

  it('opens none of ours, reads none, ends none', async () => {
    const { id } = await ask(notes())
    expect((await read(id, { token: await theirs() })).status).toBe(404)
    expect((await close(id, { token: await theirs() })).status).toBe(404)
    // Its own issuer is meant where none is named, and ours is none of its.
    const own = await ask(notes(), { token: await theirs() })
    expect(own.body).toMatchObject({ issuer: OTHER })
    expect(await ask(notes({ issuer: ISSUER }), { token: await theirs() })).toMatchObject({
      status: 422,
    })
    const rows = await rowsOf('SELECT tenant, issuer FROM tasks ORDER BY tenant')
    expect(rows).toEqual([
      { tenant: 'acme', issuer: ISSUER },
      { tenant: 'globex', issuer: OTHER },
    ])
  })

  it('names one of ours by txn or handle, and it is nobody’s', async () => {
    const { id, handle } = await ask(notes())
    await sql(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('globex', '${OTHER}', 'user', 'alice', 'sales')`,
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('globex', 'gcrm', 'note', 'write', 1)",
      "INSERT INTO policies (tenant, id, effect, role, agent, require_task) VALUES ('globex', 'sales', 'allow', 'sales', '*', 'any')",
    )
    const claims = { iss: OTHER, aud: 'http://localhost:8787/gcrm/mcp' }
    const plain = await token({ claims })
    const at = { server: 'gcrm' }
    expect((await call('note', { token: plain, ...at })).code).toBe('task_required')
    expect((await call('note', { token: plain, ...at, ...with_(handle) })).code).toBe(
      'task_unknown',
    )
    const named = await token({ claims: { ...claims, txn: id } })
    expect((await call('note', { token: named, ...at })).code).toBe('task_required')
    expect(seen).toEqual([])
  })

  it('ends what an issuer of ours declares only for itself', async () => {
    expect((await close('txn:t-1', { token: await theirs() })).status).toBe(200)
    expect(await rowsOf('SELECT tenant, issuer FROM revocations')).toEqual([
      { tenant: 'globex', issuer: OTHER },
    ])
  })
})

describe('while calls run', () => {
  it('a task that is closed lets no call through that is sent after it', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    const { id, handle } = await ask(notes({ subject: sub }))
    let closed = false
    const codes: [string, boolean][] = []
    const calling = Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        await new Promise((resolve) => setTimeout(resolve, at * 5))
        const before = closed
        const { code } = await call('note', { token: bearer, ...with_(handle) })
        codes.push([code, before])
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, 60))
    await close(id)
    closed = true
    await calling
    expect(codes.filter(([code, after]) => after && code === 'allowed')).toEqual([])
    expect(codes.some(([code]) => code === 'allowed')).toBe(true)
    expect(codes.some(([code]) => code === 'task_ended')).toBe(true)
  })

  it('a result is decided under the task of its call, whatever was opened or closed meanwhile', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, unlisted, optional) VALUES ('acme', 'crm', 'note', '/customer', 'customer', 'internal', 1)",
    )
    const sub = await newUser()
    const bearer = await token({ sub })
    const opened = await ask(notes({ subject: sub }))
    const { upstream } = behaviour
    behaviour.upstream = async (request) => {
      await ask(notes({ subject: sub, tools: ['crm/read_all'] }))
      return upstream(request)
    }
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    behaviour.upstream = async (request) => {
      await close(opened.id)
      return upstream(request)
    }
    const shown = { token: bearer, ...with_(opened.handle) }
    expect((await call('note', shown)).code).toBe('result_withheld')
    expect((await lastOf(sub)).record.refusal?.because).toMatchObject({ reason: 'task_ended' })
  })

  it('a call that never left gives its budget back, and one that may have acted does not', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await ask(notes({ subject: sub, max_calls: 1 }))
    behaviour.upstream = () => {
      throw new TypeError('connection reset')
    }
    const first = await call('note', { token: bearer })
    expect(first.code).toBe('upstream_unreachable')
    expect((await outcomeOf(sub, first.decision ?? '')).outcome).toBe('committed')
    expect((await call('note', { token: bearer })).code).toBe('task_spent')
  })

  it('the actor opens nothing by asking for more: budgets are of the row', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    const { id } = await ask(notes({ subject: sub, max_calls: 1 }))
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    await expect(sql(`UPDATE tasks SET max_calls = 100 WHERE id = '${id}'`)).rejects.toThrow(
      /proof/,
    )
    expect((await call('note', { token: bearer })).code).toBe('task_spent')
  })

  it('bodies that claim a task are only arguments', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    const { handle } = await ask(notes({ subject: sub, tools: ['crm/read_all'] }))
    await ask(notes({ subject: sub }))
    const args = { 'sallyport-task': handle, task: handle }
    expect((await call('note', { token: bearer, args })).code).toBe('task_ambiguous')
  })
})

describe('data classes', () => {
  beforeEach(() =>
    sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      `INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type, unlisted, optional) VALUES
        ('acme', 'crm', 'note', '/customer', 'customer', 'restricted', 1)`,
      `INSERT INTO resources (tenant, type, id, sensitivity) VALUES
        ('acme', 'customer', 'open', 'public'), ('acme', 'customer', 'vip', 'confidential')`,
    ),
  )

  it.each([
    ['open', 'allowed'],
    ['vip', 'outside_task'],
    ['unheard-of', 'outside_task'],
  ])('a task for public data that touches `%s`: %s', async (customer, expected) => {
    const sub = await newUser()
    await ask(notes({ subject: sub, data_classes: ['public', 'internal'] }))
    const { code } = await call('note', { token: await token({ sub }), args: { customer } })
    expect(code).toBe(expected)
    if (expected === 'allowed') return
    expect((await lastOf(sub)).record.refusal).toMatchObject({ bound: 'data_classes' })
  })
})
