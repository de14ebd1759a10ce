import { describe, expect, it } from 'vitest'
import { inThisWorld, newUser, seen, sql } from '../../support/worker/world.ts'
import { codeOf, hold, label, onlyRules, ruleRow, seedMail } from './second-server.ts'

inThisWorld()

const noExport = {
  id: 'no-export-after',
  on_label: 'sink.export',
  type: 'temporal',
  rules: '["source.bulk"]',
} as const

const unlabel = (tool: string, name: string) =>
  `DELETE FROM tool_labels WHERE tool = '${tool}' AND label = '${name}'`

describe('a rule that is added in the middle of a session fires on what was before it', () => {
  it.each<[string, Record<string, string | number>]>([
    ['temporal', { type: 'temporal', rules: '["source.bulk"]' }],
    [
      'temporal_ordered',
      {
        type: 'temporal_ordered',
        rules: '["source.bulk","sink.destructive"]',
        timespan_s: 600,
      },
    ],
    [
      'event_count',
      {
        type: 'event_count',
        rules: '["sink.destructive"]',
        timespan_s: 600,
        condition: '{"gte":2}',
      },
    ],
    [
      'event_count by server',
      {
        type: 'event_count',
        rules: '["sink.destructive"]',
        group_by: '["server"]',
        timespan_s: 600,
        condition: '{"gte":2}',
      },
    ],
    [
      'value_count',
      {
        type: 'value_count',
        rules: '["sink.message"]',
        field: 'target',
        timespan_s: 600,
        condition: '{"gt":2}',
      },
    ],
    [
      'value_sum of amounts',
      {
        type: 'value_sum',
        rules: '["sink.money"]',
        field: 'amount',
        timespan_s: 600,
        condition: '{"gte":100}',
      },
    ],
    [
      'value_sum of rows that nobody counted then',
      {
        type: 'value_sum',
        rules: '["source.bulk"]',
        field: 'result_rows',
        timespan_s: 600,
        condition: '{"gte":500}',
      },
    ],
    ['absence', { type: 'absence', rules: '["approval.granted"]', timespan_s: 600 }],
  ])('%s', async (_, columns) => {
    await seedMail()
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    await codeOf(sub, 'read_all')
    await codeOf(sub, 'delete_one', { n: 1 })
    await codeOf(sub, 'delete_one', { n: 2 })
    await codeOf(sub, 'send', { to: ['a@x.example', 'b@x.example', 'c@x.example'] })
    await codeOf(sub, 'pay', { amount: 60 })
    await codeOf(sub, 'pay', { amount: '40' })
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(ruleRow({ id: 'late', on_label: 'sink.export', ...columns }))
    seen.length = 0
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    expect(seen).toEqual([])
    // Nobody else is concerned, but for what asks for something that nobody has.
    const said = await codeOf(await newUser(), 'export_all')
    expect(said).toBe(columns['type'] === 'absence' ? 'denied_by_sequence' : 'allowed')
  })

  it('while a call is under way, the rule counts that call as well', async () => {
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    const { reached, release } = hold()
    const read = codeOf(sub, 'read_all')
    await reached
    await sql(ruleRow(noExport))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    release()
    expect(await read).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a budget that is added while its calls are under way is exact from there on', async () => {
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    const { reached, release } = hold()
    const first = codeOf(sub, 'delete_one', { n: 0 })
    await reached
    await sql(
      ruleRow({
        id: 'three',
        on_label: 'sink.destructive',
        type: 'event_count',
        rules: '["sink.destructive"]',
        timespan_s: 600,
        condition: '{"gt":3}',
      }),
    )
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => codeOf(sub, 'delete_one', { n })),
    )
    release()
    expect(await first).toBe('allowed')
    expect(codes.filter((code) => code === 'allowed')).toHaveLength(2)
  })
})

describe('a label that is given to a tool in the middle of a session', () => {
  it('makes its former calls count', async () => {
    await onlyRules({ ...noExport, rules: '["source.secret"]' })
    const sub = await newUser()
    await codeOf(sub, 'note')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(label('note', 'source.secret'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('makes the call count that is under way', async () => {
    await onlyRules({ ...noExport, rules: '["source.secret"]' })
    const sub = await newUser()
    const { reached, release } = hold()
    const call = codeOf(sub, 'note')
    await reached
    await sql(label('note', 'source.secret'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    release()
    expect(await call).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('and whose rows are summed: the rows that nobody counted are without bound', async () => {
    await onlyRules({
      id: 'broad',
      on_label: 'sink.export',
      type: 'value_sum',
      rules: '["source.secret"]',
      timespan_s: 600,
      field: 'result_rows',
      condition: '{"gte":500}',
    })
    const sub = await newUser()
    await codeOf(sub, 'note')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(label('note', 'source.secret'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('by a rename that is another tool: the former calls count by the new label of their own row', async () => {
    await onlyRules({ ...noExport, rules: '["source.secret"]' })
    const sub = await newUser()
    await codeOf(sub, 'note')
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'NOTE', 'read', 1)",
      label('NOTE', 'source.secret'),
    )
    // Another tool by another name, letter for letter.
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    expect(await codeOf(sub, 'NOTE')).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('by a pattern: calls of all that it names count, whatever their spelling', async () => {
    await onlyRules({ ...noExport, rules: '["source.secret"]' })
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'get_*', 'read', 1)",
    )
    const [one, other] = [await newUser(), await newUser()]
    await codeOf(one, 'get_people')
    await codeOf(other, 'get_PEOPLE')
    await sql(label('get_*', 'source.secret'))
    expect(await codeOf(one, 'export_all')).toBe('denied_by_sequence')
    expect(await codeOf(other, 'export_all')).toBe('denied_by_sequence')
  })
})

describe('what is taken away and put back', () => {
  it('a rule: in between it does not hold, and then it knows everything', async () => {
    await onlyRules(noExport)
    const sub = await newUser()
    await codeOf(sub, 'read_all')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql('DELETE FROM sequence_rules')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(ruleRow(noExport))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql('UPDATE sequence_rules SET enabled = 0')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql('UPDATE sequence_rules SET enabled = 1')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a budget: what was spent before and in between is spent', async () => {
    const budget = {
      id: 'spend',
      on_label: 'sink.money',
      type: 'value_sum',
      rules: '["sink.money"]',
      timespan_s: 86_400,
      field: 'amount',
      condition: '{"gt":100}',
    } as const
    await seedMail()
    await onlyRules(budget)
    const sub = await newUser()
    expect(await codeOf(sub, 'pay', { amount: 60 })).toBe('allowed')
    await sql('DELETE FROM sequence_rules')
    expect(await codeOf(sub, 'pay', { amount: 30 })).toBe('allowed')
    await sql(ruleRow(budget))
    expect(await codeOf(sub, 'pay', { amount: 11 })).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'pay', { amount: 10 })).toBe('allowed')
  })

  it('a label: while it is gone its calls do not count, and then they do', async () => {
    await onlyRules(noExport)
    const sub = await newUser()
    await codeOf(sub, 'read_all')
    await sql(unlabel('read_all', 'source.bulk'))
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(label('read_all', 'source.bulk'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('both, while the call is under way', async () => {
    await onlyRules(noExport)
    const sub = await newUser()
    const { reached, release } = hold()
    const read = codeOf(sub, 'read_all')
    await reached
    await sql('DELETE FROM sequence_rules', unlabel('read_all', 'source.bulk'))
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await sql(ruleRow(noExport), label('read_all', 'source.bulk'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    release()
    expect(await read).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a label that an upstream’s failure would have freed is not freed twice', async () => {
    await onlyRules({
      id: 'two',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespan_s: 600,
      condition: '{"gt":2}',
    })
    const sub = await newUser()
    const { reached, release } = hold()
    const pending = codeOf(sub, 'delete_one', { n: 1 })
    await reached
    await sql("UPDATE tools SET access = 'read' WHERE name = 'delete_one'")
    expect(await codeOf(sub, 'note')).toBe('allowed')
    await sql("UPDATE tools SET access = 'destructive' WHERE name = 'delete_one'")
    release()
    expect(await pending).toBe('allowed')
    expect(await codeOf(sub, 'delete_one', { n: 2 })).toBe('allowed')
    expect(await codeOf(sub, 'delete_one', { n: 3 })).toBe('denied_by_sequence')
  })
})

describe('edits that come as fast as the calls', () => {
  it('a rule that comes and goes is felt by the very next call, 30 times', async () => {
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    await codeOf(sub, 'read_all')
    for (let n = 0; n < 30; n += 1) {
      await sql(ruleRow({ ...noExport, id: `r${n}` }))
      expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
      await sql('DELETE FROM sequence_rules')
      expect(await codeOf(sub, 'export_all')).toBe('allowed')
    }
  })

  it('labels that change beside 40 calls lose no read', async () => {
    await onlyRules({ ...noExport, rules: '["source.confidential"]' })
    const sub = await newUser()
    const flips = async () => {
      for (let n = 0; n < 10; n += 1) {
        await sql(label('note', `source.x${n}`))
        // Rows that change at every single reading are a 503.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const codes = await Promise.all([
      flips(),
      ...Array.from({ length: 40 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, n * 12))
        return codeOf(sub, n % 2 === 0 ? 'read_all' : 'note', { n })
      }),
    ])
    expect(codes.filter((code) => code === 'allowed').length).toBeGreaterThan(0)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})
