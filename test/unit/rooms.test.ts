import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

/** One import: from which file, and what it names. Types count: they are knowledge too. */
interface Import {
  readonly file: string
  readonly from: string
  /** A folder of src, a file that lies in src itself, or a package. */
  readonly to: string
}

const IMPORT =
  /^(?:import|export)\b[^'"`;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm

const roomOf = (path: string): string => relative('src', path).split('/', 1)[0] ?? ''

function importsIn(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, first, second, third]) => {
    const named = first ?? second ?? third ?? ''
    const to = named.startsWith('.') ? roomOf(join(dirname(file), named)) : named
    return { file, from: roomOf(file), to }
  })
}

/** What is left when rooms are taken away that need none of the others, or that none of the others needs. */
function inRings(imports: readonly Import[]): readonly Import[] {
  const across = imports.filter(({ from, to }) => from !== to)
  const left = across.filter(
    ({ from, to }) =>
      across.some((other) => other.from === to) && across.some((other) => other.to === from),
  )
  return left.length === across.length ? left : inRings(left)
}

const told = (imports: readonly Import[]): string[] =>
  imports.map(({ file, to }) => `${file} knows ${to}`).toSorted()

const imports = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name))
  .flatMap((file) => importsIn(file, readFileSync(file, 'utf8')))

describe('the rooms of src', () => {
  it('know each other in one direction: no room is known by one that it knows itself, by whatever way', () => {
    expect(imports.length).toBeGreaterThan(1000)
    expect(told(inRings(imports))).toEqual([])
  })

  it.each([
    ['mcp', ['result.ts']],
    ['pdp', ['mcp', 'result.ts', '@marcbachmann/cel-js']],
  ])('%s is pure, and knows no more than it may', (room, may) => {
    const own = imports.filter(({ from, to }) => from === room && to !== room)
    expect(own.length).toBeGreaterThan(0)
    expect(told(own.filter(({ to }) => !may.includes(to)))).toEqual([])
  })
})

describe('inRings', () => {
  const of = (room: string, text: string): Import[] => importsIn(`src/${room}/a.ts`, text)

  it('finds a ring through three rooms, however it is written, and not what leads there', () => {
    const found = inRings([
      ...of('a', "import type {\n  B,\n} from '../b/b.ts'\n"),
      ...of('b', "export { c } from '../c/c.ts'\n"),
      ...of('c', "const a = await import('../a/a.ts')\n"),
      ...of('d', "import '../a/a.ts'\n"),
      ...of('a', "import { e } from '../e.ts'\n"),
    ])
    expect(found.map(({ from, to }) => `${from} ${to}`)).toEqual(['a b', 'b c', 'c a'])
  })

  it('lets rooms be known by many', () => {
    const imported = [...of('a', "import { b } from '../b/b.ts'\nimport { c } from '../c/c.ts'\n")]
    expect(inRings([...imported, ...of('b', "import { c } from '../c/c.ts'\n")])).toEqual([])
  })
})
