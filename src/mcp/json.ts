// Pure. A strict JSON reader: text that two readers could read differently is refused. The grammar
// is RFC 8259, read in one pass; what it leaves open is closed as I-JSON closes it (RFC 7493 §2).
import { err, ok, type Result } from '../result.ts'
import { isExact } from './number.ts'
import { quote } from './quote.ts'
import { InexactNumber, type JsonValue } from './value.ts'

/** Where reading stopped, and why. The detail quotes at most the name of a member, never a value. */
export interface JsonFault {
  readonly detail: string
  /** In UTF-16 code units from the start of the text. */
  readonly offset: number
}

export interface JsonLimits {
  /** How many objects and arrays may be open at once. */
  readonly depth: number
  /** How many objects and arrays there may be: `{}` is three bytes of text and 130 of memory. */
  readonly containers: number
}

const DEFAULT_LIMITS: JsonLimits = { depth: 64, containers: 200_000 }

/**
 * INVARIANT: what is returned is what every correct reader makes of the same text: no duplicate
 * members, no lone surrogates, no byte order mark, and no number that a double would change.
 */
export function readJson(
  text: string,
  limits: Partial<JsonLimits> = {},
): Result<JsonValue, JsonFault> {
  // A lone surrogate cannot have come from UTF-8; whoever encodes the text again changes it.
  if (!text.isWellFormed()) return err({ detail: 'a lone surrogate', offset: loneSurrogate(text) })
  const reader = new Reader(text, { ...DEFAULT_LIMITS, ...limits })
  const value = reader.document()
  return value === undefined ? err(reader.fault) : ok(value)
}

/** The letter after a backslash, and what it stands for (RFC 8259 §7). */
const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
)

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Every reading method returns undefined once `fault` is set. Recursion is bounded by `#room`. */
class Reader {
  readonly #text: string
  #at = 0
  #room: number
  #containers: number
  fault: JsonFault = { detail: 'nothing was read', offset: 0 }

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#room = limits.depth
    this.#containers = limits.containers
  }

  document(): JsonValue | undefined {
    const value = this.#value()
    if (value === undefined) return undefined
    this.#skipSpace()
    return this.#at < this.#text.length ? this.#fail('text after the value') : value
  }

  #value(): JsonValue | undefined {
    this.#skipSpace()
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#string()
      case OPEN_OBJECT:
        return this.#open() ? this.#object() : undefined
      case OPEN_ARRAY:
        return this.#open() ? this.#array() : undefined
      case 0x74: // t
        return this.#literal('true', true)
      case 0x66: // f
        return this.#literal('false', false)
      case 0x6e: // n
        return this.#literal('null', null)
      default:
        return this.#number()
    }
  }

  /** The limit trips before the stack does. */
  #open(): boolean {
    this.#at += 1
    this.#room -= 1
    this.#containers -= 1
    if (this.#room < 0) this.#fail('nested too deeply')
    else if (this.#containers < 0) this.#fail('too many objects and arrays')
    else return true
    return false
  }

  #closed(value: JsonValue): JsonValue {
    this.#at += 1
    this.#room += 1
    return value
  }

  #object(): JsonValue | undefined {
    // Without a prototype `__proto__` is a member like any other.
    const members: Record<string, JsonValue> = Object.create(null)
    if (this.#next() === CLOSE_OBJECT) return this.#closed(members)
    for (;;) {
      const start = this.#at
      if (this.#next() !== QUOTE) return this.#fail('a member name was expected')
      const name = this.#string()
      if (name === undefined) return undefined
      // Names are compared as read: `"\u0061"` is `a` (RFC 8259 §8.3).
      if (name in members) return this.#fail(`duplicate member ${quote(name)}`, start)
      if (this.#next() !== COLON) return this.#fail('a colon was expected')
      this.#at += 1
      const value = this.#value()
      if (value === undefined) return undefined
      members[name] = value
      const separator = this.#next()
      if (separator === CLOSE_OBJECT) return this.#closed(members)
      if (separator !== COMMA) return this.#fail('a comma or the end of the object was expected')
      this.#at += 1
      this.#skipSpace()
    }
  }

  #array(): JsonValue | undefined {
    const elements: JsonValue[] = []
    if (this.#next() === CLOSE_ARRAY) return this.#closed(elements)
    for (;;) {
      const element = this.#value()
      if (element === undefined) return undefined
      elements.push(element)
      const separator = this.#next()
      if (separator === CLOSE_ARRAY) return this.#closed(elements)
      if (separator !== COMMA) return this.#fail('a comma or the end of the array was expected')
      this.#at += 1
    }
  }

  #string(): string | undefined {
    const start = this.#at
    let from = start + 1
    let read = ''
    let escapedSurrogate = false
    for (let at = from; ; at += 1) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        read += this.#text.slice(from, at)
        if (escapedSurrogate && !read.isWellFormed()) return this.#fail('a lone surrogate', start)
        return read
      }
      if (code === BACKSLASH) {
        const escaped = this.#escape(at)
        if (escaped === undefined) return undefined
        if ((escaped.charCodeAt(0) & 0xf800) === 0xd800) escapedSurrogate = true
        read += this.#text.slice(from, at) + escaped
        at = this.#at - 1
        from = this.#at
      } else if (!(code >= 0x20)) {
        // NaN is the end of the text.
        return this.#fail(code < 0x20 ? 'a bare control character' : 'an unclosed string', at)
      }
    }
  }

  /** One code unit; moves behind it. */
  #escape(backslash: number): string | undefined {
    const letter = this.#text.charAt(backslash + 1)
    this.#at = backslash + 2
    const short = ESCAPES.get(letter)
    if (short !== undefined) return short
    const digits = this.#text.slice(this.#at, this.#at + 4)
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) {
      return this.#fail('an unknown escape', backslash)
    }
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }

  #number(): JsonValue | undefined {
    const start = this.#at
    if (this.#text[start] === '-') this.#at += 1
    const leading = this.#at
    if (!this.#digits()) return this.#fail(nothingHere(this.#text, start), start)
    if (this.#text[leading] === '0' && this.#at > leading + 1) {
      return this.#fail('a number with a leading zero', start)
    }
    if (this.#text[this.#at] === '.') {
      this.#at += 1
      if (!this.#digits()) return this.#fail('a digit was expected')
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at += 1
      if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at += 1
      if (!this.#digits()) return this.#fail('a digit was expected')
    }
    const written = this.#text.slice(start, this.#at)
    const value = Number(written)
    return isExact(value, written) ? value : new InexactNumber(written)
  }

  #digits(): boolean {
    const start = this.#at
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (!(code >= 0x30 && code <= 0x39)) return this.#at > start
      this.#at += 1
    }
  }

  #literal<T extends JsonValue>(word: string, value: T): T | undefined {
    if (!this.#text.startsWith(word, this.#at)) return this.#fail('an unknown word')
    this.#at += word.length
    return value
  }

  /** The next code unit that is not whitespace; NaN at the end. */
  #next(): number {
    this.#skipSpace()
    return this.#text.charCodeAt(this.#at)
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at += 1
    }
  }

  #fail(detail: string, offset = this.#at): undefined {
    this.fault = { detail, offset }
    return undefined
  }
}

function nothingHere(text: string, at: number): string {
  if (at >= text.length) return 'the text ends too early'
  return at === 0 && text.startsWith('\ufeff') ? 'a byte order mark' : 'a value was expected'
}

function loneSurrogate(text: string): number {
  const wellFormed = text.toWellFormed()
  let at = 0
  while (text.charCodeAt(at) === wellFormed.charCodeAt(at)) at += 1
  return at
}
