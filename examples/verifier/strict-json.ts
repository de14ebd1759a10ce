// JSON that cannot be read in two ways: what was checked must be what the server then acts on.

/** A number that a double changes (`12345678901234567890`): kept as it was written, never compared. */
export class InexactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Json =
  | null
  | boolean
  | number
  | string
  | InexactNumber
  | Json[]
  | { [name: string]: Json }

const MAX_DEPTH = 64
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const BLANK = /[ \t\n\r]*/y

/** Throws where the text is not JSON (RFC 8259), or has two members of one name (§4). */
export function readStrictJson(text: string): Json {
  let at = 0
  const skip = (): void => void take(BLANK)
  const fail = (): never => {
    throw new SyntaxError('not strict JSON')
  }
  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? null
    at += found?.length ?? 0
    return found
  }
  function expect(character: string): void {
    if (text[at] !== character) fail()
    at += 1
  }
  function list(close: string, item: () => void): void {
    at += 1
    skip()
    if (text[at] === close) {
      at += 1
      return
    }
    for (;;) {
      skip()
      item()
      skip()
      if (text[at] === close) break
      expect(',')
    }
    at += 1
  }
  /** From quote to quote; what is between them the platform reads, and refuses where it must. */
  function string(): string {
    const from = at
    expect('"')
    while (text[at] !== '"') {
      if (at >= text.length) fail()
      at += text[at] === '\\' ? 2 : 1
    }
    at += 1
    return JSON.parse(text.slice(from, at)) as string
  }
  function value(depth: number): Json {
    if (depth > MAX_DEPTH) fail()
    switch (text[at]) {
      case '{': {
        // Without a prototype, so that no name means anything but itself.
        const members = Object.create(null) as { [name: string]: Json }
        list('}', () => {
          const name = string()
          if (name in members) fail()
          skip()
          expect(':')
          skip()
          members[name] = value(depth + 1)
        })
        return members
      }
      case '[': {
        const items: Json[] = []
        list(']', () => items.push(value(depth + 1)))
        return items
      }
      case '"':
        return string()
      default:
        return scalar()
    }
  }
  function scalar(): Json {
    for (const [word, meaning] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (!text.startsWith(word, at)) continue
      at += word.length
      return meaning
    }
    const written = take(NUMBER) ?? fail()
    const number = Number(written)
    return isExact(number, written) ? number : new InexactNumber(written)
  }
  skip()
  const read = value(0)
  skip()
  return at === text.length ? read : fail()
}

/** The shortest decimal that reads back as the number has the digits that were written. */
const isExact = (number: number, written: string): boolean =>
  Number.isFinite(number) && digitsOf(written) === digitsOf(String(number))

const digitsOf = (decimal: string): string => {
  const [mantissa = ''] = decimal.replace('-', '').split(/[eE]/, 1)
  const digits = mantissa.replace('.', '').replace(/^0+/, '')
  let end = digits.length
  while (digits[end - 1] === '0') end -= 1
  return digits.slice(0, end)
}

export const isObject = (value: Json | undefined): value is { [name: string]: Json } =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof InexactNumber)

/** RFC 8785: members by UTF-16 code units, numbers and texts as ECMAScript writes them. */
export function canonicalJson(value: Json): string {
  if (value instanceof InexactNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`)
  return `{${members.join(',')}}`
}
