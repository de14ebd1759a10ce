import { describe, expect, it } from 'vitest'
import { inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import { codeOf, label, onlyRules, seedMail } from './second-server.ts'

inThisWorld()

const noExport = {
  id: 'no-export-after',
  on_label: 'sink.export',
  type: 'temporal',
  rules: '["source.bulk"]',
} as const

describe('a tool whose row is gone may have been anything', () => {
  const retire = (tool: string) => [
    `DELETE FROM tool_labels WHERE tool = '${tool}'`,
    `DELETE FROM tools WHERE name = '${tool}'`,
  ]

  it('also what every unknown tool counts as', async () => {
    await onlyRules({ ...noExport, rules: '["source.confidential"]' })
    const sub = await newUser()
    await codeOf(sub, 'note')
    await sql(...retire('note'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a budget of its class is not freed by retiring the tool', async () => {
    const sub = await newUser()
    for (let n = 0; n < 10; n += 1) await codeOf(sub, 'delete_one', { n })
    await sql(
      ...retire('delete_one'),
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'delete_v2', 'destructive', 1)",
    )
    expect(await codeOf(sub, 'delete_v2', { n: 11 })).toBe('denied_by_sequence')
  })

  it('and what it was labelled while it had one', async () => {
    await onlyRules(noExport)
    const sub = await newUser()
    await codeOf(sub, 'read_all')
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql(...retire('read_all'))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('so that a budget of a label of one’s own is not freed by it either', async () => {
    await seedMail()
    await onlyRules({
      id: 'three-messages',
      on_label: 'sink.message',
      type: 'event_count',
      rules: '["sink.message"]',
      timespan_s: 600,
      condition: '{"gt":3}',
    })
    const sub = await newUser()
    for (let n = 0; n < 3; n += 1) await codeOf(sub, 'send', { to: `${n}` })
    expect(await codeOf(sub, 'send', { to: 'x' })).toBe('denied_by_sequence')
    // A new version of the tool under another name, as an upgrade of its server brings it.
    await sql(
      "DELETE FROM tool_arguments WHERE server = 'crm' AND tool = 'send'",
      "DELETE FROM tool_labels WHERE server = 'crm' AND tool = 'send'",
      "DELETE FROM tools WHERE server = 'crm' AND name = 'send'",
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'send_v2', 'write', 1)",
      label('send_v2', 'sink.message'),
    )
    expect(await codeOf(sub, 'send_v2', { to: 'x' })).toBe('denied_by_sequence')
  })

  it('nor by taking its whole server away and putting it back under another name', async () => {
    await seedMail()
    await onlyRules({ ...noExport, rules: '["source.directory"]' })
    await sql(
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'mail', 'find', 'source.directory')",
    )
    const sub = await newUser()
    await codeOf(sub, 'find', {}, { server: 'mail' })
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql(
      "DELETE FROM tool_arguments WHERE server = 'mail'",
      "DELETE FROM tool_labels WHERE server = 'mail'",
      "DELETE FROM tools WHERE server = 'mail'",
      "DELETE FROM servers WHERE name = 'mail'",
    )
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})
