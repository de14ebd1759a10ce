// What a case says that an earlier call answered is read by the code that reads it in the Worker.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCases } from '../../../../src/cli/call/test-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'policy-history-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const RULES = `
  UPDATE tools SET labels_reviewed = 1 WHERE server = 'shop';
  UPDATE policies SET condition = NULL WHERE id IN ('sales-may-find', 'sales-may-refund');
  UPDATE resources SET labels = '["source.secret"]' WHERE id = '17';
  INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'shop', 'find_orders', 'source.orders');
  INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, field, condition, reason) VALUES
    ('acme', 'secret', 'deny', 'sink.update', 'temporal', '["source.secret"]', NULL, NULL, NULL, 'test'),
    ('acme', 'broad', 'deny', 'sink.update', 'value_sum', '["source.orders"]', 600, 'result_rows', '{"gte":5}', 'test');`

async function refusalAfter(past: object): Promise<string> {
  const path = join(folder, 'cases.json')
  writeFileSync(join(folder, 'rules.sql'), RULES)
  const asked = {
    name: 'one',
    tenant: 'acme',
    server: 'shop',
    client: 'acme-agent',
    tool: 'refund',
    arguments: { order: '18', amount: 1, currency: 'EUR', mode: 'now' },
    subject: { id: 'alice' },
    history: [{ tool: 'find_orders', arguments: { filter: {} }, ...past }],
    expect: 'allow',
  }
  const policies = [resolve('local/seed/acme.sql'), resolve('test/unit/cli/shop.sql'), 'rules.sql']
  writeFileSync(path, JSON.stringify({ policies, cases: [asked] }))
  const { failures } = await runCases([path])
  return failures.map(({ message }) => message).join()
}

const orders = (...ids: string[]) => ({
  structuredContent: { orders: ids.map((id) => ({ id, class: 'a' })) },
})

describe('an earlier call of a case', () => {
  it('brings the labels of the resources that its result names', async () => {
    expect(await refusalAfter({ result: orders('18') })).toBe('')
    expect(await refusalAfter({ result: orders('17') })).toContain('denied_by_sequence')
  })

  it('has as many rows as its result, unless the case says otherwise', async () => {
    const many = orders('1', '2', '3', '4', '5', '6', '7', '8')
    expect(await refusalAfter({ result: many })).toContain('denied_by_sequence')
    expect(await refusalAfter({ result: many, result_rows: 2 })).toBe('')
    expect(await refusalAfter({ result: orders('1') })).toBe('')
    expect(await refusalAfter({})).toContain('denied_by_sequence')
  })

  it('counts plain text as rows wherever there may be some', async () => {
    const text = (letters: string) => ({ content: [{ type: 'text', text: letters }] })
    expect(await refusalAfter({ result: text('a b') })).toBe('')
    expect(await refusalAfter({ result: text('a b c d e f') })).toContain('denied_by_sequence')
  })
})
