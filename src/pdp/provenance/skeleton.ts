// Pure. What is left of a value when everything is taken off that a server may add, drop or rewrite
// when it stores it. Two values with one skeleton are not held to be equal where that would permit
// something: `canon.ts` says when they are. Here they are, so that a value is known again which was
// passed in one spelling and comes back in another.
import { canon } from './canon.ts'

/** Longer texts are no single value. */
const LONGEST = 2_048

export function skeletonOf(text: string): string {
  if (text.length > LONGEST) return canon(text)
  let rest = folded(unescaped(text.trim())).trim()
  // `Eve <eve@x.example>`: what stands before the address is a name for people.
  rest = /<([^<>]+)>$/.exec(rest)?.[1] ?? rest
  rest = withoutEdges(canon(withoutScheme(rest)))
  const bare =
    ACCOUNT_LIKE.test(rest) && digitsIn(rest) >= 6 ? rest.replaceAll(/[\s().+-]+/g, '') : rest
  return bare === '' ? canon(text) : bare
}

// oxlint-disable-next-line no-control-regex
const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

/** Compatibility forms, accents, and characters that nobody sees (Unicode, UAX #15 and UTS #39). */
const folded = (text: string): string =>
  isAscii(text)
    ? text
    : text
        .normalize('NFKD')
        .replaceAll(/[\p{M}\p{Cf}]+/gu, '')
        .replaceAll('\u3002', '.')

/** Percent-encoding (RFC 3986 §2.1), also of what was encoded twice. */
function unescaped(text: string): string {
  let value = text
  for (let round = 0; round < 2 && value.includes('%'); round += 1) {
    value = value.replaceAll(/(?:%[0-9a-f]{2})+/gi, decoded)
  }
  return value
}

function decoded(escapes: string): string {
  try {
    return decodeURIComponent(escapes)
  } catch {
    return escapes
  }
}

/** Any scheme, not the port of a host: `mailto:`, `tel:`, `ftp://`. */
function withoutScheme(text: string): string {
  const rest = text.replace(/^(?:[a-z][a-z0-9+.-]{0,30}:(?!\d+(?:\/|$)))?[/\\]*/i, '')
  return rest.replace(/^www\./i, '').replace(/:(?:80|443)(?=\/|$)/, '')
}

/** By hand: a pattern that ends in `$` begins anew at every character. */
function withoutEdges(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && BEFORE.includes(text.charAt(from))) from += 1
  while (to > from && AFTER.includes(text.charAt(to - 1))) to -= 1
  return text.slice(from, to)
}
const BEFORE = ' "\'`<>()[]{}@#'
const AFTER = ' "\'`<>()[]{}.,;:!?/\\'
/** Accounts, cards, telephone numbers: written in groups, or not. */
const ACCOUNT_LIKE = /^[a-z0-9+][a-z0-9\s().-]*$/
const digitsIn = (text: string): number => text.replaceAll(/\D+/g, '').length
