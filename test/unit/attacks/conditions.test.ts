import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { isJsonObject } from '../../../src/mcp/value.ts'
import { compileCondition } from '../../../src/pdp/condition.ts'
import { variables } from '../../support/pdp/variables.ts'

/** Evaluates as a decision would: the arguments are what the strict reader makes of the text. */
function ask(text: string, args: string): boolean | 'error' {
  const condition = compileCondition(text)
  if (!condition.ok) throw new Error(condition.error.message)
  const read = readJson(args)
  if (!read.ok || !isJsonObject(read.value)) throw new Error('not an object')
  const evaluated = condition.value.evaluate(variables(read.value))
  return evaluated.ok ? evaluated.value : 'error'
}

describe('a number that no double holds', () => {
  const spellings = ['1000.00000000000000000000000001', '1e400', '9007199254740993', '-1e-400']

  it.each([
    'args.n == 1000',
    'args.n != 1000',
    'args.n > 999',
    '!(args.n > 5)',
    'args.n in [1000, 5]',
    '!(args.n in [1000])',
    '[args.n] == [1000]',
    '{"a": args.n} != {"a": 1000}',
    'args.l.exists(x, x == 1000)',
    'args.l.all(x, x != 1000)',
    'args.l != [1000]',
    '1000 in args.l',
    'args.l[0] != 1000',
    'args.o != {"n": 1000}',
    'double(args.n) == 1000.0',
    'string(args.n) == "1000"',
    'args.n != args.n',
    'args.n.text == "1"',
    'has(args.n.text)',
    'type(args.n) == double',
  ])('never compares as true or as false: %s', (text) => {
    for (const n of spellings) {
      expect(ask(text, `{"n":${n},"l":[${n}],"o":{"n":${n}}}`), n).toBe('error')
    }
  })

  it('does not touch a condition that does not look at it', () => {
    expect(ask('args.a == 1', '{"a":1,"n":1e400}')).toBe(true)
  })

  it.each(['1000', '1000.0', '1e3', '10.00e2', '1000.000'])('%s is a thousand', (n) => {
    expect(ask('args.n == 1000 && args.n <= 1000 && args.n in [1000]', `{"n":${n}}`)).toBe(true)
  })
})

describe('members of the language are no members of the arguments', () => {
  it.each([
    'has(args.constructor)',
    'has(args.toString)',
    'has(args.__proto__)',
    'has(args.o.hasOwnProperty)',
    'has(args.s.length)',
    'has(args.l.length)',
    '"constructor" in args',
    '"__proto__" in args',
  ])('%s is false', (text) => {
    expect(ask(text, '{"o":{},"s":"x","l":[1]}')).toBe(false)
  })

  it.each([
    'args.constructor != 1',
    'args.__proto__ != 1',
    'args.l.length != 1',
    'args.s[0] != "x"',
  ])('%s is an error', (text) => {
    expect(ask(text, '{"o":{},"s":"x","l":[1]}')).toBe('error')
  })

  it('and a caller who sends one has sent a member like any other', () => {
    expect(ask('args.__proto__.admin == true', '{"__proto__":{"admin":true}}')).toBe(true)
    expect(ask('has(args.admin)', '{"__proto__":{"admin":true}}')).toBe(false)
  })
})

describe('a member named `constructor`, which the engine looks at', () => {
  it.each(['null', '1', '"Map"', '{"name":"Map"}', '[]'])('of %s is an error, never a way', (c) => {
    expect(ask('args.n != 1', `{"n":1,"constructor":${c}}`)).toBe('error')
    expect(ask('args.o.n != 1', `{"o":{"n":1,"constructor":${c}}}`)).toBe('error')
    expect(ask('args.o != {"n": 1}', `{"o":{"n":1,"constructor":${c}}}`)).toBe('error')
    expect(ask('args.l.all(x, x.n != 1)', `{"l":[{"n":1,"constructor":${c}}]}`)).toBe('error')
  })
})

describe('arguments of another kind than the author thought of', () => {
  it.each([
    ['args.n > 100', '{}'],
    ['args.n > 100', '{"n":"5"}'],
    ['args.n > 100', '{"n":[101]}'],
    ['args.n > 100', '{"n":null}'],
    ['args.o.a.b == 1', '{"o":{"a":5}}'],
    ['args.s.startsWith("x")', '{"s":["x"]}'],
    ['args.l.all(x, x > 0)', '{"l":5}'],
    ['args.l.exists(x, x == "a")', '{"l":"abc"}'],
    ['"admin" in args.roles', '{"roles":"admin"}'],
  ])('%s of %s is an error', (text, args) => {
    expect(ask(text, args)).toBe('error')
  })
})
