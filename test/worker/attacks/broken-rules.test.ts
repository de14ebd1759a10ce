import { describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  inThisWorld,
  newUser,
  post,
  seen,
  sql,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'
import { by, codeOf, onlyRules } from './second-server.ts'

inThisWorld()

const noExport = {
  id: 'no-export-after',
  on_label: 'sink.export',
  type: 'temporal',
  rules: '["source.bulk"]',
} as const

describe('a rule that cannot be read', () => {
  const broken: readonly (readonly [string, Record<string, string | number | null>])[] = [
    ['labels that are none', { type: 'temporal', rules: '["Not A Label"]' }],
    ['labels that are numbers', { type: 'temporal', rules: '[1]' }],
    [
      'a comparison that nobody knows',
      {
        type: 'event_count',
        rules: '["sink.export"]',
        timespan_s: 60,
        condition: '{"about":3}',
      },
    ],
    [
      'a threshold that is a text',
      {
        type: 'value_sum',
        rules: '["sink.export"]',
        field: 'amount',
        timespan_s: 60,
        condition: '{"gt":"1000"}',
      },
    ],
    [
      'no threshold at all',
      { type: 'event_count', rules: '["sink.export"]', timespan_s: 60, condition: '{}' },
    ],
    [
      'a test that nobody knows',
      { type: 'temporal', rules: '["source.bulk"]', on_where: '{"target":{"like":"x"}}' },
    ],
    ['a grouping of numbers', { type: 'temporal', rules: '["source.bulk"]', group_by: '[1]' }],
    ['classes that are numbers', { type: 'temporal', rules: '["source.bulk"]', on_access: '[1]' }],
    [
      'origins that nobody knows',
      { type: 'provenance', rules: '[]', role: 'target', origins: '["moon"]' },
    ],
  ]

  it.each(broken)(
    'for %s refuses every call on its label, and no other; the record names it, the answer does not',
    async (_, columns) => {
      await onlyRules({ id: 'broken-row', on_label: 'sink.export', ...columns })
      const sub = await newUser()
      expect(await codeOf(sub, 'read_all')).toBe('allowed')
      expect(await codeOf(sub, 'note')).toBe('allowed')
      expect(await codeOf(sub, 'delete_one')).toBe('allowed')
      seen.length = 0
      const response = await post(toolCall('export_all'), await by(sub))
      const text = await response.clone().text()
      expect((await verdict(response)).code).toBe('denied_by_sequence')
      expect(seen).toEqual([])
      expect(text).not.toContain('broken-row')
      expect(text).not.toContain('because')
      const [hit] = (await lastOf(sub)).record.session.rules as readonly {
        rule: string
        problem: string | null
      }[]
      expect(hit).toMatchObject({ rule: 'broken-row', problem: expect.any(String) })
      // It is mended by a row, for the next call.
      await sql('DELETE FROM sequence_rules')
      expect(await codeOf(sub, 'export_all')).toBe('allowed')
    },
  )

  it('narrowed by a class or another label, refuses beyond it too: nobody can say what it meant', async () => {
    await onlyRules({
      id: 'broken-row',
      on_label: 'sink.export',
      type: 'temporal',
      rules: '["?"]',
      on_access: '["admin"]',
      unless_label: 'sink.export',
    })
    expect(await codeOf(await newUser(), 'export_all')).toBe('denied_by_sequence')
  })

  it('on any call refuses a listing as well', async () => {
    await onlyRules({ id: 'broken-row', on_label: 'any', type: 'temporal', rules: '["?"]' })
    const sub = await newUser()
    expect(await codeOf(sub, 'note')).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'read_all')).toBe('denied_by_sequence')
    expect(seen).toEqual([])
  })

  it('that only asks for approval, asks for it; that only audits, refuses nothing', async () => {
    const row = { id: 'broken-row', on_label: 'sink.export', type: 'temporal', rules: '["?"]' }
    await onlyRules({ ...row, effect: 'approve' })
    const sub = await newUser()
    expect(await codeOf(sub, 'export_all')).toBe('approval_required')
    await onlyRules({ ...row, effect: 'audit' })
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    expect((await lastOf(sub)).record.session.rules).toHaveLength(1)
  })

  it('that breaks and is mended while calls run, lets none through in between', async () => {
    await onlyRules(noExport)
    const sub = await newUser()
    await codeOf(sub, 'read_all')
    await sql(`UPDATE sequence_rules SET rules = '["?"]'`)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await sql(`UPDATE sequence_rules SET rules = '["source.bulk"]'`)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})
