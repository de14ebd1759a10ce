import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { METHODS } from '../../../src/mcp/methods.ts'
import { SERVER_NOTICES } from '../../../src/mcp/methods/server-notices.ts'
import { SERVER_REQUESTS } from '../../../src/mcp/methods/server-requests.ts'
import type { Era } from '../../../src/mcp/refusal.ts'
import { VERSIONS } from '../../../src/mcp/versions.ts'

const text = readFileSync('docs/protocol.md', 'utf8')

/** The rows of the table under a heading, their cells without what is around them. */
function table(heading: string): string[][] {
  const [, section = ''] = text.split(`## ${heading}\n`)
  return (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

const spoken = (eras: readonly Era[]): string[] =>
  (['legacy', 'modern'] as const).map((era) => (eras.includes(era) ? 'yes' : ''))

describe('docs/protocol.md', () => {
  it('says of every method of a client what its row says', () => {
    expect(table('What a client sends')).toEqual(
      Object.entries(METHODS).map(([method, { eras, decided }]) => [
        `\`${method}\``,
        ...spoken(eras),
        decided,
      ]),
    )
  })

  it('names what a server may ask', () => {
    expect(table('What a server asks of the client').map((cells) => cells.slice(0, 2))).toEqual(
      Object.entries(SERVER_REQUESTS).map(([method, { entry }]) => [
        `\`${method}\``,
        `\`${entry}\``,
      ]),
    )
  })

  it('names what a server may tell, and on what ground', () => {
    const rows = table('What a server tells')
    expect(rows.map((cells) => cells.slice(0, 3))).toEqual(
      Object.entries(SERVER_NOTICES).map(([method, { eras }]) => [
        `\`${method}\``,
        ...spoken(eras),
      ]),
    )
    expect(rows.filter(([, , , ground = '']) => ground === '')).toEqual([])
  })

  it('names every version that is spoken', () => {
    for (const version of [...VERSIONS.modern, ...VERSIONS.legacy]) expect(text).toContain(version)
  })
})
