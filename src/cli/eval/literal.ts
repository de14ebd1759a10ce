// Literals as Python prints them, read without evaluating anything: one pass, bounded in depth.
import type { JsonValue } from '../../mcp/value.ts'

const DEEPEST = 64

/** undefined: the text is no single literal. */
export function pythonLiteral(text: string): JsonValue | undefined {
  const reader = new Reader(text)
  try {
    const value = reader.value(0)
    return reader.atEnd() ? value : undefined
  } catch (error) {
    if (error instanceof NotALiteral) return undefined
    throw error
  }
}

/** The first literal of a text, whatever follows it. */
export function leadingLiteral(text: string): JsonValue | undefined {
  try {
    return new Reader(text).value(0)
  } catch (error) {
    if (error instanceof NotALiteral) return undefined
    throw error
  }
}

class NotALiteral extends Error {}

const CONSTANT = /(?:None|True|False|null|true|false|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' }
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  atEnd(): boolean {
    this.#skipSpace()
    return this.#at === this.#text.length
  }

  value(depth: number): JsonValue {
    if (depth > DEEPEST) throw new NotALiteral()
    this.#skipSpace()
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#list(']', depth)
    if (first === '(') return this.#list(')', depth)
    if (first === "'" || first === '"') return this.#string(first)
    return this.#constant()
  }

  #object(depth: number): JsonValue {
    const members: [string, JsonValue][] = []
    this.#at += 1
    while (!this.#takes('}')) {
      const name = this.value(depth + 1)
      if (typeof name === 'object') throw new NotALiteral()
      this.#expect(':')
      members.push([String(name), this.value(depth + 1)])
      if (!this.#takes(',')) {
        this.#expect('}')
        break
      }
    }
    return Object.fromEntries(members)
  }

  #list(end: string, depth: number): JsonValue {
    const elements: JsonValue[] = []
    this.#at += 1
    while (!this.#takes(end)) {
      elements.push(this.value(depth + 1))
      if (!this.#takes(',')) {
        this.#expect(end)
        break
      }
    }
    return elements
  }

  #string(quote: string): string {
    let text = ''
    this.#at += 1
    for (;;) {
      const letter = this.#text[this.#at]
      if (letter === undefined) throw new NotALiteral()
      this.#at += 1
      if (letter === quote) return text
      text += letter === '\\' ? this.#escaped() : letter
    }
  }

  #escaped(): string {
    const letter = this.#text[this.#at] ?? ''
    this.#at += 1
    const digits = HEX_DIGITS[letter]
    if (digits === undefined) return ESCAPES[letter] ?? letter
    const code = Number.parseInt(this.#text.slice(this.#at, this.#at + digits), 16)
    this.#at += digits
    if (!(code <= 0x10ffff)) throw new NotALiteral()
    return String.fromCodePoint(code)
  }

  #constant(): JsonValue {
    CONSTANT.lastIndex = this.#at
    const word = CONSTANT.exec(this.#text)?.[0]
    if (word === undefined) throw new NotALiteral()
    this.#at += word.length
    if (word === 'None' || word === 'null') return null
    if (/^t/i.test(word)) return true
    return /^f/i.test(word) ? false : Number(word)
  }

  #takes(letter: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== letter) return false
    this.#at += 1
    return true
  }

  #expect(letter: string): void {
    if (!this.#takes(letter)) throw new NotALiteral()
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text.charAt(this.#at)))
      this.#at += 1
  }
}
