// Pure. Addresses that a text mentions: mail addresses, URLs and hosts, account numbers, paths. Found
// word by word, so that the time is in proportion to the text: no pattern runs across words.
import { canon } from './canon.ts'

/** More than these are not kept: then nothing may be concluded from an address not being among them. */
export const MOST_MENTIONS = 256
const LONGEST_ADDRESS = 2_048

export interface Mentions {
  /** Canonical, each once. */
  readonly addresses: readonly string[]
  readonly overflow: boolean
}

export function mentionsIn(text: string): Mentions {
  const found = new Set<string>()
  for (const word of wordsIn(uncovered(text))) {
    for (const address of addressesIn(word)) {
      found.add(address)
      if (found.size > MOST_MENTIONS) {
        return { addresses: [...found].slice(0, MOST_MENTIONS), overflow: true }
      }
    }
  }
  return { addresses: [...found], overflow: false }
}

/**
 * As people and programs read it: without what nobody sees (zero width, direction), with numeric
 * character references (HTML), and with what is written so that no program makes a link of it
 * (`hxxps://evil[.]example`, `eve (at) evil.example`).
 */
function uncovered(text: string): string {
  let value = text
  if (value.includes('&#'))
    value = value.replaceAll(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/gi, character)
  if (HIDDEN.test(value)) value = value.replaceAll(ALL_HIDDEN, '')
  if (value.includes('xxp')) value = value.replaceAll(/\bhxxp(s?):/gi, 'http$1:')
  return value
    .replaceAll(/\s?[[({]\s?(?:\.|dot)\s?[\])}]\s?/gi, '.')
    .replaceAll(/\s?[[({]\s?(?:@|at)\s?[\])}]\s?/gi, '@')
    .replaceAll(GROUPED_ACCOUNT, (account) => account.replaceAll(' ', ''))
}

// Soft hyphen, zero width, marks and overrides of direction, invisible operators, byte order mark.
const HIDDEN = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/
const ALL_HIDDEN = new RegExp(HIDDEN.source, 'g')

function character(
  reference: string,
  hex: string | undefined,
  decimal: string | undefined,
): string {
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
  return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : reference
}

/** ISO 13616 §5: on paper in groups of four. */
const GROUPED_ACCOUNT = /\b[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?\b/g

/** What an argument that no row gave a type looks like. */
export type Shape = 'address' | 'path' | 'other'

/** Of the value as it was written: the canonical form has lost its scheme. */
export function shapeOf(raw: string): Shape {
  const text = raw.trim()
  if (text.startsWith('//')) return 'address'
  if (PATH.test(text)) return 'path'
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined) return scheme === 'file' || scheme === 'data' ? 'path' : 'address'
  if (/\s/.test(text.slice(0, LONGEST_ADDRESS))) return 'other'
  const host = hostPart(text)
  return text.includes('@') || (DOTTED.test(host) && !FILE.test(host)) ? 'address' : 'other'
}

const PATH = /^(?:~|\.{1,2})?\//
const SCHEME = /^([a-z][a-z0-9+.-]{0,30}):/i
const hostPart = (text: string): string => text.split(/[/?#:]/, 1)[0] ?? ''
const DOTTED = /^[^./][^/]*\.[^./]+$/
/** Names of files that would otherwise read as hosts. */
const FILE =
  /\.(?:pdf|txt|md|docx?|xlsx?|pptx?|csv|html?|json|ya?ml|xml|png|jpe?g|gif|svg|py|ts|js|zip|gz)$/i

function* wordsIn(text: string): Generator<string> {
  // Split by hand: `split` would hold a second copy of a large text.
  let start = 0
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : 32
    if (!isBorder(code)) continue
    // A longer word is read in pieces that overlap, so that nothing hides behind its beginning.
    for (let from = start; at > from + 3; from += LONGEST_ADDRESS / 2) {
      yield text.slice(from, Math.min(at, from + LONGEST_ADDRESS))
      if (at <= from + LONGEST_ADDRESS) break
    }
    start = at + 1
  }
}

/** White space, quotes, brackets and separators that no address holds unescaped (RFC 3986 §2). */
const BORDERS: ReadonlySet<number> = new Set(
  Array.from('"\'`<>()[]{}|\\^,;*“”‘’«»', (one) => one.charCodeAt(0)),
)
const isBorder = (code: number): boolean =>
  code <= 32 ||
  code === 0xa0 ||
  (code >= 0x2000 && code <= 0x200b) ||
  code === 0x3000 ||
  BORDERS.has(code)

function addressesIn(raw: string): string[] {
  const word = trimmed(lettersOf(raw))
  const scheme = schemeIn(word)
  if (scheme !== null) {
    // `see:https://x` and `(href=https://x`: what is before the scheme is no part of it.
    const before = word.slice(0, scheme.at)
    const from = Math.max(before.lastIndexOf('='), before.lastIndexOf(':')) + 1
    const rest = word.slice(scheme.end)
    return rest === '' ? [] : [canon(`${before.slice(from)}${scheme.name}://${rest}`)]
  }
  if (word.includes('@')) return mailsIn(word)
  const bare = word.slice(word.lastIndexOf('=') + 1)
  if (bare.startsWith('//')) {
    const rest = bare.replace(/^\/+/, '')
    return HOST.test(hostPart(rest)) ? [canon(rest)] : []
  }
  if (PATH.test(word) && word.indexOf('/', word.indexOf('/') + 1) > 0) {
    return word.length <= 200 ? [canon(word)] : []
  }
  if (ACCOUNT.test(word)) return [canon(word)]
  const host = hostPart(bare)
  return host.length <= 253 && HOST.test(host) && isHostAlone(host) ? [canon(bare)] : []
}

interface SchemeIn {
  readonly name: string
  readonly at: number
  readonly end: number
}

/** `ftp://x`, and as browsers take them, `https:x` and `https:/x` (WHATWG URL §4.4). */
function schemeIn(word: string): SchemeIn | null {
  const slashes = word.indexOf('://')
  if (slashes > 0) {
    const name = SCHEME_BEFORE.exec(word.slice(Math.max(0, slashes - 31), slashes))?.[0] ?? ''
    return { name, at: slashes - name.length, end: slashes + 3 }
  }
  const found = WEB_SCHEME.exec(word)
  if (found === null) return null
  const [whole, name = ''] = found
  return { name, at: found.index, end: found.index + whole.length }
}
const SCHEME_BEFORE = /[a-z][a-z0-9+.-]*$/i
const WEB_SCHEME = /(https?):\/?/i

/** Compatibility forms, and every full stop that separates labels (UTS #46 §2.3). */
// oxlint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/
const lettersOf = (word: string): string =>
  ASCII.test(word) ? word : word.normalize('NFKC').replaceAll(/[\u3002\uff0e\uff61]/g, '.')

/** Every one of them: `mailto:a@x.example?cc=b@y.example`. */
function mailsIn(word: string): string[] {
  const found: string[] = []
  for (let at = word.indexOf('@'); at !== -1; at = word.indexOf('@', at + 1)) {
    const local = LOCAL.exec(word.slice(Math.max(0, at - 64), at))?.[0]
    const domain = DOMAIN.exec(word.slice(at + 1, at + 255))?.[0]?.replace(/\.$/, '')
    if (local !== undefined && domain !== undefined && HOST.test(domain)) {
      found.push(canon(`${local}@${domain}`))
    }
  }
  return found
}
const LOCAL = /[\p{L}\p{N}\p{M}._%+-]{1,64}$/u
const DOMAIN = /^[\p{L}\p{N}\p{M}.-]{1,253}/u

/** A dot that ends a sentence is no part of the address. */
function trimmed(word: string): string {
  let end = word.length
  while (end > 0 && '.,;:!?'.includes(word.charAt(end - 1))) end -= 1
  return word.slice(0, end)
}

/** Labels of letters, digits and hyphens (RFC 1123 §2.1, RFC 5890), two at least. Linear: `.` is in no
 * class. */
const HOST = /^[\p{L}\p{N}\p{M}-]{1,63}(?:\.[\p{L}\p{N}\p{M}-]{1,63})+$/u
const endingOf = (host: string): string => host.slice(host.lastIndexOf('.') + 1).toLowerCase()
/** Without a scheme only these: `e.g` and `readme.txt` are no hosts. */
const ENDINGS: ReadonlySet<string> = new Set(
  `com org net io ch co uk de eu fr info dev app ai me gov edu us biz xyz site online ru cn nl it es
  at be se no fi dk pl cz pt ie jp kr in br au ca mx za top shop store tech cloud link page live club
  icu example test`.split(/\s+/),
)
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/
const isHostAlone = (host: string): boolean =>
  ENDINGS.has(endingOf(host)) ||
  endingOf(host).startsWith('xn--') ||
  /^www\./i.test(host) ||
  IPV4.test(host)
/** ISO 13616: country, two check digits, up to thirty letters and digits. */
const ACCOUNT = /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/
