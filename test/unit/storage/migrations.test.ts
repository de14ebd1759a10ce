import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

describe.each(['migrations', 'migrations/decisions'])('%s', (folder) => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'))

  it('are numbered without gap or repetition, and say what they do', () => {
    const numbers = names.toSorted().map((name) => Number(name.slice(0, 4)))
    expect(numbers).toEqual(names.map((_, at) => at + 1))
    for (const name of names) expect(name).toMatch(/^\d{4}_[a-z]+(_[a-z]+)+\.sql$/)
  })
})
