import { describe, expect, it } from 'vitest'
import { parseGlob } from '../../../src/pdp/glob.ts'
import { compileTools, type ToolRow } from '../../../src/pdp/tools.ts'

const row = (name: string, access: ToolRow['access']): ToolRow => ({
  name,
  access,
  environment: 'production',
  requiredScope: '',
  labelsReviewed: true,
  pin: null,
  labels: [],
  accessWhen: [],
  arguments: [],
  results: [],
})

const accessOf = (tool: string, ...rows: ToolRow[]) =>
  compileTools(rows, true).find(tool, null)?.access ?? null

describe('of two rows that fit a tool', () => {
  it('the exact one wins, in whatever order they come', () => {
    const rows = [row('delete_*', 'write'), row('delete_all', 'destructive')]
    expect(accessOf('delete_all', ...rows)).toBe('destructive')
    expect(accessOf('delete_all', ...rows.toReversed())).toBe('destructive')
  })

  it('the one with the longer beginning wins', () => {
    const rows = [row('*', 'read'), row('delete_*', 'destructive'), row('d*', 'write')]
    expect(accessOf('delete_x', ...rows)).toBe('destructive')
  })

  it.each([
    ['delete_x_for_good', row('delete_*', 'write'), row('delete_*_for_good', 'destructive')],
    ['crm_export', row('*', 'read'), row('*_export', 'export')],
  ])('of %s the longer pattern wins, as the table promises', (tool, wide, narrow) => {
    expect(accessOf(tool, wide, narrow)).toBe(narrow.access)
  })
})

describe('patterns', () => {
  it.each([
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*', '', true],
    ['a*b*a', 'aba', true],
    ['a*b*a', 'aa', false],
    ['a**b', 'ab', true],
    ['.*', 'x', false],
    ['a?', 'ab', false],
    ['[a]*', 'a', false],
    ['a*', 'A', false],
    ['*\u0301', 'e\u0301', true],
  ])('%s, %s: %s', (pattern, text, fits) => {
    expect(parseGlob(pattern).matches(text)).toBe(fits)
  })

  it('cost no more than the text is long, times the pieces', () => {
    const glob = parseGlob(`${'*a'.repeat(50)}*b`)
    const from = performance.now()
    expect(glob.matches('a'.repeat(200_000))).toBe(false)
    expect(performance.now() - from).toBeLessThan(500)
  })
})
