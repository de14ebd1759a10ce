import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import { serve } from '../../support/worker/upstream.ts'
import { call, inThisWorld, listed, newUser, sql, token } from '../../support/worker/world.ts'

inThisWorld()

const quoted = (text: string) => text.replaceAll("'", "''")

const access = (tool: string, kind: string, condition: string) =>
  `INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES ('acme', 'crm', '${tool}', '${kind}', '${quoted(condition)}')`

const label = (tool: string, name: string, condition: string) =>
  `INSERT INTO tool_labels (tenant, server, tool, label, condition) VALUES ('acme', 'crm', '${tool}', '${name}', '${quoted(condition)}')`

const QUERY = 'args.query.trim().lowerAscii()'

/** `http(method, url)` and `sql(query)`: at their worst destructive, in most calls less. */
beforeEach(() =>
  sql(
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'http', 'destructive', 1), ('acme', 'crm', 'sql', 'destructive', 1)",
    access('http', 'read', 'args.method in ["GET", "HEAD"]'),
    access('http', 'write', 'args.method in ["POST", "PUT"]'),
    access('http', 'export', 'args.url.startsWith("https://out.example/")'),
    access('sql', 'read', `glob(${QUERY}, "select *") && !args.query.contains(";")`),
    access('sql', 'write', `glob(${QUERY}, "insert *") && !args.query.contains(";")`),
  ),
)

async function person() {
  const sub = await newUser()
  const bearer = await token({ sub })
  const code = async (tool: string, args: unknown) =>
    (await call(tool, { token: bearer, args })).code
  const classOf = async (tool: string, args: unknown) => {
    await code(tool, args)
    return (await lastOf(sub)).record.inputs.facts.tool
  }
  return { sub, bearer, code, classOf }
}

describe('a call is of the class that its arguments make it', () => {
  const url = 'https://in.example/'

  it.each<[string, unknown, string]>([
    ['http', { method: 'GET', url }, 'read'],
    ['http', { method: 'POST', url }, 'write'],
    ['http', { method: 'GET', url: 'https://out.example/' }, 'export'],
    ['http', { method: 'DELETE', url }, 'destructive'],
    ['http', { method: 'get', url }, 'destructive'],
    ['http', { method: ' GET', url }, 'destructive'],
    ['http', { method: ['GET'], url }, 'destructive'],
    ['http', { url }, 'destructive'],
    ['http', { method: 'GET' }, 'destructive'],
    ['http', { method: 'GET', url: 7 }, 'destructive'],
    ['http', {}, 'destructive'],
    ['sql', { query: 'SELECT 1' }, 'read'],
    ['sql', { query: '  insert into t values (1)' }, 'write'],
    ['sql', { query: 'SELECT 1; DROP TABLE t' }, 'destructive'],
    ['sql', { query: 'DROP TABLE t' }, 'destructive'],
    ['sql', { query: '/**/select 1' }, 'destructive'],
    ['sql', { query: null }, 'destructive'],
  ])('%s(%j): %s', async (tool, args, expected) => {
    const { classOf } = await person()
    expect(await classOf(tool, args)).toMatchObject({ access: expected })
  })

  it('and policies speak of that class', async () => {
    const { code } = await person()
    await sql("UPDATE policies SET access = 'read'")
    expect(await code('sql', { query: 'select 1' })).toBe('allowed')
    expect(await code('sql', { query: 'insert into t' })).toBe('not_allowed')
    expect(await code('sql', { query: 'drop table t' })).toBe('not_allowed')
    await sql(
      'UPDATE policies SET access = NULL',
      "INSERT INTO policies (tenant, id, effect, access) VALUES ('acme', 'no', 'deny', 'destructive')",
    )
    expect(await code('sql', { query: 'insert into t' })).toBe('allowed')
    expect(await code('sql', { query: 'drop table t' })).toBe('denied_by_policy')
  })

  it('and the label of that class counts for history', async () => {
    const { code } = await person()
    const drop = (n: number) => code('sql', { query: `drop table t${n}` })
    for (let n = 0; n < 10; n += 1) expect(await drop(n)).toBe('allowed')
    expect(await drop(10)).toBe('denied_by_sequence')
    expect(await code('sql', { query: 'select 1' })).toBe('allowed')
  })

  it('by the next call: an edit is enough', async () => {
    const { code } = await person()
    await sql("UPDATE policies SET access = 'read'")
    expect(await code('sql', { query: 'explain x' })).toBe('not_allowed')
    await sql(
      `UPDATE tool_access SET condition = 'args.query.startsWith("explain ")' WHERE tool = 'sql' AND access = 'read'`,
    )
    expect(await code('sql', { query: 'explain x' })).toBe('allowed')
    expect(await code('sql', { query: 'select 1' })).toBe('not_allowed')
    await sql("DELETE FROM tool_access WHERE tool = 'sql'")
    expect(await code('sql', { query: 'explain x' })).toBe('not_allowed')
  })
})

describe('a condition that is broken', () => {
  it.each(['args.query.', 'args.query', 'subject.id == "x"', 'args.query.matches(".*")'])(
    '%s: the worst class holds',
    async (condition) => {
      const { classOf } = await person()
      await sql(
        `UPDATE tool_access SET condition = '${quoted(condition)}' WHERE tool = 'sql' AND access = 'read'`,
      )
      expect(await classOf('sql', { query: 'select 1' })).toMatchObject({ access: 'destructive' })
    },
  )

  it.each(['args.n > ', 'args.n > 1'])('of a label, %s: the label holds', async (condition) => {
    const { classOf } = await person()
    await sql(label('note', 'source.secret', condition))
    expect((await classOf('note', { n: 'x' }))?.labels).toContain('source.secret')
  })

  it('of arguments that are too many to look at: the worst class holds', async () => {
    const { classOf } = await person()
    const args = { query: 'select 1', many: Array.from({ length: 30_000 }, () => 0) }
    expect(await classOf('sql', args)).toMatchObject({ access: 'destructive' })
  })
})

describe('a label may hold for some calls', () => {
  it('and those count for history, the others do not', async () => {
    const secret = 'args.table == "salaries"'
    await sql(label('note', 'source.confidential', secret), label('note', 'source.bulk', secret))
    const { code } = await person()
    expect(await code('note', { table: 'menus' })).toBe('allowed')
    expect(await code('export_all', { n: 1 })).toBe('allowed')
    expect(await code('note', { table: 'salaries' })).toBe('allowed')
    expect(await code('export_all', { n: 2 })).toBe('denied_by_sequence')
  })

  it('by the next call: an edit is enough', async () => {
    await sql(
      label('note', 'source.secret', 'args.table == "salaries"'),
      "INSERT INTO policies (tenant, id, effect, label) VALUES ('acme', 'no', 'deny', 'source.secret')",
    )
    const { code } = await person()
    expect(await code('note', { table: 'menus' })).toBe('allowed')
    await sql("UPDATE tool_labels SET condition = NULL WHERE label = 'source.secret'")
    expect(await code('note', { table: 'menus' })).toBe('denied_by_policy')
  })
})

describe('a listing, which knows no arguments,', () => {
  it('shows a tool if some call of it is allowed, and hides it if none is', async () => {
    serve({ tools: () => ['http', 'sql', 'note'].map((name) => ({ name, inputSchema: {} })) })
    const { bearer } = await person()
    const shown = () => listed({ token: bearer })
    await sql("UPDATE policies SET access = 'read'")
    expect(await shown()).toEqual(['http', 'sql'])
    await sql("UPDATE policies SET access = 'export'")
    expect(await shown()).toEqual(['http'])
    await sql("UPDATE policies SET access = 'admin'")
    expect(await shown()).toEqual([])
    await sql(
      'UPDATE policies SET access = NULL',
      "INSERT INTO policies (tenant, id, effect, access) VALUES ('acme', 'no', 'deny', 'destructive')",
    )
    expect(await shown()).toEqual(['http', 'sql', 'note'])
  })
})
