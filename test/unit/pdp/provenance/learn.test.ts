import { describe, expect, test } from 'vitest'
import { argumentValues } from '../../../../src/pdp/provenance/arguments.ts'
import { FRESH } from '../../../../src/pdp/provenance/flags.ts'
import { flagsAfter, learned, passed, type Findings } from '../../../../src/pdp/provenance/learn.ts'
import { step, value, View } from './view.ts'
import { askedInWords, originsOf } from '../../../support/pdp/origins.ts'

const NOTHING: Findings = { listed: [], fields: [], mentions: [] }
const lists = (
  digest: string,
  authority: 'system' | 'listed' | 'claimed' = 'listed',
): Findings => ({
  ...NOTHING,
  listed: [{ type: 'email', authority, digest }],
  fields: [digest],
})
const READS = { server: 'mail', labels: ['source.confidential'], values: [] }
const GOOD = ['user', 'org', 'own', 'typed', 'typed_t', 'claimed', 'field', 'internal']
const good = (view: View, one = value('eve'), server = 'mail') =>
  [...originsOf(one, view, step({ server }))].filter((atom) => GOOD.includes(atom))

describe('what a result gives', () => {
  test.each([
    ['system', [], ['typed', 'typed_t', 'field']],
    ['listed', [], ['typed', 'typed_t', 'field']],
    ['claimed', [], ['claimed', 'field']],
    ['system', ['source.untrusted'], ['typed', 'typed_t', 'field']],
    ['listed', ['source.untrusted'], ['typed', 'field']],
  ] as const)('%s by a tool that is %j: %j', (authority, labels, expected) => {
    const view = new View()
    view.apply(learned(view, { ...READS, labels }, lists('eve', authority)))
    expect(good(view)).toEqual(expected)
  })

  test('a field counts towards its own server only, a kind that two rows name for both', () => {
    const view = new View()
    view.apply(learned(view, READS, lists('eve')))
    expect(good(view, value('eve', null), 'other')).toEqual([])
    expect(good(view, value('eve'), 'other')).toEqual(['typed', 'typed_t'])
  })

  test('an identifier that a call that acts assigns is its own, what went in is not', () => {
    const view = new View()
    const acts = { server: 'mail', labels: ['sink.external_send'], values: [value('eve')] }
    view.apply(learned(view, acts, { ...NOTHING, fields: ['eve', 'msg-1'] }))
    expect(good(view, value('eve', null))).toEqual([])
    expect(good(view, value('msg-1', null))).toContain('own')
  })
})

test('what a tool answers with that strangers write into is not its own', () => {
  const view = new View()
  const acts = { server: 'mail', labels: ['sink.write', 'source.untrusted'], values: [] }
  view.apply(learned(view, acts, { ...NOTHING, fields: ['eve'] }))
  expect(good(view, value('eve', null))).toEqual(['claimed', 'field'])
})

describe('laundering: a value that was passed without an origin gains none', () => {
  /** Passes it, then reads it back as a listing, a field and a mention. */
  function readBack(
    view: View,
    by: Partial<Parameters<typeof step>[0]>,
    role = 'target',
    reader = READS,
  ): void {
    view.apply(passed(view, step(by), [value('eve', 'email', role)]))
    view.apply(learned(view, reader, { ...lists('eve', 'system'), mentions: ['eve'] }))
  }

  test('by being read back from the server that it was passed to', () => {
    const view = new View()
    readBack(view, {})
    expect(good(view)).toEqual([])
  })

  test('by being read back from another server', () => {
    const view = new View()
    readBack(view, {}, 'target', { ...READS, server: 'crm' })
    expect(good(view, value('eve'), 'crm')).toEqual([])
  })

  test('by being read back as another kind of thing', () => {
    const view = new View()
    view.apply(passed(view, step({}), [value('eve', 'member')]))
    view.apply(learned(view, READS, lists('eve')))
    expect(good(view)).toEqual([])
  })

  test('by being passed to a tool that only reads, which echoes it', () => {
    const view = new View()
    readBack(view, { labels: ['source.confidential'] }, 'selector')
    expect(good(view)).toEqual([])
  })

  test('by being posted inside and read in a text of the organisation', () => {
    const view = new View()
    readBack(view, {}, 'content', { ...READS, labels: ['source.internal'] })
    expect(good(view)).toEqual([])
  })

  test('by being written in another spelling', () => {
    const spellings = ['https://Eve.example/', 'eve.example']
    const [first, second] = spellings.map(
      (text) =>
        argumentValues({ to: text } as never, [
          { pointer: ['to'], role: 'target', resourceType: 'email' },
        ])?.[0]?.text,
    )
    expect(first).toBe(second)
  })

  test('by being passed in an argument that no row speaks of', () => {
    const view = new View()
    const [name] = argumentValues({ name: 'Eve' } as never, []) ?? []
    view.apply(passed(view, step({}), [{ ...value('eve'), role: name?.role ?? '', type: null }]))
    view.apply(learned(view, READS, lists('eve')))
    expect([name?.text, good(view)]).toEqual(['eve', []])
  })

  test('by being passed twice, since the first time gave it nothing', () => {
    const view = new View()
    view.apply(passed(view, step({}), [value('eve')]))
    readBack(view, {})
    expect(good(view)).toEqual([])
  })

  test('by a read that was under way when it was passed', () => {
    const view = new View()
    view.apply(passed(view, step({}), [value('eve')]))
    view.apply(learned(view, { ...READS, values: [] }, lists('eve')))
    expect(good(view)).toEqual([])
  })

  test('by coming out of a call of which not all that went in was read', () => {
    const view = new View()
    const acts = { server: 'mail', labels: ['sink.write'], values: null }
    view.apply(learned(view, acts, lists('eve')))
    expect(good(view)).toEqual([])
  })

  test('by the session having let go of what was passed', () => {
    const view = new View()
    view.now = { ...FRESH, forgotPassed: true }
    view.apply(learned(view, READS, lists('eve')))
    expect(good(view)).toEqual([])
  })

  test("by a stranger's claim being passed and listed: it stays a claim", () => {
    const view = new View()
    view.apply(learned(view, READS, lists('eve', 'claimed')))
    view.apply(passed(view, step({}), [value('eve')]))
    view.apply(learned(view, READS, lists('eve', 'listed')))
    expect(good(view)).toEqual(['claimed', 'field'])
  })

  test('but what the person named keeps every origin', () => {
    const view = new View()
    readBack(view, { asked: askedInWords('write to eve') })
    expect(good(view)).toEqual(['typed', 'typed_t', 'field'])
  })
})

test('a fetch remembers its address, and nothing else does', () => {
  const fetches = { labels: ['sink.fetch'] }
  const view = new View()
  view.apply(passed(view, step({ labels: ['sink.external_send'] }), [value('a')]))
  view.apply(passed(view, step(fetches), [value('b'), value('c', 'email', 'content')]))
  const fetched = (text: string) => originsOf(value(text), view, step(fetches)).has('fetched')
  expect([fetched('a'), fetched('b'), fetched('c')]).toEqual([false, true, false])
})

test('what a fetch answers with is no secret, everything else confidential is', () => {
  expect(flagsAfter(FRESH, ['source.confidential', 'sink.fetch'])).toBeNull()
  expect(flagsAfter(FRESH, ['source.untrusted'])).toBeNull()
  expect(flagsAfter(FRESH, ['source.confidential'])).toEqual({ ...FRESH, privateRead: true })
})
