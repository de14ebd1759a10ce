// Pure. When two spellings are the same value, and when a value stands in a text. Everything here
// takes time in proportion to its input, whatever a hostile server or caller wrote.
import { hasHostEnding } from './hosts.ts'

/** One spelling: white space collapsed, lower case, without a web scheme and a closing slash. */
export function canon(text: string): string {
  let value = plain(text).trim()
  for (;;) {
    const shorter = value.startsWith('http://')
      ? value.slice(7)
      : value.startsWith('https://')
        ? value.slice(8)
        : value.endsWith('/')
          ? value.slice(0, -1)
          : value
    // What is left may begin or end like that again: taken off until nothing is, so that a canonical
    // value is its own canonical value.
    if (shorter === value) return value
    value = shorter.trim()
  }
}

/** A text as `occurs` reads it. Canonical values of texts are found in their plain form. */
export const plain = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, ' ')

/**
 * Whether a canonical value stands in a text (already `plain`) as a word of its own: `bob` stands in
 * "write to bob." and not in "bobby". The empty value stands everywhere.
 *
 * INVARIANT: a part of another name is not named. `bob.com` does not stand in "evil-bob.com", nor
 * `b@x.example` in "a.b@x.example" or "b@x.example.net", nor a number in a date, a time or a version.
 */
export function occurs(value: string, text: string): boolean {
  if (value === '') return true
  const joints = NUMBER.test(value)
    ? JOINTS.number
    : isAddress(value)
      ? JOINTS.address
      : JOINTS.word
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    const end = at + value.length
    if (!goesOn(text, at, -1, joints) && !goesOn(text, end, 1, joints)) return true
  }
  return false
}

const NUMBER = /^\d+$/
const isAddress = (value: string): boolean =>
  value.includes('@') || hasHostEnding(value.split(/[/?#:]/, 1)[0] ?? '')

/** What joins a value to a word before or after it, by what the value is. */
const JOINTS = {
  number: { '-1': '-/:.', '1': '-/:.' },
  // Before a path stands its host, and after a host its path.
  address: { '-1': '.@-_+%/', '1': '.@-_+%' },
  word: { '-1': '-_', '1': '-_' },
} as const
type Joints = (typeof JOINTS)[keyof typeof JOINTS]

/** `at`: where the value begins (to the left), or the place after its end (to the right). */
function goesOn(text: string, at: number, direction: 1 | -1, joints: Joints): boolean {
  const next = characterAt(text, at, direction)
  if (next === '') return false
  if (isWordCharacter(next)) return true
  if (!joints[direction].includes(next)) return false
  const beyond = characterAt(text, at + direction, direction)
  if (joints === JOINTS.number) return /^\d$/.test(beyond)
  if (beyond === '' || !isWordCharacter(beyond)) return false
  if (next !== '.') return true
  // `x.example.They sent` ends a sentence; `www.` begins no other name.
  return direction === 1
    ? hasHostEnding(`x${tailAt(text, at)}`)
    : !/(?:^|[^\w@.-])www\.$/.test(text.slice(Math.max(0, at - 5), at))
}

const tailAt = (text: string, at: number): string =>
  /^[\p{L}\p{N}.-]*[\p{L}\p{N}]/u.exec(text.slice(at, at + 256))?.[0] ?? ''

/** A whole one: half of a letter is none. */
function characterAt(text: string, at: number, direction: 1 | -1): string {
  if (direction === 1)
    return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : ''
  const pair = at >= 2 ? text.slice(at - 2, at) : ''
  return PAIR.test(pair) ? pair : text.slice(Math.max(0, at - 1), at)
}
const PAIR = /^[\ud800-\udbff][\udc00-\udfff]$/

function isWordCharacter(character: string): boolean {
  const code = character.charCodeAt(0)
  if (code < 128) return (code >= 48 && code <= 57) || (code >= 97 && code <= 122)
  // Letters of every script, what is written on them, and what nobody sees between them.
  return LETTER.test(character)
}
const LETTER = /^[\p{L}\p{N}\p{M}\p{Cf}]$/u
