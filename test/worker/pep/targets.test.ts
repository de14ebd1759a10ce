import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  seen,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'

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

describe('the next call feels', () => {
  it('a new owner', async () => {
    const { sub, code } = await caller()
    await sql(argument('/id'), OWN, owned('c-1', sub), owned('c-2', 'somebody'))
    expect(await code({ id: 'c-1' })).toBe('allowed')
    expect(await code({ id: 'c-2' })).toBe('not_allowed')
    await sql(`UPDATE resources SET owner = CASE id WHEN 'c-2' THEN '${sub}' ELSE 'somebody' END`)
    expect(await code({ id: 'c-1' })).toBe('not_allowed')
    expect(await code({ id: 'c-2' })).toBe('allowed')
    expect(seen).toHaveLength(2)
  })

  it('a higher sensitivity', async () => {
    const { code } = await caller()
    await sql(argument('/id'), CALM, resource('c-1', { sensitivity: 'internal' }))
    expect(await code({ id: 'c-1' })).toBe('allowed')
    await sql("UPDATE resources SET sensitivity = 'confidential'")
    expect(await code({ id: 'c-1' })).toBe('not_allowed')
    await sql("UPDATE resources SET sensitivity = 'public'")
    expect(await code({ id: 'c-1' })).toBe('allowed')
  })

  it('a row that comes and goes', async () => {
    const { code } = await caller()
    await sql(argument('/id'), CALM)
    expect(await code({ id: 'c-1' })).toBe('not_allowed')
    await sql(resource('c-1', { sensitivity: 'public' }))
    expect(await code({ id: 'c-1' })).toBe('allowed')
    await sql('DELETE FROM resources')
    expect(await code({ id: 'c-1' })).toBe('not_allowed')
  })

  it('an argument that is said to name something, and what its type makes equal', async () => {
    const { code } = await caller()
    await sql(CALM, resource('c-1', { sensitivity: 'public' }))
    expect(await code({ id: 'C-1' })).toBe('allowed')
    await sql(argument('/id'))
    expect(await code({ id: 'C-1' })).toBe('not_allowed')
    await sql("UPDATE resource_types SET form = 'lower'")
    expect(await code({ id: 'C-1' })).toBe('allowed')
    await sql('DELETE FROM tool_arguments')
    expect(await code({ id: 'something else' })).toBe('allowed')
  })
})

describe('an owner is a person of an issuer', () => {
  it('not a namesake of another issuer, and not a client of that name', async () => {
    const { sub, code } = await caller()
    await sql(
      argument('/id'),
      OWN,
      owned('c-1', sub, { owner_issuer: 'https://other.example' }),
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${sub}')`,
      `INSERT INTO policies (tenant, id, effect, client, condition) VALUES ('acme', 'machine', 'allow', '${sub}', 'targets.all(t, t.owned)')`,
    )
    expect(await code({ id: 'c-1' })).toBe('not_allowed')
    await sql(`UPDATE resources SET owner_issuer = '${ISSUER}'`)
    expect(await code({ id: 'c-1' })).toBe('allowed')
    const workload = await token({ sub, client: sub })
    expect((await call('note', { token: workload, args: { id: 'c-1' } })).code).toBe('not_allowed')
  })
})

describe('wherever an argument names something', () => {
  it.each<[string, string, unknown, unknown]>([
    ['deep inside', '/filter/id', { filter: { id: 'mine' } }, { filter: { id: 'theirs' } }],
    [
      'in a list',
      '/filter/ids/*',
      { filter: { ids: ['mine'] } },
      { filter: { ids: ['mine', 'theirs'] } },
    ],
    [
      'in objects of a list',
      '/of/*/id',
      { of: [{ id: 'mine' }] },
      { of: [{ id: 'mine' }, { id: 'theirs' }] },
    ],
    ['in lists of lists', '/of/*/*', { of: [['mine'], []] }, { of: [['mine'], ['theirs']] }],
    ['at a place in a list', '/of/1', { of: ['x', 'mine'] }, { of: ['mine', 'theirs'] }],
    ['under a name with signs', '/a~1b~0c', { 'a/b~c': 'mine' }, { 'a/b~c': 'theirs' }],
    ['as a number', '/id', { id: 7 }, { id: 8 }],
  ])("%s: one's own passes, another's does not", async (_, pointer, mine, theirs) => {
    const { sub, code } = await caller()
    await sql(argument(pointer), OWN, owned('mine', sub), owned('7', sub), owned('theirs', 'x'))
    expect(await code(mine)).toBe('allowed')
    expect(await code(theirs)).toBe('not_allowed')
    expect(seen).toHaveLength(1)
  })

  it.each(['7', '7.0', '70e-1', '0.7E1', '"7"'])('the number %s is the name 7', async (text) => {
    const { sub } = await caller()
    await sql(argument('/id'), OWN, owned('7', sub))
    const said = async (id: string) => {
      const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"note","arguments":{"id":${id}}}}`
      return (await verdict(await post(body, { token: await token({ sub }) }))).code
    }
    expect(await said(text)).toBe('allowed')
    expect(await said('70')).toBe('not_allowed')
    expect(await said('7.00000000000000000001')).toBe('target_unreadable')
  })

  it.each<[string, string, unknown]>([
    ['is missing', '/id', {}],
    ['is missing in one element', '/of/*/id', { of: [{ id: 'mine' }, {}] }],
    ['is an empty list', '/ids/*', { ids: [] }],
  ])('one that %s is an unlisted one', async (_, pointer, args) => {
    const { sub, code } = await caller()
    await sql(argument(pointer), OWN, owned('mine', sub))
    expect(await code(args)).toBe('not_allowed')
    expect((await lastOf(sub)).record.inputs.facts.targets).toContainEqual(
      expect.objectContaining({
        type: 'customer',
        id: null,
        from: 'arguments',
        row: null,
        sensitivity: 'restricted',
      }),
    )
  })

  it.each<[string, unknown]>([
    ['an object', { id: { $in: ['mine'] } }],
    ['a list', { id: ['mine'] }],
    ['a bool', { id: true }],
    ['null', { id: null }],
    ['a fraction', { id: 1.5 }],
    ['an empty text', { id: '' }],
    ['a text with a hidden sign', { id: 'mi\u200bne' }],
    ['a text with an end of line', { id: 'mine\n' }],
    ['a text that is too long', { id: 'm'.repeat(2001) }],
  ])('%s is no name, and refused', async (_, args) => {
    const { sub, code } = await caller()
    await sql(argument('/id'), owned('mine', sub))
    expect(await code(args)).toBe('target_unreadable')
    expect(seen).toEqual([])
  })

  it('and says which class it is of where no row does', async () => {
    const { code } = await caller()
    await sql(CALM, argument('/id', ", 0, 'internal'"), argument('/other', ", 1, 'confidential'"))
    expect(await code({ id: 'anything' })).toBe('allowed')
    expect(await code({ id: 'anything', other: 'anything' })).toBe('not_allowed')
    expect(await code({ id: 'anything', other: 'else' })).toBe('not_allowed')
    expect(await code({})).toBe('allowed')
  })
})

describe('one thing has one spelling', () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    [
      'path',
      '/data/hr',
      ['/data/hr', '/data//hr', '/data/./hr', '/data/x/../hr/', '//data/hr'],
      ['/data/hr/..', '/data', 'data/hr'],
    ],
    [
      'url',
      'https://files.example/a',
      [
        'https://files.example/a',
        'HTTPS://FILES.example:443/a',
        'https://files.example./%61',
        'https://files.example/b/%2e%2e/a#x',
      ],
      ['https://files.example/A', 'http://files.example/a', 'https://files.example/a?x'],
    ],
    [
      'email',
      'a@example.com',
      ['a@example.com', 'A@EXAMPLE.com', 'a@example.com.'],
      ['b@example.com', 'a@example.org'],
    ],
    ['host', 'db.example', ['db.example', 'DB.example.', 'db.EXAMPLE'], ['db.example.org']],
  ])('of the form %s', async (form, id, same, others) => {
    const { sub, code } = await caller()
    await sql(`UPDATE resource_types SET form = '${form}'`, argument('/id'), OWN, owned(id, sub))
    for (const name of same) expect([name, await code({ id: name })]).toEqual([name, 'allowed'])
    for (const name of others)
      expect([name, await code({ id: name })]).toEqual([name, 'not_allowed'])
  })

  it.each([
    ['path', '/data/%68r'],
    ['path', '\\data\\hr'],
    ['path', '/data/../../hr'],
    ['url', 'https://u:p@files.example/a'],
    ['url', '/a'],
    ['email', 'A <a@example.com>'],
    ['email', 'a@example.com, b@example.com'],
    ['host', 'db.example:5432'],
  ])('and what is none of the form %s is refused: %s', async (form, id) => {
    const { code } = await caller()
    await sql(`UPDATE resource_types SET form = '${form}'`, argument('/id'))
    expect(await code({ id })).toBe('target_unreadable')
  })
})
