// Pure. When two spellings are the same value, and when a value stands in a text. Everything here
// takes time in proportion to its input, whatever a hostile server or caller wrote.

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
 * A number of up to three digits names nothing as a part of a date, a time or a version.
 */
export function occurs(value: string, text: string): boolean {
  if (value === '') return true
  const numeric = SHORT_NUMBER.test(value)
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    const end = at + value.length
    if (isWordBorder(text, at - 1) && isWordBorder(text, end)) {
      if (!numeric || !(joinsDigits(text, at - 1, -1) || joinsDigits(text, end, 1))) return true
    }
  }
  return false
}

const SHORT_NUMBER = /^\d{1,3}$/
const JOINTS = '-/:.'

function isWordBorder(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  // NaN before the beginning and after the end. Letters of every script continue a word.
  if (Number.isNaN(code)) return true
  if (code < 128) return !((code >= 48 && code <= 57) || (code >= 97 && code <= 122))
  return !LETTER.test(text.charAt(at))
}
const LETTER = /[\p{L}\p{N}]/u

function joinsDigits(text: string, at: number, direction: 1 | -1): boolean {
  if (!JOINTS.includes(text.charAt(at)) || text.charAt(at) === '') return false
  const code = text.charCodeAt(at + direction)
  return code >= 48 && code <= 57
}
