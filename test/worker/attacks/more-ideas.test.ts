import { describe, expect, it } from 'vitest'
import { answerOf, sends } from '../../support/worker/upstream.ts'
import { inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import { codeOf, onlyRules, rawCall, ruleRow } from './second-server.ts'

inThisWorld()

const answer = (result: unknown) => sends(JSON.stringify(answerOf(result)))

describe('labels that a result brings', () => {
  /** `note` answers with customers, and customer c-1 is secret. */
  const seedResults = () =>
    sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      `INSERT INTO resources (tenant, type, id, sensitivity, labels) VALUES ('acme', 'customer', 'c-1', 'internal', '["source.secret"]'), ('acme', 'customer', 'c-2', 'internal', '[]')`,
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/items/*/id', 'customer')",
    )
  const noSecrets = {
    id: 'no-secrets-out',
    on_label: 'sink.export',
    type: 'temporal',
    rules: '["source.secret"]',
  } as const
  const read = async (sub: string, id: string) => {
    answer({ content: [], structuredContent: { items: [{ id }] } })
    await (await rawCall(sub, 'note', {}, { client: 'other-agent' })).text()
    answer({ content: [] })
  }

  it('count from then on, for every client', async () => {
    await seedResults()
    await onlyRules(noSecrets)
    const sub = await newUser()
    await read(sub, 'c-2')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await read(sub, 'c-1')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('stay when the resource loses its label, is deleted, or its rows are', async () => {
    await seedResults()
    await onlyRules(noSecrets)
    const sub = await newUser()
    await read(sub, 'c-1')
    await sql("UPDATE resources SET labels = '[]'")
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql('DELETE FROM resources', 'DELETE FROM tool_results')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    // A change of labels tells the history anew.
    await sql(
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'delete_one', 'sink.other')",
    )
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('are over with the answer that brought them: what happens later clears them', async () => {
    await seedResults()
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'clear', 'write', 1)",
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'clear', 'endorse.review')",
    )
    await onlyRules({ ...noSecrets, until_label: 'endorse.review' })
    const sub = await newUser()
    await read(sub, 'c-1')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'clear')).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await read(sub, 'c-1')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('permit nothing, whatever an upstream says of itself, also once it is told anew', async () => {
    await seedResults()
    const first = {
      id: 'secret-first',
      on_label: 'sink.export',
      type: 'absence',
      rules: '["source.secret"]',
    } as const
    await onlyRules(first)
    const sub = await newUser()
    await read(sub, 'c-1')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await onlyRules({ ...first, id: 'later', group_by: '["server"]' })
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('count for a rule that is added later, also where there was none at all before', async () => {
    await seedResults()
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    await read(sub, 'c-1')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(ruleRow(noSecrets))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})

describe('a rule about things of one kind', () => {
  const seedTenants = (role: string | null) =>
    sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'account')",
      `INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type, unlisted) VALUES ('acme', 'crm', 'note', '/account', ${role === null ? 'NULL' : `'${role}'`}, 'account', 'public')`,
    )
  const wall = {
    id: 'chinese-wall',
    on_label: 'sink.update',
    type: 'value_count',
    rules: '["sink.update"]',
    field: 'account',
    timespan_s: 86_400,
    condition: '{"gte":2}',
  } as const

  it('counts them where the argument has a role', async () => {
    await seedTenants('selector')
    await onlyRules(wall)
    const sub = await newUser()
    expect(await codeOf(sub, 'note', { account: 'a' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { account: 'b' })).toBe('denied_by_sequence')
  })

  it('counts them where the argument has none', async () => {
    await seedTenants(null)
    await onlyRules(wall)
    const sub = await newUser()
    expect(await codeOf(sub, 'note', { account: 'a' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { account: 'b' })).toBe('denied_by_sequence')
  })

  it('tells two apart that differ in their letters only, as the kind itself does', async () => {
    await seedTenants('selector')
    await onlyRules(wall)
    const sub = await newUser()
    expect(await codeOf(sub, 'note', { account: 'aBc' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { account: 'AbC' })).toBe('denied_by_sequence')
  })

  it('a read of one permits no write to another that differs in its letters only', async () => {
    await seedTenants('selector')
    await sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type, unlisted) VALUES ('acme', 'crm', 'read_all', '/account', 'selector', 'account', 'public')",
    )
    await onlyRules({
      id: 'read-before-write',
      on_label: 'sink.update',
      type: 'absence',
      rules: '["source.bulk"]',
      group_by: '["account"]',
    })
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all', { account: 'aBc' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { account: 'aBc' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { account: 'other' })).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'note', { account: 'AbC' })).toBe('denied_by_sequence')
  })
})

describe('what rows say of arguments', () => {
  const fanOut = {
    id: 'fan-out',
    on_label: 'sink.update',
    type: 'value_count',
    rules: '["sink.update"]',
    field: 'target',
    timespan_s: 600,
    condition: '{"gt":2}',
  } as const

  it('holds for every tool that a pattern names, and for all of them together', async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'write_*', 'write', 1)",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'write_*', '/to', 'target')",
    )
    await onlyRules(fanOut)
    const sub = await newUser()
    expect(await codeOf(sub, 'write_a', { to: 'a' })).toBe('allowed')
    expect(await codeOf(sub, 'write_b', { to: 'b' })).toBe('allowed')
    expect(await codeOf(sub, 'write_c', { to: 'c' })).toBe('denied_by_sequence')
  })

  it('holds where the argument lies in an object that the client writes as a text or in a list', async () => {
    await sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/mail/to/*', 'target')",
    )
    await onlyRules(fanOut)
    const sub = await newUser()
    const three = ['a', 'b', 'c']
    for (const mail of [{ to: three }, [{ to: three }], { to: JSON.stringify(three) }]) {
      expect(await codeOf(sub, 'note', { mail })).toBe('denied_by_sequence')
    }
  })

  it('holds where a list of texts stands in the place of an object', async () => {
    await sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/mail/to', 'target')",
    )
    await onlyRules(fanOut)
    expect(await codeOf(await newUser(), 'note', { mail: ['a', 'b', 'c'] })).toBe(
      'denied_by_sequence',
    )
  })

  it('holds from the row on: what was passed before it has the roles that it had then', async () => {
    await onlyRules(fanOut)
    const sub = await newUser()
    for (const to of ['anna', 'bert', 'carl', 'dora']) await codeOf(sub, 'note', { to })
    await sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/to', 'target')",
    )
    expect(await codeOf(sub, 'note', { to: 'anna' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { to: 'bert' })).toBe('allowed')
    expect(await codeOf(sub, 'note', { to: 'carl' })).toBe('denied_by_sequence')
  })
})

describe('time', () => {
  const budget = {
    id: 'two-in-two-seconds',
    on_label: 'sink.destructive',
    type: 'event_count',
    rules: '["sink.destructive"]',
    timespan_s: 2,
    condition: '{"gt":2}',
  } as const
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  it(
    'a budget comes back call by call, and refusals neither prolong nor shorten it',
    { timeout: 20_000 },
    async () => {
      await onlyRules(budget)
      const sub = await newUser()
      expect(await codeOf(sub, 'delete_one', { n: 1 })).toBe('allowed')
      await wait(1_200)
      expect(await codeOf(sub, 'delete_one', { n: 2 })).toBe('allowed')
      expect(await codeOf(sub, 'delete_one', { n: 3 })).toBe('denied_by_sequence')
      await wait(900)
      expect(await codeOf(sub, 'delete_one', { n: 4 })).toBe('allowed')
      expect(await codeOf(sub, 'delete_one', { n: 5 })).toBe('denied_by_sequence')
    },
  )

  it('a history that is told anew keeps its times', { timeout: 20_000 }, async () => {
    await onlyRules(budget)
    const sub = await newUser()
    expect(await codeOf(sub, 'delete_one', { n: 1 })).toBe('allowed')
    await wait(1_200)
    expect(await codeOf(sub, 'delete_one', { n: 2 })).toBe('allowed')
    await sql(
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'note', 'source.new')",
    )
    expect(await codeOf(sub, 'delete_one', { n: 3 })).toBe('denied_by_sequence')
    await wait(900)
    expect(await codeOf(sub, 'delete_one', { n: 4 })).toBe('allowed')
    expect(await codeOf(sub, 'delete_one', { n: 5 })).toBe('denied_by_sequence')
  })
})

describe('other ways in', () => {
  it('a refused call teaches the history nothing of its labels or values', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'read_all')",
    )
    const sub = await newUser()
    expect(await codeOf(sub, 'read_all')).toBe('denied_by_policy')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
  })

  it('a call that both reads and exports is the whole sequence by itself', async () => {
    await sql(
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'export_all', 'source.confidential'), ('acme', 'crm', 'export_all', 'source.bulk')",
    )
    expect(await codeOf(await newUser(), 'export_all')).toBe('denied_by_sequence')
  })

  it('a call that an observed server let through counts when observing has ended', async () => {
    await sql("UPDATE servers SET observe_until = (unixepoch() + 600) * 1000 WHERE name = 'crm'")
    const sub = await newUser()
    for (let n = 0; n < 12; n += 1) expect(await codeOf(sub, 'delete_one', { n })).toBe('allowed')
    await sql('UPDATE servers SET observe_until = NULL')
    expect(await codeOf(sub, 'delete_one', { n: 'x' })).toBe('denied_by_sequence')
  })
})
