import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import { call, inThisWorld, ISSUER, newUser, seen, sql, token } from '../../support/worker/world.ts'

inThisWorld()

const argument = (pointer: string, more = '') =>
  `INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type${more && ', optional, unlisted'})
   VALUES ('acme', 'crm', 'note', '${pointer}', 'customer'${more})`

const resource = (id: string, columns: Record<string, string> = {}) => {
  const names = Object.keys(columns)
  const values = Object.values(columns)
  return `INSERT INTO resources (${['tenant', 'type', 'id', ...names].join(', ')})
    VALUES ('acme', 'customer', '${id}'${values.map((value) => `, '${value}'`).join('')})`
}

const owned = (id: string, owner: string, more = {}) =>
  resource(id, { owner, owner_issuer: ISSUER, ...more })

const condition = (text: string) => `UPDATE policies SET condition = '${text}' WHERE id = 'sales'`

const OWN = condition('size(targets) > 0 && targets.all(t, t.owned)')
const CALM = condition('targets.all(t, t.sensitivity in ["public", "internal"])')

beforeEach(() => sql("INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')"))

/** The same token for every call, and what came of each. */
async function caller() {
  const sub = await newUser()
  const bearer = await token({ sub })
  const code = async (args: unknown) => (await call('note', { token: bearer, args })).code
  return { sub, code }
}

describe('rows for many', () => {
  const pattern = (id: string, sensitivity: string) =>
    resource(id, { pattern: '1', sensitivity }).replace("'1'", '1')

  it('an exact row beats a pattern, and the longest text before the star beats others', async () => {
    const { sub, code } = await caller()
    await sql(
      argument('/id'),
      CALM,
      pattern('*', 'public'),
      pattern('hr-*', 'restricted'),
      pattern('hr-menu-*', 'internal'),
      pattern('h*u-x-long', 'restricted'),
      resource('hr-menu-secret', { sensitivity: 'confidential' }),
      resource('hr-9', { sensitivity: 'public' }),
    )
    const classOf = async (id: string) => {
      await code({ id })
      return (await lastOf(sub)).record.inputs.facts.targets[0]?.row?.id
    }
    expect(await classOf('other')).toBe('*')
    expect(await classOf('hr-1')).toBe('hr-*')
    expect(await classOf('hr-menu-1')).toBe('hr-menu-*')
    expect(await classOf('hr-menu-x-long')).toBe('hr-menu-*')
    expect(await classOf('hr-menu-secret')).toBe('hr-menu-secret')
    expect(await classOf('hr-9')).toBe('hr-9')
    expect(await code({ id: 'hr-menu-1' })).toBe('allowed')
    expect(await code({ id: 'hr-menu-secret' })).toBe('not_allowed')
  })

  it('by their end, and only where the whole name fits', async () => {
    const { code } = await caller()
    await sql(
      "UPDATE resource_types SET form = 'email'",
      argument('/id'),
      CALM,
      pattern('*@example.com', 'internal'),
    )
    expect(await code({ id: 'A@Example.com' })).toBe('allowed')
    for (const id of ['a@example.com.evil.org', 'a@sub.example.com', 'a@notexample.com']) {
      expect([id, await code({ id })]).toEqual([id, 'not_allowed'])
    }
  })

  it('a star in the name of an exact row is a letter', async () => {
    const { code } = await caller()
    await sql(argument('/id'), CALM, resource('a*', { sensitivity: 'public' }))
    expect(await code({ id: 'ab' })).toBe('not_allowed')
    expect(await code({ id: 'a*' })).toBe('allowed')
  })

  it('the parts of a pattern never overlap', async () => {
    const { code } = await caller()
    await sql(argument('/id'), CALM, pattern('aba*aba', 'public'))
    expect(await code({ id: 'aba' })).toBe('not_allowed')
    expect(await code({ id: 'ababa' })).toBe('not_allowed')
    expect(await code({ id: 'abaaba' })).toBe('allowed')
  })
})

describe('labels of what is touched', () => {
  it('count for the rules over history', async () => {
    const { sub, code } = await caller()
    const bearer = await token({ sub })
    await sql(
      argument('/id'),
      resource('plain', { sensitivity: 'public' }),
      resource('secret', { labels: '["source.confidential"]' }),
      resource('bulk', { labels: '["source.bulk"]' }),
    )
    const exported = async () => (await call('export_all', { token: bearer })).code
    expect(await code({ id: 'plain' })).toBe('allowed')
    expect(await exported()).toBe('allowed')
    expect(await code({ id: 'secret' })).toBe('allowed')
    expect(await code({ id: 'bulk' })).toBe('allowed')
    expect(await exported()).toBe('denied_by_sequence')
  })

  it('count for policies', async () => {
    const { code } = await caller()
    await sql(
      argument('/id'),
      resource('secret', { labels: '["source.secret"]' }),
      "INSERT INTO policies (tenant, id, effect, label) VALUES ('acme', 'no', 'deny', 'source.secret')",
    )
    expect(await code({ id: 'plain' })).toBe('allowed')
    expect(await code({ id: 'secret' })).toBe('denied_by_policy')
  })
})

describe('many at once', () => {
  it('a hundred are looked up, one more is refused', async () => {
    const { sub, code } = await caller()
    await sql(argument('/ids/*'), OWN, owned('c-*', sub, { pattern: '1' }).replace("'1'", '1'))
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `c-${n}`)
    expect(await code({ ids: ids(100) })).toBe('allowed')
    expect(await code({ ids: ids(101) })).toBe('target_unreadable')
    expect(await code({ ids: [...ids(100), ...ids(100)] })).toBe('allowed')
    expect(await code({ ids: [...ids(99), 'd-1'] })).toBe('not_allowed')
    expect(seen).toHaveLength(2)
  })
})
