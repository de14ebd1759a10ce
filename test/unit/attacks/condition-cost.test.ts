import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { isJsonObject } from '../../../src/mcp/value.ts'
import { compileCondition, type Condition } from '../../../src/pdp/condition.ts'
import { TargetVariable, type ConditionVariables } from '../../../src/pdp/variables.ts'
import { target } from '../../support/pdp/build.ts'
import { variables } from '../../support/pdp/variables.ts'

/** Far above what they take (50 ms alone), and far below what an attack would: some took minutes. */
const MOST_MS = 250

/** What is sent, by its size: so many values, so many letters, or so many of both. */
type Sent = (size: number) => unknown

/** A name, the condition, what is sent, and how many targets. */
type Cell = readonly [name: string, text: string, sent: Sent, touched?: Sent]

function compiled(text: string): Condition {
  const condition = compileCondition(text)
  if (!condition.ok) throw new Error(`${text}: ${condition.error.message}`)
  return condition.value
}

function given(args: unknown, targets = 0): ConditionVariables {
  const read = readJson(JSON.stringify(args))
  if (!read.ok || !isJsonObject(read.value)) throw new Error('not an object')
  return variables(read.value, targets)
}

const TOO_MUCH = /^the arguments are too large|^the call names too much/
function isLookedAt(condition: Condition, known: ConditionVariables): boolean {
  const evaluated = condition.evaluate(known)
  return evaluated.ok || !TOO_MUCH.test(evaluated.error)
}

/** As many values and letters as may be looked at by anything, and more. */
const BEYOND = 262_200

/** The most of it that the condition still looks at, to one in five hundred. */
function largest(condition: Condition, sent: Sent, targets: Sent): ConditionVariables {
  const of = (size: number) => given(sent(size), Number(targets(size)))
  let [from, to] = [1, BEYOND]
  if (isLookedAt(condition, of(to))) return of(to)
  while (to - from > from / 500 + 1) {
    const middle = Math.floor((from + to) / 2)
    if (isLookedAt(condition, of(middle))) from = middle
    else to = middle
  }
  return of(from)
}

/** Milliseconds: the fastest of five runs, because others work on the same machine. */
function cost(condition: Condition, known: ConditionVariables): number {
  let fastest = Infinity
  for (let run = 0; run < 5; run += 1) {
    // A copy, so that it is measured anew like what arrives.
    const fresh = { ...known, args: { ...known.args }, targets: [...known.targets] }
    const from = performance.now()
    condition.evaluate(fresh)
    fastest = Math.min(fastest, performance.now() - from)
    // What takes that long once is no matter of a busy machine.
    if (fastest > 4 * MOST_MS) break
  }
  return fastest
}

const list = (length: number, member: unknown): unknown[] => Array.from({ length }, () => member)
const times = (count: number, clause: string, by = ' && '): string => list(count, clause).join(by)
const named = (length: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length }, (_, at) => [`k${at}`, at]))

const elements =
  (member: unknown): Sent =>
  (size) => ({ l: list(Math.min(size, 20_000), member) })
const two =
  (of: (length: number) => unknown): Sent =>
  (size) => ({ a: of(Math.min(size, 20_000) >> 1), b: of(Math.min(size, 20_000) >> 1) })
const letters =
  (letter: string): Sent =>
  (size) => ({ s: letter.repeat(size / letter.length), b: true })
const nothing: Sent = () => ({})
const targets: Sent = (size) => Math.min(size, 1_000)

const ROUNDS: readonly Cell[] = [
  ['one clause on each element', 'args.l.all(x, x > 0)', elements(1)],
  ['many clauses on each', `args.l.all(x, ${times(40, 'x > 0')})`, elements(1)],
  ['many comprehensions', times(20, 'args.l.all(x, x > 0)'), elements(1)],
  ['a list of each', `args.l.map(x, [${times(60, 'x', ',')}]).size() > 0`, elements(1)],
  [
    'a map of each',
    `args.l.map(x, {${Array.from({ length: 16 }, (_, at) => `"k${at}": x`).join()}}).size() > 0`,
    elements(1),
  ],
  [
    'a text of each',
    `args.l.map(x, string(x) + ${times(60, '"aaaaaaaaaaaaaaaa"', '+')}).size() > 0`,
    elements(1),
  ],
  [
    'each among many constants',
    `args.l.all(x, !(x in [${times(60, '"aaaaaaaaaaaa"', ',')}]))`,
    elements('aaaaaaaaaaab'),
  ],
  ['a glob on each', 'args.l.all(x, !glob(x, "*a*b*c*d*"))', elements('abcabc')],
  ['a long glob on each', `args.l.all(x, !glob(x, "${'*a'.repeat(900)}*b"))`, elements('aaaaaaaa')],
  ['members of each object', 'args.l.all(x, has(x.a.b))', elements({ a: { b: 1 } })],
  [
    'names of many members',
    'args.o.all(x, x != "zz")',
    (size) => ({ o: named(Math.min(size, 20_000)) }),
  ],
  ['membership, many times', times(30, '!("z" in args.l)'), elements('a')],
  ['equality of lists, many times', times(24, 'args.a == args.b'), two((n) => list(n, 1))],
  ['equality of objects, many times', times(24, 'args.a == args.b'), two(named)],
  [
    'equality with a small object',
    times(20, 'args.o != {"a": 1}'),
    (size) => ({ o: named(Math.min(size, 20_000)) }),
  ],
  ['lists that contain themselves', `[args.l].all(x, ${times(30, '!(1 in x)')})`, elements('a')],
  [
    'a list many times in a list',
    `[${times(40, 'args.l', ',')}].all(x, ${times(15, '!(2 in x)')})`,
    elements(1),
  ],
  ['lists that grow', `(${times(60, 'args.l', ' + ')}).size() > 0`, elements(1)],
  [
    'lists that grow, each of them',
    `[${times(20, 'args.l', ' + ')}].map(x, (${times(30, 'x', ' + ')}).size()) == [1]`,
    elements(1),
  ],
  [
    'errors, many for each element',
    `args.l.exists(x, ${times(20, 'x.a == 1', ' || ')})`,
    elements(1),
  ],
  ['errors, and nothing else', `args.l.all(x, ${times(60, 'x.a')})`, elements({})],
  ['errors that quote', `args.l.exists(x, ${times(40, 'bool(x)', ' || ')})`, elements('x')],
]

const TEXTS: readonly Cell[] = [
  ['a long text a glob of many stars', `glob(args.s, "${'*a'.repeat(900)}*b")`, letters('a')],
  ['a long text a glob that nearly fits', `glob(args.s, "*${'ab*'.repeat(600)}c*")`, letters('ab')],
  ['a long text many globs', times(30, '!glob(args.s, "*zq*")'), letters('z')],
  ['a long text searched many times', times(30, '!args.s.contains("zq")'), letters('z')],
  [
    'a long text searched for what nearly repeats',
    `args.s.contains("${'a'.repeat(950)}b${'a'.repeat(950)}")`,
    letters('a'),
  ],
  [
    'a long text searched many times in a list',
    `[${times(45, 'args.s', ',')}].all(x, ${times(15, '!x.contains("zq")')})`,
    letters('z'),
  ],
  [
    'a long text names of members searched',
    `args.o.all(k, ${times(30, '!k.contains("zq")')})`,
    (size) => ({ o: { ['z'.repeat(size)]: 0 } }),
  ],
  ['a long text in lower case', times(20, 'args.s.lowerAscii() != "a"'), letters('İ')],
  ['a long text in upper case', times(20, 'args.s.upperAscii() != "a"'), letters('ß')],
  ['a long text trimmed', times(24, 'args.s.trim() == ""'), letters(' ')],
  ['a long text as a number', times(20, 'double(args.s) > 1.0'), letters('1')],
  ['a long text counted', times(24, 'size(args.s) > 1'), letters('a')],
  ['a long text as bytes', times(20, 'bytes(args.s).size() > 0'), letters('語')],
  ['a long text as a zone', times(20, 'time.now.getHours(args.s) < 24', ' || '), letters('x')],
  ['a long text that doubles', `(${times(50, 'args.s', ' + ')}).size() > 1`, letters('a')],
  [
    'a long text that doubles in a list',
    `[${times(20, 'args.s', ' + ')}].map(x, (${times(30, 'x', ' + ')}).size()) == [1]`,
    letters('a'),
  ],
  [
    'a long text that doubles in branches',
    `${Array.from({ length: 10 }).reduce<string>((inner) => `(args.b ? ${inner} + "a" : args.s)`, 'args.s')} == ""`,
    letters('a'),
  ],
]

const TOUCHED: readonly Cell[] = [
  [
    'targets: a clause on each',
    'targets.all(t, t.owned || t.sensitivity == "internal")',
    nothing,
    targets,
  ],
  [
    'targets: labels of each',
    'targets.all(t, "a.b" in t.labels && "c.d" in t.labels)',
    nothing,
    targets,
  ],
  ['targets: many clauses on each', `targets.all(t, ${times(28, 't.id != ""')})`, nothing, targets],
  [
    'targets: searches in each',
    `targets.all(t, ${times(30, '!t.id.contains("zq")')})`,
    nothing,
    targets,
  ],
  ['targets: errors', `targets.exists(t, ${times(40, 'bool(t.id)', ' || ')})`, nothing, targets],
  ['targets: lists that grow', `(${times(60, 'targets', ' + ')}).size() > 0`, nothing, targets],
  [
    'targets: beside many values',
    'args.l.all(x, x > 0) && targets.all(t, t.listed)',
    elements(1),
    targets,
  ],
]

describe('the worst that may be written, of the most that may be sent', () => {
  const cells = [...ROUNDS, ...TEXTS, ...TOUCHED]
  it.each(cells.map((cell) => ({ name: cell[0], cell })))('$name', ({ cell }) => {
    const [, text, sent, touched = () => 0] = cell
    const condition = compiled(text)
    expect(cost(condition, largest(condition, sent, touched))).toBeLessThan(MOST_MS)
  })
})

describe('what is given', () => {
  it('hours of many zones, once each, of nothing that is sent', () => {
    const condition = compiled(times(20, 'time.now.getHours("Europe/Zurich") < 24'))
    expect(cost(condition, given({}))).toBeLessThan(MOST_MS)
  })

  it.each([
    ['values', { l: list(1_000_000, 1) }],
    ['letters', { s: 'a'.repeat(3_500_000) }],
    ['letters in names', { o: { ['a'.repeat(3_500_000)]: 1 } }],
    ['members', { o: named(100_000) }],
    ['values in values', { l: list(10_000, [1, 1, 1]) }],
  ])('of too much nothing is looked at but its size: %s', (_, args) => {
    const condition = compiled(times(20, '!has(args.zz)'))
    const known = given(args)
    expect(isLookedAt(condition, known)).toBe(false)
    expect(cost(condition, known)).toBeLessThan(MOST_MS)
  })

  it('of long names of targets, too', () => {
    const condition = compiled(`targets.all(t, ${times(30, '!t.id.contains("zq")')})`)
    const known = given({}, 1_000)
    const id = 'z'.repeat(1_990)
    const long = known.targets.map(() => new TargetVariable(target({ id }), false))
    expect(isLookedAt(condition, known)).toBe(false)
    expect(isLookedAt(condition, { ...known, targets: long.slice(0, 200) })).toBe(false)
    expect(isLookedAt(condition, { ...known, targets: known.targets.slice(0, 200) })).toBe(true)
  })

  // A bound that stops honest calls would be taken away again.
  it.each([
    ['args.tags.exists(t, t == "a")', true],
    ['args.tags.all(t, t in ["a", "b", "c"])', true],
    ['args.tags.exists(t, t == "b")', false],
    ['"admin" in subject.roles || "a" in args.tags', true],
    ['args.tags.all(t, t.startsWith("a") || t.endsWith("z")) && args.path.startsWith("/x")', true],
    ['args.x in ["a", "b"] && !(args.x in ["c"])', true],
    ['args.path.startsWith("/x") && glob(args.path, "/x/*.txt")', true],
    ['[args.x, args.path].all(t, t != "")', true],
    ['args.note.size() > 100000 && !args.note.contains("secret")', true],
    ['targets.all(t, t.owned || t.sensitivity in ["public", "internal"])', true],
    ['targets.size() < 1001 && targets.exists(t, t.id.startsWith("acc-"))', true],
  ])(
    'is ordinary: two thousand elements, a long text, a thousand targets: %s',
    (text, expected) => {
      const args = {
        tags: list(2_000, 'a'),
        x: 'a',
        path: '/x/y.txt',
        note: 'n'.repeat(200_000),
      }
      expect(compiled(text).evaluate(given(args, 1_000))).toEqual({ ok: true, value: expected })
    },
  )
})
