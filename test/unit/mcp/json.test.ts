import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { stringify } from '../../../src/mcp/stringify.ts'
import { InexactNumber, isJsonObject, type JsonValue } from '../../../src/mcp/value.ts'
import { propertyRuns } from '../../support/property-runs.ts'

function read(text: string): JsonValue {
  const result = readJson(text)
  if (!result.ok) throw new Error(`${result.error.detail} at ${result.error.offset}`)
  return result.value
}

function fault(text: string): string {
  const result = readJson(text)
  return result.ok ? 'accepted' : `${result.error.offset}: ${result.error.detail}`
}

/** The same value with ordinary prototypes, as `JSON.parse` makes them. */
const ordinary = (value: JsonValue): unknown => JSON.parse(stringify(value))

describe('numbers', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['-0.0', -0],
    ['0e9', 0],
    ['1.0', 1],
    ['1e2', 100],
    ['1E+2', 100],
    ['0.1', 0.1],
    ['0.10', 0.1],
    ['100e-3', 0.1],
    ['5e-324', 5e-324],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['1e21', 1e21],
    ['1000000000000000000000', 1e21],
    [`0.${'0'.repeat(400)}1e401`, 1],
  ])('%s is held exactly', (text, value) => {
    expect(read(text)).toBe(value)
  })

  it.each([
    ['9007199254740993', 'one above 2^53'],
    ['12345678901234567890', 'a snowflake id'],
    ['0.1000000000000000055511151231257827', 'the exact value of the double next to 0.1'],
    ['1e400', 'overflows'],
    ['-1e400', 'overflows'],
    ['1e-400', 'underflows to zero'],
    ['2e-324', 'rounds to zero'],
    ['3e-324', 'rounds to 5e-324'],
    ['1.00000000000000001', 'rounds to one'],
  ])('%s stays as written: %s', (text) => {
    expect(read(text)).toEqual(new InexactNumber(text))
    expect(stringify(read(text))).toBe(text)
  })

  it('makes two different decimals two different values', () => {
    const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?(e-?[0-9]{1,3})?$/)
    fc.assert(
      fc.property(digits, fc.nat({ max: 9 }), (written, digit) => {
        // Another decimal: one more significant digit in the mantissa.
        const [mantissa = '', power] = written.split('e')
        const longer = mantissa.includes('.') ? mantissa : `${mantissa}.`
        const other = `${longer}${'0'.repeat(25)}${digit + 1 > 9 ? 9 : digit + 1}`
        const [a, b] = [written, power === undefined ? other : `${other}e${power}`].map(read)
        expect(typeof a === 'number' && a === b).toBe(false)
      }),
      propertyRuns(2_000),
    )
  })
})

describe('what two readers could read differently', () => {
  it.each([
    ['{"a":1,"a":1}', '7: duplicate member `a`'],
    ['{"a":1,"\\u0061":2}', '7: duplicate member `a`'],
    ['{"x":[{"a":{},"b":0,"a":1}]}', '20: duplicate member `a`'],
    ['{"__proto__":1,"__proto__":2}', '15: duplicate member `__proto__`'],
    ['{"":1,"":2}', '6: duplicate member ``'],
    ['\ufeff{}', '0: a byte order mark'],
    ['"\\ud800"', '0: a lone surrogate'],
    ['"\\udc00\\ud800"', '0: a lone surrogate'],
    ['"\ud83d"', '1: a lone surrogate'],
    ['"\ud83d\\ude00"', '1: a lone surrogate'],
    ['{"\\ud800":1}', '1: a lone surrogate'],
    ['"a\nb"', '2: a bare control character'],
    ['"\u0000"', '1: a bare control character'],
    ['{} {}', '3: text after the value'],
    ['{}\u0000', '2: text after the value'],
    ['', '0: the text ends too early'],
    ['"abc', '4: an unclosed string'],
    ['[1,]', '3: a value was expected'],
    ['{"a":1,}', '7: a member name was expected'],
    ['01', '0: a number with a leading zero'],
    ['NaN', '0: a value was expected'],
    ['nul', '0: an unknown word'],
    ['"\\x41"', '1: an unknown escape'],
    ['"\\u00g1"', '1: an unknown escape'],
    ['\u00a0[]', '0: a value was expected'],
  ])('%j: %s', (text, expected) => {
    expect(fault(text)).toBe(expected)
  })

  it('quotes names without controls and without an end that never comes', () => {
    const name = `${'\\u001b[2J`'}${'x'.repeat(500)}`
    const detail = fault(`{"${name}":1,"${name}":2}`)
    expect(detail).toContain(`duplicate member \`\ufffd[2J\ufffdxxx`)
    expect(detail.length).toBeLessThan(110)
  })

  it('never quotes a value', () => {
    for (const text of ['["s3cret', '["s3cret" "x"]', '{"a":"s3cret"', '{"a":"s3cret"}x']) {
      expect(fault(text)).not.toContain('s3cret')
    }
  })
})

describe('member names', () => {
  it('mean nothing but themselves', () => {
    const value = read('{"__proto__":{"admin":true},"constructor":1,"toString":2}')
    if (!isJsonObject(value)) throw new Error('an object was expected')
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(value['admin']).toBeUndefined()
    expect(isJsonObject(value['__proto__'])).toBe(true)
  })
})

describe('depth', () => {
  it('has an end that is not the stack', () => {
    expect(readJson('['.repeat(64) + ']'.repeat(64)).ok).toBe(true)
    expect(fault('['.repeat(65) + ']'.repeat(65))).toBe('65: nested too deeply')
    expect(fault('['.repeat(250_000))).toBe('65: nested too deeply')
    expect(fault('{"a":'.repeat(250_000))).toContain('nested too deeply')
  })

  it('counts what is open, not what was opened', () => {
    expect(readJson(`[${'[{}],'.repeat(1000)}[]]`).ok).toBe(true)
  })

  it('can be set lower', () => {
    expect(readJson('[[]]', { depth: 1 }).ok).toBe(false)
    expect(readJson('[0]', { depth: 1 }).ok).toBe(true)
    expect(readJson('0', { depth: 0 }).ok).toBe(true)
  })
})

describe('hostile sizes', () => {
  it('are refused before they are memory', () => {
    const objects = (count: number): string => `[${'{},'.repeat(count - 2)}{}]`
    expect(readJson(objects(200_000)).ok).toBe(true)
    expect(fault(objects(200_001))).toContain('too many objects and arrays')
    expect(readJson('[[],{}]', { containers: 2 }).ok).toBe(false)
  })

  const members = (name: (n: number) => string): string =>
    Array.from({ length: 100_000 }, (_, n) => `"${name(n)}":${n}`).join(',')

  it.each([
    ['a million digits', '9'.repeat(1_000_000)],
    ['a million zeros', `1${'0'.repeat(1_000_000)}`],
    ['a million decimals', `0.${'0'.repeat(1_000_000)}1`],
    ['an exponent of a million digits', `1e${'9'.repeat(1_000_000)}`],
  ])('%s are read in time', (_, text) => {
    const start = performance.now()
    expect(read(text)).toBeInstanceOf(InexactNumber)
    expect(performance.now() - start).toBeLessThan(500)
  })

  it.each([
    ['a hundred thousand members', `{${members((n) => `k${n}`)}}`],
    ['numeric members', `{${members((n) => `${n * 40_009}`)}}`],
    ['a million escapes', `"${'\\n'.repeat(1_000_000)}"`],
    ['a million spaces', `${' '.repeat(1_000_000)}1`],
  ])('%s are read in time', (_, text) => {
    const start = performance.now()
    expect(readJson(text).ok).toBe(true)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

describe('against JSON.parse', () => {
  const wellFormed = fc.jsonValue({ stringUnit: 'binary' })

  it('reads every value that JSON.stringify writes', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        const text = JSON.stringify(value)
        expect(ordinary(read(text))).toEqual(JSON.parse(text))
      }),
      propertyRuns(2_000),
    )
  })

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        const first = read(JSON.stringify(value))
        expect(read(stringify(first))).toEqual(first)
      }),
      propertyRuns(2_000),
    )
  })

  it('accepts nothing that JSON.parse refuses, and means the same', () => {
    const visible = '{ } [ ] , : " "a" "\\u0061" \\ true null fals 0 1 - . e + 12 /**/'.split(' ')
    const fragment = fc.constantFrom(...visible, ' ', '\n', '\t', '\u00a0', '\ufeff', '\ud800')
    const soup = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''))
    const mutated = fc.tuple(fc.json(), fc.nat(), fragment).map(([text, at, part]) => {
      const cut = at % (text.length + 1)
      return text.slice(0, cut) + part + text.slice(cut + 1)
    })
    fc.assert(
      fc.property(fc.oneof(soup, mutated, fc.string({ unit: 'binary' })), (text) => {
        const result = readJson(text)
        const [ours, theirs] = result.ok ? [ordinary(result.value), JSON.parse(text)] : []
        expect(ours).toEqual(theirs)
      }),
      propertyRuns(10_000),
    )
  })
})
