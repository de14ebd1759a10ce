import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  message,
  newUser,
  post,
  seen,
  sql,
  token,
  UPSTREAM,
} from '../../support/worker/world.ts'

inThisWorld()

const argument = (pointer: string, optional = 0, unlisted = 'restricted') =>
  `INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type, optional, unlisted)
   VALUES ('acme', 'crm', 'note', '${pointer}', 'customer', ${optional}, '${unlisted}')`

const resource = (tenant: string, id: string, more: { pattern?: number; owner?: string } = {}) =>
  `INSERT INTO resources (tenant, type, id, pattern, owner, owner_issuer) VALUES ('${tenant}',
    'customer', '${id}', ${more.pattern ?? 0}, '${more.owner ?? 'somebody'}', '${ISSUER}')`

const condition = (text: string) => `UPDATE policies SET condition = '${text}' WHERE id = 'sales'`
const OWN = condition('targets.all(t, t.owned)')

/** Globex, whose server is the given address. */
const globexAt = (url: string) =>
  sql(
    "INSERT INTO tenants (id) VALUES ('globex')",
    `INSERT INTO servers (name, tenant, url) VALUES ('gx', 'globex', '${url}')`,
    "INSERT INTO resource_types (tenant, name) VALUES ('globex', 'customer')",
  )

beforeEach(() => sql("INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')"))

async function caller(scope = 'crm') {
  const sub = await newUser()
  const bearer = await token({ sub, scope })
  const ask = (args: unknown) =>
    post(message('tools/call', { name: 'note', arguments: args }), { token: bearer })
  const code = async (args: unknown) => (await call('note', { token: bearer, args })).code
  return { sub, ask, code }
}

/** All that a client sees of a refusal, without what is different each time. */
const shape = async (response: Response) => ({
  status: response.status,
  headers: [...response.headers],
  text: (await response.text()).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'D').replace(/"id":\d+/, ''),
})

describe('what another tenant listed as its own at the same upstream', () => {
  it.each([
    ['exact', resource('globex', 'gx-1')],
    ['by a pattern', resource('globex', 'gx-*', { pattern: 1 })],
  ])('%s: is out of reach, whatever acme allows', async (_, row) => {
    await globexAt(UPSTREAM)
    await sql(argument('/id'), row)
    const { sub, code } = await caller()
    expect(await code({ id: 'gx-1' })).toBe('not_allowed')
    expect(await code({ id: 'own' })).toBe('allowed')
    expect(seen).toHaveLength(1)
    await sql('DELETE FROM resources')
    expect(await code({ id: 'gx-1' })).toBe('allowed')
    expect((await lastOf(sub)).reason).toBe('allowed')
  })

  it('is recorded as what it is, for the operator', async () => {
    await globexAt(UPSTREAM)
    await sql(argument('/id'), resource('globex', 'gx-1'))
    const { sub, code } = await caller()
    await code({ id: 'gx-1' })
    expect((await lastOf(sub)).reason).toBe('target_of_another_tenant')
  })

  it.each([
    ['in capitals', 'https://CRM.example/mcp'],
    ['with a slash at its end', 'https://crm.example/mcp/'],
    ['with the port that it has anyway', 'https://crm.example:443/mcp'],
    ['with a letter escaped', 'https://crm.example/%6Dcp'],
    ['with a dot in its path', 'https://crm.example/./mcp'],
    ['with a query of nothing', 'https://crm.example/mcp?'],
    ['with a port of nothing', 'https://crm.example:/mcp'],
    ['with a third slash', 'https:///crm.example/mcp'],
    ['with a step back', 'https://crm.example/x/../mcp'],
    ['with a dot behind its host', 'https://crm.example./mcp'],
    ['with a name before its host', 'https://x@crm.example/mcp'],
    ['with a letter of full width', 'https://ｃrm.example/mcp'],
    ['with a soft hyphen', 'https://c\u00adrm.example/mcp'],
    ['with a backslash', 'https://crm.example\\mcp'],
    ['with a tab', 'https://crm.exa\tmple/mcp'],
    ['with a blank behind it', 'https://crm.example/mcp '],
    ['with a fragment', 'https://crm.example/mcp#'],
  ])('also where the other row writes the address %s', async (_, url) => {
    const asked = async () => {
      await sql(argument('/id'), resource('globex', 'gx-1'))
      return (await caller()).code({ id: 'gx-1' })
    }
    // A row that SQL does not take is as good. Which ones: storage/constraints.test.ts.
    const outcome = await globexAt(url).then(asked, () => 'refused by SQL')
    expect(['not_allowed', 'refused by SQL']).toContain(outcome)
  })

  it('and a spelling that SQL does not know is not served', async () => {
    const at = async (url: string) => {
      await sql(`UPDATE servers SET url = '${url}' WHERE name = 'crm'`)
      return (await caller()).code({})
    }
    for (const host of ['0x8.8.8.8', '010.8.8.8', '134744072', '8.8.2056']) {
      expect(await at(`https://${host}/mcp`)).toBe('inactive')
    }
    expect(await at('https://8.8.8.8/mcp')).toBe('upstream_unreachable')
  })

  it('is nothing at another upstream', async () => {
    await globexAt('https://other.example/mcp')
    await sql(
      argument('/id'),
      resource('globex', 'gx-1'),
      resource('globex', '*', { pattern: 1 }),
      condition('targets.all(t, !t.listed && t.owner == "" && t.labels == [])'),
    )
    const { code } = await caller()
    expect(await code({ id: 'gx-1' })).toBe('allowed')
  })

  it('on a tie the own row counts, otherwise the one that says more', async () => {
    await globexAt(UPSTREAM)
    const { sub, code } = await caller()
    await sql(
      argument('/id'),
      OWN,
      resource('acme', 'both', { owner: sub }),
      resource('globex', 'both'),
      resource('acme', 'p-*', { pattern: 1, owner: sub }),
      resource('globex', 'p-*', { pattern: 1 }),
      resource('globex', 'p-1'),
      resource('globex', 'p-x-*', { pattern: 1 }),
    )
    expect(await code({ id: 'both' })).toBe('allowed')
    expect(await code({ id: 'p-2' })).toBe('allowed')
    expect(await code({ id: 'p-1' })).toBe('not_allowed')
    expect(await code({ id: 'p-x-1' })).toBe('not_allowed')
  })

  it('is the same for a tenant whose server is switched off', async () => {
    await globexAt(UPSTREAM)
    await sql(
      argument('/id'),
      resource('globex', 'gx-1'),
      "UPDATE servers SET active = 0 WHERE name = 'gx'",
      "UPDATE tenants SET active = 0 WHERE id = 'globex'",
    )
    expect(await (await caller()).code({ id: 'gx-1' })).toBe('not_allowed')
  })
})

describe('nobody learns that another tenant has it', () => {
  const seed = async () => {
    await globexAt(UPSTREAM)
    await sql(argument('/id'), OWN, resource('globex', 'c-1'), resource('acme', 'c-2'))
  }

  /** Of globex, of somebody else at acme, and of nobody. */
  const shapes = async (ask: (args: unknown) => Promise<Response>) => {
    const [theirs, another, nobodys] = [
      await shape(await ask({ id: 'c-1' })),
      await shape(await ask({ id: 'c-2' })),
      await shape(await ask({ id: 'c-3' })),
    ]
    expect(theirs.text).not.toMatch(/globex|gx|c-1|somebody/)
    expect(theirs).toEqual(another)
    expect(theirs).toEqual(nobodys)
    return theirs
  }

  it('from the answer', async () => {
    await seed()
    expect((await shapes((await caller()).ask)).text).toContain('not_allowed')
    expect(seen).toEqual([])
  })

  it('from an answer that asks for another scope', async () => {
    await seed()
    expect((await shapes((await caller('other')).ask)).text).toContain('insufficient_scope')
  })

  it('from an answer that asks for consent', async () => {
    await seed()
    await sql("UPDATE servers SET consent_required = 1 WHERE name = 'crm'")
    expect((await shapes((await caller()).ask)).text).toContain('consent_required')
  })

  it('from an answer that names a deny', async () => {
    await seed()
    await sql(
      "INSERT INTO policies (tenant, id, effect, condition) VALUES ('acme', 'no', 'deny', 'targets.exists(t, t.sensitivity == \"restricted\")')",
    )
    expect((await shapes((await caller()).ask)).text).toContain('denied_by_policy')
  })

  it('from the records of the tenant that asked', async () => {
    await seed()
    const { sub, code } = await caller()
    await code({ id: 'c-1' })
    const { record } = await lastOf(sub)
    expect(JSON.stringify(record.inputs)).not.toMatch(/globex|somebody/)
  })
})

describe('a call does not slip past what its arguments name', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => `c-${n}`)

  it.each([101, 9_999, 10_000, 10_001, 30_000])(
    'by naming %i things where a list is optional',
    async (count) => {
      await sql(argument('/ids/*', 1), OWN)
      const { code } = await caller()
      expect(await code({ ids: many(count) })).toBe('target_unreadable')
      expect(seen).toEqual([])
    },
  )

  it('by naming many things where what is not listed is public', async () => {
    await sql(
      argument('/ids/*', 0, 'public'),
      condition('targets.all(t, t.sensitivity == "public")'),
      resource('acme', 'c-1'),
    )
    const { code } = await caller()
    expect(await code({ ids: ['c-1'] })).toBe('not_allowed')
    expect(await code({ ids: many(10_001) })).toBe('target_unreadable')
    expect(seen).toEqual([])
  })

  const odd: [string, string, unknown][] = [
    ['a text where a list is expected', '/ids/*', { ids: 'theirs' }],
    ['an object where a list is expected', '/ids/*', { ids: { 0: 'theirs' } }],
    ['a text where an object is expected', '/of/id', { of: 'theirs' }],
    ['a list where an object is expected', '/of/id', { of: [{ id: 'theirs' }] }],
    ['an element that is a text', '/of/*/id', { of: ['theirs'] }],
  ]

  it.each(odd)('by sending %s, where the argument is optional', async (_, pointer, args) => {
    await sql(argument(pointer, 1), OWN)
    const { code } = await caller()
    expect(await code({})).toBe('allowed')
    expect(await code(args)).not.toBe('allowed')
    expect(seen).toHaveLength(1)
  })

  it.each(odd)('by sending %s, where what is not listed is public', async (_, pointer, args) => {
    await sql(
      argument(pointer, 0, 'public'),
      condition('targets.all(t, t.sensitivity == "public")'),
      resource('acme', 'theirs'),
    )
    const { code } = await caller()
    expect(await code(args)).not.toBe('allowed')
    expect(seen).toEqual([])
  })

  it('by naming one thing twice, once harmless', async () => {
    await sql(
      argument('/a', 0, 'public'),
      argument('/b'),
      condition('targets.all(t, t.sensitivity == "public")'),
    )
    const { code } = await caller()
    expect(await code({ a: 'x', b: 'x' })).toBe('not_allowed')
  })

  it('by a member of that name that every object has', async () => {
    await sql(argument('/constructor', 1), argument('/__proto__', 1), OWN)
    const { code } = await caller()
    expect(await code({ id: 'x' })).toBe('allowed')
    const own = '{"__proto__":"theirs"}'
    const bearer = await token({ sub: await newUser() })
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"note","arguments":${own}}}`
    expect(await (await post(body, { token: bearer })).text()).toContain('not_allowed')
  })

  it.each(["' OR 1=1 --", '%', '_', '*', '?', '[a-z]', '"]},{"', '$.x'])(
    'by a name that means something to a database: %s',
    async (id) => {
      const { sub, code } = await caller()
      await sql(argument('/id'), OWN, resource('acme', 'mine', { owner: sub }))
      expect(await code({ id: 'mine' })).toBe('allowed')
      expect(await code({ id })).toBe('not_allowed')
    },
  )
})
