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
    await sql(`UPDATE tasks SET tools = '["crm/*"]', access = '["read"]'`)
    expect(await code('read_all')).toBe('allowed')
    expect(await code('note')).toBe('outside_task')
    await sql('UPDATE tasks SET closed_at = 1')
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
    await sql("UPDATE tasks SET closed_at = 1 WHERE id = 'second'")
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
    await sql("UPDATE tasks SET approved_by = 'bob', approved_at = 1")
    expect(await code('note')).toBe('allowed')
    await sql('UPDATE tasks SET closed_at = 1')
    expect(await code('note')).toBe('not_allowed')
  })
})

describe('SQL refuses a task', () => {
  it.each<[string, Record<string, string | number | null>]>([
    ['that its client opened', { opened_by: 'acme-agent' }],
    ['that its agent opened', { agent: 'bot', opened_by: 'bot' }],
    ['that was approved by nobody', { approved_at: 1 }],
    ['whose tools are no list', { tools: '"crm/note"' }],
    ['without an end', { expires_at: null }],
  ])('%s', async (_, columns) => {
    await expect(sql(task('alice', columns))).rejects.toThrow(/constraint/i)
  })
})
