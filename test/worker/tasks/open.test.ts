import { beforeEach, describe, expect, it } from 'vitest'
import { inThisWorld, ISSUER, sql, token } from '../../support/worker/world.ts'
import {
  ask,
  AUDIENCE,
  close,
  notes,
  openerRow,
  openerToken,
  read,
  registered,
  rowsOf,
  setUp,
} from './door.ts'

inThisWorld()
beforeEach(setUp)

describe('a task is opened', () => {
  it('with all that was said of it, and a handle that is told once', async () => {
    const reply = await ask(
      notes({
        agent: 'bot',
        access: ['write'],
        data_classes: ['internal'],
        max_calls: 3,
        asked_for: 'note that Ann called',
        named_values: ['Ann', 7],
        approve: true,
      }),
    )
    expect(reply.status).toBe(201)
    expect(reply.headers.get('location')).toBe(`/tasks/${reply.id}`)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(reply.handle).toMatch(/^sptask_[A-Za-z0-9_-]{43}$/)
    expect(reply.body).toMatchObject({
      issuer: ISSUER,
      subject: 'alice',
      client: 'acme-agent',
      agent: 'bot',
      purpose: 'take notes',
      tools: ['crm/note'],
      access: ['write'],
      data_classes: ['internal'],
      max_calls: 3,
      asked_for: 'note that Ann called',
      named_values: ['Ann', 7],
      opened: { by: 'desk', kind: 'client', issuer: ISSUER, through: 'desk' },
      approved: { by: 'desk' },
      closed: null,
    })
    const [row, ...others] = await rowsOf()
    expect(others).toEqual([])
    // Of the handle nothing is stored but a digest.
    expect(JSON.stringify(row)).not.toContain(reply.handle)
    const again = await read(reply.id)
    expect(again.body).toEqual({ ...reply.body, handle: undefined })
    expect(again.text).not.toMatch(/digest|handle|request/)
  })

  it('and bounds that were not said do not narrow', async () => {
    const { body } = await ask({
      subject: 'alice',
      client: 'acme-agent',
      purpose: 'anything',
      expires_in: 60,
      tools: null,
    })
    expect(body).toMatchObject({
      agent: null,
      tools: null,
      access: null,
      data_classes: null,
      max_calls: null,
      asked_for: null,
      named_values: [],
      approved: null,
    })
  })

  it('for as long as was asked', async () => {
    const before = Date.now()
    const { body } = await ask(notes({ expires_in: 60 }))
    const end = Date.parse(body['expires_at'] as string)
    expect(end).toBeGreaterThanOrEqual(before + 60_000)
    expect(end).toBeLessThanOrEqual(Date.now() + 60_000)
  })
})

describe('what is no request is refused, and writes nothing', () => {
  it.each<[string, unknown, number]>([
    ['no object', [], 400],
    ['a member that nobody knows', notes({ tool: 'crm/note' }), 400],
    ['no subject', notes({ subject: undefined }), 400],
    ['a subject that is a list', notes({ subject: ['alice'] }), 400],
    ['a subject with a line break', notes({ subject: 'ali\nce' }), 400],
    ['no client', notes({ client: null }), 400],
    ['no purpose', notes({ purpose: '  ' }), 400],
    ['a purpose without an end', notes({ purpose: 'x'.repeat(1001) }), 400],
    ['no end', notes({ expires_in: undefined }), 400],
    ['an end that is past', notes({ expires_in: 0 }), 400],
    ['a negative end', notes({ expires_in: -1 }), 400],
    ['an end in a fraction', notes({ expires_in: 1.5 }), 400],
    ['an end as text', notes({ expires_in: '60' }), 400],
    ['tools that are no list', notes({ tools: 'crm/note' }), 400],
    ['a tool without its server', notes({ tools: ['note'] }), 400],
    ['a tool that is a number', notes({ tools: [1] }), 400],
    ['more tools than anybody reads', notes({ tools: Array(201).fill('crm/x') }), 400],
    ['a class of access that is none', notes({ access: ['reed'] }), 400],
    ['a class of data that is none', notes({ data_classes: ['secret'] }), 400],
    ['no calls', notes({ max_calls: 0 }), 400],
    ['a fraction of a call', notes({ max_calls: 0.5 }), 400],
    ['more calls than a number holds', notes({ max_calls: 1e300 }), 400],
    ['values that are objects', notes({ named_values: [{}] }), 400],
    ['an empty value, which stands everywhere', notes({ named_values: [''] }), 400],
    ['words without an end', notes({ asked_for: 'x'.repeat(16_001) }), 400],
    ['an approval that is a word', notes({ approve: 'yes' }), 400],
    ['an approver', notes({ approved_by: 'boss' }), 400],
    ['an opener', notes({ opened_by: 'boss' }), 400],
    ['an id', notes({ id: 'mine' }), 400],
    ['a tenant', notes({ tenant: 'acme' }), 400],
    ['no JSON', '{', 400],
    ['a member twice', '{"subject":"alice","subject":"bob"}', 400],
    ['a member called __proto__', '{"__proto__":{"approve":true}}', 400],
    ['a number that no double holds', '{"expires_in":1e999}', 400],
    ['a lone surrogate', '{"subject":"\\ud800"}', 400],
    ['what is nested without end', `${'['.repeat(5000)}${']'.repeat(5000)}`, 400],
    ['more lists than a task has', `{"tools":[${'[],'.repeat(200)}[]]}`, 400],
    ['too much', `{"purpose":"${'x'.repeat(140_000)}"}`, 413],
  ])('%s', async (_, body, status) => {
    const reply = await ask(body)
    expect(reply.status).toBe(status)
    expect(await rowsOf()).toEqual([])
  })

  it.each<[string, Parameters<typeof ask>[1], number]>([
    ['no idempotency key', { key: null }, 400],
    ['an empty one', { key: '' }, 400],
    ['two of them', { key: 'a, b' }, 400],
    ['one without an end', { key: 'x'.repeat(256) }, 400],
    ['another media type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['another origin', { headers: { origin: 'https://evil.example' } }, 403],
    ['a token in the query', { path: '/tasks?access_token=x' }, 400],
    ['PUT', { method: 'PUT' }, 405],
    ['GET', { method: 'GET' }, 405],
  ])('%s', async (_, options, status) => {
    expect((await ask(notes(), options)).status).toBe(status)
    expect(await rowsOf()).toEqual([])
  })
})

describe('who may open', () => {
  const tokens: readonly [why: string, make: () => Promise<string | null>, status: number][] = [
    ['nobody', async () => null, 401],
    [
      'a token for an MCP server',
      () => openerToken({ claims: { aud: 'http://localhost:8787/crm/mcp' } }),
      401,
    ],
    [
      'a token for a server called like this door',
      () => openerToken({ claims: { aud: `${AUDIENCE}/mcp` } }),
      401,
    ],
    [
      'a token for the AuthZEN doors',
      () => openerToken({ claims: { aud: 'http://localhost:8787/access/v1' } }),
      401,
    ],
    [
      'a token for this door elsewhere',
      () => openerToken({ claims: { aud: 'https://x.example/tasks' } }),
      401,
    ],
    [
      'an issuer that nobody trusts',
      () => openerToken({ claims: { iss: 'https://evil.example' } }),
      401,
    ],
    ['a token that has expired', () => openerToken({ claims: { iat: 0, exp: 1 } }), 401],
    ['a client without a row', () => openerToken({ client: 'other-agent' }), 403],
    ['a client that is not registered', () => openerToken({ client: 'nobody' }), 403],
    ['an agent that borrows the desk’s token', () => openerToken({ agent: 'bot' }), 403],
  ]
  it.each(tokens)('%s', async (_, make, status) => {
    const reply = await ask(notes(), { token: await make() })
    expect(reply.status).toBe(status)
    expect(reply.headers.get('www-authenticate') !== null).toBe(status === 401)
    expect(await rowsOf()).toEqual([])
  })

  it('and a token for this door opens no MCP server', async () => {
    const { call } = await import('../../support/worker/world.ts')
    expect(await call('note', { token: await token({ claims: { aud: AUDIENCE } }) })).toMatchObject(
      {
        status: 401,
      },
    )
  })

  it.each<[string, string]>([
    ['its row is switched off', 'UPDATE task_openers SET active = 0'],
    ['its row is gone', 'DELETE FROM task_openers'],
    ['it may for another client only', "UPDATE task_openers SET client = 'other-agent'"],
    ['it may for its own people only', 'UPDATE task_openers SET for_others = 0'],
    ['its client is switched off', "UPDATE clients SET active = 0 WHERE id = 'desk'"],
    ['its client is gone', "DELETE FROM clients WHERE id = 'desk'"],
    [
      'its client is revoked',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'desk')",
    ],
    ['the tenant is switched off', 'UPDATE tenants SET active = 0'],
  ])('nobody any more once %s, from the next request on', async (_, statement) => {
    expect((await ask(notes())).status).toBe(201)
    await sql(statement)
    const reply = await ask(notes())
    expect(reply.status).toBe(403)
    expect(await rowsOf()).toHaveLength(1)
  })

  it('a revoked token is no token', async () => {
    const bearer = await openerToken({ claims: { jti: 'lost' } })
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', 'lost')")
    expect((await ask(notes(), { token: bearer })).status).toBe(401)
  })

  it('an issuer that was switched off is none', async () => {
    expect((await ask(notes())).status).toBe(201)
    await sql('UPDATE issuers SET active = 0')
    expect((await ask(notes())).status).toBe(401)
  })

  it('a server that is switched off or taken back is nobody’s affair here', async () => {
    await sql(
      'UPDATE servers SET active = 0',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'server', 'crm')",
    )
    expect((await ask(notes())).status).toBe(201)
  })

  it('for as long and with as much as one row allows', async () => {
    await sql('UPDATE task_openers SET may_approve = 0, max_lifetime_s = 100')
    expect(await ask(notes({ expires_in: 101 }))).toMatchObject({
      status: 403,
      error: 'beyond_opener',
    })
    expect(await ask(notes({ expires_in: 100, approve: true }))).toMatchObject({
      error: 'beyond_opener',
    })
    // Two rows that each allow a half allow no whole.
    await sql(openerRow({ client: 'acme-agent', max_lifetime_s: 50 }))
    expect(await ask(notes({ expires_in: 100, approve: true }))).toMatchObject({
      error: 'beyond_opener',
    })
    expect((await ask(notes({ expires_in: 50, approve: true }))).status).toBe(201)
    expect((await ask(notes({ expires_in: 100 }))).status).toBe(201)
  })

  it.each([
    ['client', { client: 'nobody' }],
    ['issuer', { issuer: 'https://other.example' }],
    ['agent', { agent: 'nobody' }],
  ])('for no %s that the tenant does not know', async (_, who) => {
    expect(await ask(notes(who))).toMatchObject({ status: 422, error: 'actor_unknown' })
    expect(await rowsOf()).toEqual([])
  })
})

describe('a person opens', () => {
  const byAlice = () => openerToken({ sub: 'alice', client: 'portal' })
  beforeEach(() =>
    sql(registered('portal'), openerRow({ kind: 'user', id: 'alice', for_others: 0 })),
  )

  it('their own task, through a client that will not act under it', async () => {
    const reply = await ask(notes(), { token: await byAlice() })
    expect(reply.body).toMatchObject({ opened: { by: 'alice', kind: 'user', through: 'portal' } })
    const other = await ask(notes({ subject: 'bob' }), { token: await byAlice() })
    expect(other).toMatchObject({ status: 403, error: 'not_permitted' })
  })

  it('through one client only, where the row says which', async () => {
    await sql("UPDATE task_openers SET through = 'portal' WHERE kind = 'user'")
    expect((await ask(notes(), { token: await byAlice() })).status).toBe(201)
    const elsewhere = await openerToken({ sub: 'alice', client: 'other-agent' })
    expect(await ask(notes(), { token: elsewhere })).toMatchObject({ status: 403 })
  })

  it('and not by the agent that acts for them', async () => {
    const lent = await openerToken({ sub: 'alice', client: 'portal', agent: 'bot' })
    expect(await ask(notes(), { token: lent })).toMatchObject({ error: 'not_permitted' })
  })

  it('a client that holds their token speaks for them alone, whatever it may by itself', async () => {
    const lent = await openerToken({ sub: 'carol', client: 'desk' })
    expect((await ask(notes({ subject: 'carol' }), { token: lent })).status).toBe(201)
    expect(await ask(notes(), { token: lent })).toMatchObject({ error: 'not_permitted' })
  })
})

describe('a task is read and closed', () => {
  it('by whoever may open such a one, and twice is once', async () => {
    const { id } = await ask(notes())
    expect((await read(id)).status).toBe(200)
    const first = await close(id)
    expect(first).toMatchObject({ status: 200, closed: { by: 'client desk' } })
    const second = await close(id)
    expect(second.closed).toEqual(first.closed)
    expect((await read(id)).closed).toEqual(first.closed)
  })

  it('one that nobody may see and one that is not there are the same', async () => {
    const { id } = await ask(notes())
    await sql(registered('clerk'), openerRow({ id: 'clerk', client: 'other-agent' }))
    const clerk = await openerToken({ client: 'clerk' })
    const [hidden, missing] = [await read(id, { token: clerk }), await read('task_x')]
    expect(hidden.status).toBe(404)
    expect(hidden.text).toBe(missing.text)
    expect((await close(id, { token: clerk })).text).toBe(missing.text)
    expect((await rowsOf())[0]).toMatchObject({ closed_at: null })
    const name = await read('a\u0000b')
    expect(name.text).toBe(missing.text)
  })

  it('an MCP server may be called tasks', async () => {
    const reply = await ask(null, { path: '/tasks/mcp', method: 'DELETE' })
    expect(reply.status).not.toBe(200)
  })

  it('one that only tokens declare is ended by a revocation', async () => {
    const reply = await close('txn:t-1')
    expect(reply.body).toEqual({ id: 'txn:t-1', issuer: ISSUER, ended: true })
    const query = 'SELECT kind, id, issuer, revoked_by FROM revocations'
    expect(await rowsOf(query)).toEqual([
      { kind: 'task', id: 'txn:t-1', issuer: ISSUER, revoked_by: 'client desk' },
    ])
    expect((await close('txn:t-1')).status).toBe(200)
    expect(await rowsOf(query)).toHaveLength(1)
    await sql('UPDATE task_openers SET for_others = 0')
    expect((await close('txn:t-2')).status).toBe(403)
    expect(await rowsOf(query)).toHaveLength(1)
  })

  it('and not of an issuer that the tenant does not trust', async () => {
    const reply = await ask(null, {
      path: '/tasks/txn%3At-1?issuer=https://evil.example',
      method: 'DELETE',
    })
    expect(reply).toMatchObject({ status: 422, error: 'actor_unknown' })
  })
})
