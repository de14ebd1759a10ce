import { describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  listed,
  newUser,
  seen,
  sql,
  token,
} from '../../support/worker/world.ts'

inThisWorld()

/** An open task of this subject through acme-agent, for notes only; columns may say otherwise. */
const task = (subject: string, columns: Record<string, string | number | null> = {}) => {
  const row = {
    tenant: 'acme',
    id: `of-${subject}`,
    issuer: ISSUER,
    subject,
    client: 'acme-agent',
    purpose: 'take notes',
    tools: '["crm/note"]',
    opened_by: subject,
    expires_at: Date.now() + 600_000,
    ...columns,
  }
  const values = Object.values(row).map((value) =>
    typeof value === 'string' ? `'${value}'` : String(value),
  )
  return `INSERT INTO tasks (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`
}

const CLOSE_ALL = 'UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE closed_at IS NULL'

async function person() {
  const sub = await newUser()
  const bearer = await token({ sub })
  const code = async (tool: string) => (await call(tool, { token: bearer })).code
  return { sub, bearer, code }
}

describe('an open task', () => {
  it('narrows, from the next call on and until it is closed', async () => {
    const { sub, code } = await person()
    expect(await code('read_all')).toBe('allowed')
    await sql(task(sub))
    expect(await code('read_all')).toBe('outside_task')
    expect(await code('note')).toBe('allowed')
    await sql(CLOSE_ALL, task(sub, { id: 'other', tools: '["crm/*"]', access: '["read"]' }))
    expect(await code('read_all')).toBe('allowed')
    expect(await code('note')).toBe('outside_task')
    await sql(CLOSE_ALL)
    expect(await code('note')).toBe('allowed')
  })

  it('allows nothing by itself', async () => {
    const { sub, code } = await person()
    await sql(task(sub), 'DELETE FROM policies')
    expect(await code('note')).toBe('not_allowed')
  })

  it.each<[string, string | null, string, string]>([
    ['the tool of another server', '["ext/note"]', 'note', 'outside_task'],
    ['the tool without its server', '["note"]', 'note', 'outside_task'],
    ['a pattern', '["crm/read_*"]', 'read_all', 'allowed'],
    ['no tool at all', '[]', 'note', 'outside_task'],
    ['any tool', null, 'note', 'allowed'],
  ])('bound to %s', async (_, tools, tool, outcome) => {
    const { sub, code } = await person()
    await sql(task(sub, { tools }))
    expect(await code(tool)).toBe(outcome)
  })

  it('that is taken back ends every call of it, until it is closed', async () => {
    const { sub, code } = await person()
    await sql(
      task(sub),
      `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'task', 'of-${sub}')`,
    )
    expect(await code('note')).toBe('revoked')
    expect((await lastOf(sub)).record.refusal).toMatchObject({ reason: 'revoked', kind: 'task' })
    await sql('DELETE FROM revocations')
    expect(await code('note')).toBe('allowed')
  })

  it('beside another one: nobody can say which is meant', async () => {
    const { sub, code } = await person()
    await sql(task(sub), task(sub, { id: 'second', tools: null }))
    expect(await code('note')).toBe('task_ambiguous')
    await sql("UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'second'")
    expect(await code('note')).toBe('allowed')
    expect(seen).toHaveLength(1)
  })

  it('that has expired is none, by the clock', async () => {
    const { sub, code } = await person()
    await sql(task(sub, { expires_at: Date.now() + 1_000 }))
    expect(await code('read_all')).toBe('outside_task')
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect(await code('read_all')).toBe('allowed')
    await sql(task(sub, { id: 'long-ago', expires_at: 1 }))
    expect(await code('read_all')).toBe('allowed')
  })

  it.each<[string, Record<string, string>]>([
    ['another person', { subject: 'somebody' }],
    ['another client', { client: 'other-agent' }],
    ['an agent, where the client itself acts', { agent: 'bot' }],
    ['the person of that name of another issuer', { issuer: 'https://other.example' }],
  ])('of %s does not count', async (_, columns) => {
    const { sub, code } = await person()
    await sql(task(sub, columns))
    expect(await code('read_all')).toBe('allowed')
  })

  it('of the client does not count for an agent behind it', async () => {
    const { sub } = await person()
    await sql(task(sub))
    const agent = await token({ sub, agent: 'bot' })
    expect((await call('read_all', { token: agent })).code).toBe('allowed')
    await sql(task(sub, { id: 'bots', agent: 'bot' }))
    expect((await call('read_all', { token: agent })).code).toBe('outside_task')
  })

  it('is what a listing shows', async () => {
    const { sub, bearer } = await person()
    await sql(task(sub))
    expect(await listed({ token: bearer })).toEqual(['note'])
  })
})

describe('a policy may ask for a task', () => {
  it('by its purpose, and whether somebody approved it', async () => {
    const { sub, code } = await person()
    await sql(
      'UPDATE policies SET condition = \'task.present && task.approved && task.purpose == "take notes"\'',
    )
    expect(await code('note')).toBe('not_allowed')
    await sql(task(sub))
    expect(await code('note')).toBe('not_allowed')
    await sql(CLOSE_ALL, task(sub, { id: 'good', approved_by: 'bob', approved_at: 1 }))
    expect(await code('note')).toBe('allowed')
    await sql(CLOSE_ALL)
    expect(await code('note')).toBe('not_allowed')
  })
})

describe('a policy that requires a task', () => {
  it('says so, and whether it must be approved', async () => {
    const { sub, code } = await person()
    await sql("UPDATE policies SET require_task = 'any'")
    expect(await code('note')).toBe('task_required')
    expect((await lastOf(sub)).record.refusal).toMatchObject({ policy: 'sales', approved: false })
    await sql(task(sub))
    expect(await code('note')).toBe('allowed')
    await sql("UPDATE policies SET require_task = 'approved'")
    expect(await code('note')).toBe('task_required')
    expect((await lastOf(sub)).record.refusal).toMatchObject({ approved: true })
    await sql(CLOSE_ALL, task(sub, { id: 'good', approved_by: 'bob', approved_at: 1 }))
    expect(await code('note')).toBe('allowed')
    await sql(CLOSE_ALL)
    expect(await code('note')).toBe('task_required')
    expect(seen).toHaveLength(2)
  })

  it('does not hide what a task would open', async () => {
    const { bearer } = await person()
    await sql("UPDATE policies SET require_task = 'any'")
    expect(await listed({ token: bearer })).toContain('note')
  })
})

describe('a task is proof', () => {
  it.each([
    ["UPDATE tasks SET purpose = 'anything'"],
    ['UPDATE tasks SET tools = NULL'],
    ['UPDATE tasks SET expires_at = expires_at + 1'],
    ['UPDATE tasks SET max_calls = 1000'],
    ["UPDATE tasks SET data_classes = NULL, closed_at = unixepoch() * 1000, purpose = 'x'"],
    ["UPDATE tasks SET approved_by = 'bob', approved_at = 1"],
    ["UPDATE tasks SET opened_by = 'bob'"],
    ["UPDATE tasks SET client = 'other-agent'"],
    ['UPDATE tasks SET handle_digest = NULL'],
    ['UPDATE tasks SET closed_at = 1'],
    ["UPDATE tasks SET closed_by = 'bob'"],
    ['DELETE FROM tasks'],
    ['UPDATE OR REPLACE tasks SET id = id'],
    ['INSERT OR REPLACE INTO tasks SELECT * FROM tasks'],
    [
      `INSERT OR REPLACE INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at, handle_digest)
       SELECT tenant, 'new', issuer, subject, client, 'x', opened_by, expires_at, handle_digest FROM tasks`,
    ],
    [
      `INSERT OR REPLACE INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at, request_key, request_digest)
       SELECT tenant, 'new', issuer, subject, client, 'x', opened_by, expires_at, request_key, request_digest FROM tasks`,
    ],
  ])('%s', async (statement) => {
    const hex = (letter: string) => letter.repeat(64)
    await sql(
      task('alice', {
        handle_digest: hex('a'),
        request_key: hex('b'),
        request_digest: hex('c'),
        max_calls: 1,
        data_classes: '["public"]',
      }),
    )
    await expect(sql(statement)).rejects.toThrow(/a task is proof/)
  })

  it('is closed once, and not opened again', async () => {
    await sql(task('alice'), CLOSE_ALL)
    for (const end of ['NULL', 'unixepoch() * 1000 + 5']) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(sql(`UPDATE tasks SET closed_at = ${end}`)).rejects.toThrow(/a task is proof/)
    }
  })
})

describe('SQL refuses a task', () => {
  it.each<[string, Record<string, string | number | null>]>([
    ['that its client opened', { opened_by: 'acme-agent' }],
    ['that its agent opened', { agent: 'bot', opened_by: 'bot' }],
    ['that its client opened, spelt otherwise', { opened_by: 'ACME-Agent ' }],
    ['that its client opened, with a slash more', { opened_by: 'acme-agent/' }],
    ['that was opened through its client', { opened_through: 'acme-agent' }],
    ['that was opened through its agent', { agent: 'bot', opened_through: 'Bot' }],
    ['that has the name of a declared one', { id: 'txn:1' }],
    ['that was approved by nobody', { approved_at: 1 }],
    ['that allows no call', { max_calls: 0 }],
    ['that was closed by somebody and is not closed', { closed_by: 'bob' }],
    ['whose tools are no list', { tools: '"crm/note"' }],
    ['without an end', { expires_at: null }],
  ])('%s', async (_, columns) => {
    await expect(sql(task('alice', columns))).rejects.toThrow(/constraint/i)
  })
})
