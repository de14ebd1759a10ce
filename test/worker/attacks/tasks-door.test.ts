import { beforeEach, describe, expect, it } from 'vitest'
import { call, inThisWorld, ISSUER, newUser, sql, token } from '../../support/worker/world.ts'
import {
  ask,
  close,
  notes,
  openerRow,
  openerToken,
  read,
  registered,
  rowsOf,
  setUp,
} from '../tasks/door.ts'

inThisWorld()
beforeEach(setUp)

describe('another issuer of the same tenant', () => {
  const OTHER = 'https://other.example'
  beforeEach(() =>
    sql(
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', '${OTHER}', '${ISSUER}/jwks.json')`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${OTHER}', 'desk'), ('acme', '${OTHER}', 'acme-agent')`,
    ),
  )
  const theirs = () => openerToken({ claims: { iss: OTHER } })

  it('opens, reads and ends nothing by a name that ours has a row for', async () => {
    const { id } = await ask(notes())
    expect((await ask(notes(), { token: await theirs() })).status).toBe(403)
    expect((await ask(notes({ issuer: ISSUER }), { token: await theirs() })).status).toBe(403)
    expect((await read(id, { token: await theirs() })).status).toBe(404)
    expect((await close(id, { token: await theirs() })).status).toBe(404)
    expect((await close('txn:t', { token: await theirs() })).status).toBe(403)
    expect(await rowsOf('SELECT closed_at FROM tasks')).toEqual([{ closed_at: null }])
  })

  it('has people of its own: what is theirs alone is no other’s of that name', async () => {
    await sql(registered('portal'))
    await sql(
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${OTHER}', 'portal')`,
      openerRow({ kind: 'user', id: 'alice', issuer: OTHER, for_others: 0 }),
    )
    const alice = await openerToken({ sub: 'alice', client: 'portal', claims: { iss: OTHER } })
    expect((await ask(notes({ issuer: ISSUER }), { token: alice })).status).toBe(403)
    expect((await ask(notes(), { token: alice })).body).toMatchObject({ issuer: OTHER })
  })

  it('declares tasks of its own by the same name', async () => {
    await sql(
      'UPDATE issuers SET opens_tasks = 1',
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${OTHER}', 'user', 'ann', 'sales'), ('acme', '${ISSUER}', 'user', 'ann', 'sales')`,
    )
    const expires = Math.floor(Date.now() / 1000) + 60
    const details = [{ type: 'mcp_task', purpose: 'p', max_calls: 1, expires_at: expires }]
    const declares = (iss: string) =>
      token({ sub: 'ann', claims: { iss, txn: 't-1', authorization_details: details } })
    expect((await call('note', { token: await declares(ISSUER) })).code).toBe('allowed')
    expect((await call('note', { token: await declares(ISSUER) })).code).toBe('task_spent')
    expect((await close('txn:t-1')).status).toBe(200)
    expect((await call('note', { token: await declares(ISSUER) })).code).toBe('revoked')
    expect((await call('note', { token: await declares(OTHER) })).code).toBe('allowed')
  })
})

describe('the same name of another kind', () => {
  it('is somebody else: a person called like the desk, and a desk called like a person', async () => {
    await sql(registered('portal'), registered('boss'))
    const person = await openerToken({ sub: 'desk', client: 'portal' })
    expect((await ask(notes(), { token: person })).status).toBe(403)
    await sql(openerRow({ kind: 'user', id: 'boss' }))
    const software = await openerToken({ client: 'boss' })
    expect((await ask(notes(), { token: software })).status).toBe(403)
    const agent = await openerToken({ sub: 'alice', client: 'portal', agent: 'bot' })
    await sql(openerRow({ kind: 'client', id: 'bot' }), openerRow({ kind: 'user', id: 'bot' }))
    expect((await ask(notes(), { token: agent })).status).toBe(403)
    expect(await rowsOf()).toEqual([])
  })
})

describe('a key that was used', () => {
  it('tells nothing any more to whoever may not open any more', async () => {
    await ask(notes(), { key: 'k' })
    await sql('UPDATE task_openers SET max_lifetime_s = 1')
    expect(await ask(notes(), { key: 'k' })).toMatchObject({ status: 403, error: 'beyond_opener' })
    await sql('UPDATE task_openers SET active = 0')
    const reply = await ask(notes(), { key: 'k' })
    expect(reply).toMatchObject({ status: 403, error: 'not_permitted' })
    expect(reply.text).not.toContain('take notes')
  })

  it('by the desk for itself is another than by the desk for a person', async () => {
    const first = await ask(notes(), { key: 'k' })
    const lent = await openerToken({ sub: 'alice' })
    const other = await ask(notes(), { key: 'k', token: lent })
    expect(other.status).toBe(201)
    expect(other.id).not.toBe(first.id)
  })
})

describe('what was said is what is kept', () => {
  it.each([
    ['a NUL', 'a\u0000b'],
    ['quotes of SQL', "'); DROP TABLE tasks; --"],
    ['other writing', '\u202enotes\u202c 📝 e\u0301'],
    ['numbers of SQL', '?1 :x @y $z'],
  ])('with %s', async (_, text) => {
    const asked = { purpose: text, asked_for: text, named_values: [text], tools: [`crm/${text}`] }
    const { id, body, status } = await ask(notes(asked))
    expect(status).toBe(201)
    expect(body).toMatchObject(asked)
    expect((await read(id)).body).toMatchObject(asked)
  })
})

describe('a row whose name the door could not say', () => {
  it.each(['mcp', 'ü'.repeat(129), 'x'.repeat(257), 'txn:1', ''])(
    'is not written: %s',
    async (id) => {
      await expect(
        sql(
          `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
         VALUES ('acme', '${id}', '${ISSUER}', 'alice', 'acme-agent', '', 'boss', 1)`,
        ),
      ).rejects.toThrow(/CHECK/)
    },
  )

  it('and the longest one can be closed', async () => {
    const id = 'ü'.repeat(128)
    await sql(
      `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
       VALUES ('acme', '${id}', '${ISSUER}', 'alice', 'acme-agent', '', 'boss', 1)`,
    )
    expect((await close(id)).status).toBe(200)
  })
})

it('a handle is never good as a token’s `txn`, and an id never as a handle', async () => {
  const sub = await newUser()
  const { id, handle = '' } = await ask(notes({ subject: sub }))
  await ask(notes({ subject: sub }))
  const named = await token({ sub, claims: { txn: handle } })
  expect((await call('note', { token: named })).code).toBe('task_ambiguous')
  const headers = { 'sallyport-task': id }
  expect((await call('note', { token: await token({ sub }), headers })).code).toBe('task_unknown')
})

describe('a row is not written over by a statement that looks like an insertion', () => {
  const columns = 'tenant, id, issuer, subject, client, purpose, opened_by, expires_at'
  const same = `SELECT ${columns} FROM tasks WHERE true`

  it.each([
    `INSERT INTO tasks (${columns}) ${same} ON CONFLICT (tenant, id) DO UPDATE SET tools = NULL`,
    `INSERT INTO tasks (${columns}) ${same} ON CONFLICT DO UPDATE SET expires_at = 1e15`,
    `INSERT OR IGNORE INTO tasks (${columns}) ${same}`,
    `REPLACE INTO tasks (${columns}) ${same}`,
    `UPDATE OR IGNORE tasks SET subject = 'mallory'`,
    `UPDATE tasks SET tools = other.tools FROM (SELECT '["*"]' AS tools) AS other`,
    `UPDATE tasks SET closed_at = unixepoch() * 1000, max_calls = NULL`,
    `UPDATE tasks SET closed_at = -1`,
    `UPDATE tasks SET tenant = 'globex'`,
  ])('%s', async (statement) => {
    await ask(notes({ max_calls: 1 }))
    const before = await rowsOf()
    await expect(sql(statement)).rejects.toThrow(/a task is proof/)
    expect(await rowsOf()).toEqual(before)
  })
})
