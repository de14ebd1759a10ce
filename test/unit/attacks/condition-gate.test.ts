import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { isJsonObject } from '../../../src/mcp/value.ts'
import { compileCondition } from '../../../src/pdp/condition.ts'
import { variables } from '../../support/pdp/variables.ts'

function evaluate(text: string, args: unknown) {
  const condition = compileCondition(text)
  if (!condition.ok) throw new Error(condition.error.message)
  const read = readJson(JSON.stringify(args))
  if (!read.ok || !isJsonObject(read.value)) throw new Error('not an object')
  return condition.value.evaluate(variables(read.value))
}

describe('what is refused when the row is compiled, because a caller could make it last', () => {
  it.each([
    // Backtracking regular expressions, and a value that is used twice.
    'args.s.matches("^(a+)+$")',
    'cel.bind(x, args.s, x + x) == ""',
    // Two lists of the caller.
    'args.l.exists(x, x in args.m)',
    'args.l.all(x, !(x in args.m))',
    // A comprehension inside another: in its condition, in its list.
    'args.l.all(x, args.m.all(y, x == y))',
    'args.l.filter(x, x > 0).all(x, args.m.exists(y, y == x))',
    'args.l.all(x, [x].map(y, y) == [1])',
    'args.l.all(x, (x > 0 ? args.m : args.l).exists(y, true))',
    '[args.s].map(x, x + x).map(y, y + y) == []',
    // The engine's own pattern of durations backtracks: 2,000 digits took 2.1 s.
    'duration(args.s) > duration("1s")',
    'args.l.all(x, duration(x) > duration("1s"))',
    'duration(subject.id) > duration("1s")',
    `duration("${'1'.repeat(1_900)}") > duration("1s")`,
    // Searching for a text of the caller's in another: 400,000 in 200,000 letters took 5 s.
    'args.a.contains(args.b)',
    'args.a.indexOf(args.b) > 0',
    'args.a.indexOf(args.b, 5) > 0',
    'args.a.lastIndexOf(args.b) > 0',
    'args.a.split(args.b).size() > 1',
    'glob(args.a, args.b)',
    'args.a.contains("x" + args.b)',
    'args.a.contains([args.b][0])',
    // By whatever name it goes.
    'args.l.all(x, x.a.contains(x.b))',
    'args.l.all(x, !"text".contains(x))',
    '[args.a].all(x, !x.contains(x + "b"))',
    'args.l.map(tool, glob("a", tool)) == []',
    'args.s.contains(targets[0].id)',
    'targets.all(t, t.owner.contains(t.id))',
    // Text became more values than may be counted: 3.5 million took 177 ms.
    'args.s.split("").all(x, x == "a")',
    'bytes(args.s).json().l.all(x, x == 1.0)',
    // The product of two texts in memory: 20,000 and 20,000 letters were 400 MB.
    'args.s.split("").join(args.t) == ""',
    'args.l.join(args.s) == ""',
    // Text made longer, up to six times: 20 of them took 175 ms.
    'bytes(args.s).hex() == ""',
    'bytes(args.s).base64() == ""',
    // A formatter was made for each element: 733 ms.
    'args.l.all(x, time.now.getHours("Europe/Zurich") < 24)',
    'args.l.all(x, time.now.getHours(x) < 24)',
    'args.l.all(x, timestamp("2026-01-01T00:00:00Z").getHours("Europe/Zurich") < 24)',
    'args.l.all(x, timestamp(x).getHours("Europe/Zurich") < 24)',
    // As with `args`: every element against a list that the caller's arguments made.
    'args.l.all(x, !(x in targets))',
    'args.l.all(x, (targets + targets).size() > 0)',
    'targets.all(t, t in targets)',
  ])('%s', (text) => {
    expect(compileCondition(text)).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })

  it.each(['args.o.all(k, v, true)', 'args.l.existsOne(x, true)', 'args.l.transformList(x, x)'])(
    'and what is no function here: %s',
    (text) => {
      // A comprehension under another name would pass the walk through the expression.
      expect(compileCondition(text).ok).toBe(false)
    },
  )

  it.each([
    ['nodes', Array.from({ length: 120 }, () => 'true').join(' && ')],
    ['depth', `${'('.repeat(30)}true${')'.repeat(30)}`],
    ['elements', `1 in [${Array.from({ length: 65 }, () => '1').join()}]`],
    ['letters', `args.s == "${'a'.repeat(2_000)}"`],
  ])('and what is too long: %s', (_, text) => {
    expect(compileCondition(text)).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })

  it('says where it stands', () => {
    expect(compileCondition('args.n > 1 &&\n  args.s.matches("a")')).toMatchObject({
      error: { kind: 'forbidden', line: 2, column: 3, message: expect.stringMatching(/`matches`/) },
    })
  })
})

describe('what is not refused, because nobody who sends anything decides its cost', () => {
  it.each([
    'args.a.contains("secret") && args.a.indexOf("x", 1) < 5',
    'args.a.contains(subject.id) && glob(args.a, tool.name)',
    'subject.roles.exists(r, "sales,support".contains(r))',
    'subject.roles.exists(r, tool.name.contains(r))',
    'args.l.all(x, x.startsWith("a") && glob(x, "a*") && !x.contains("b"))',
    'time.now - duration("8h") < time.now && time.now.getHours("Europe/Zurich") < 24',
    '[args.from, args.to].all(e, e.endsWith("@acme.example"))',
    'targets.all(t, t.owned || "a.b" in t.labels)',
    'bytes(args.s).size() < 100',
  ])('%s', (text) => {
    expect(compileCondition(text)).toMatchObject({ ok: true })
  })
})

describe('what an error says', () => {
  // The text goes into the record of the decision: it may hold no caller's megabyte.
  it.each(['bool(args.s)', 'time.now.getHours(args.s) == 1', 'args.s > 1', 'args[args.s] == 1'])(
    'is short, whatever the caller sent: %s',
    (text) => {
      const evaluated = evaluate(text, { s: 'x'.repeat(100_000) })
      expect(evaluated.ok ? 'no error' : evaluated.error.length).toBeLessThanOrEqual(200)
    },
  )

  it('leaves the stack traces of everything else as they were', () => {
    const { stackTraceLimit } = Error as unknown as { stackTraceLimit: number }
    expect(stackTraceLimit).toBeGreaterThan(0)
    evaluate('bool(args.s)', { s: 'x' })
    evaluate('args.n == 1', { n: 1 })
    expect((Error as unknown as { stackTraceLimit: number }).stackTraceLimit).toBe(stackTraceLimit)
  })
})

describe('a number that was text', () => {
  // `json` read text of the caller's as the strict reader would not: numbers were rounded in silence.
  it('is not compared as if it had been read exactly', () => {
    const condition = compileCondition('bytes(args.s).json().n == 9007199254740992.0')
    expect(condition).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })
})
