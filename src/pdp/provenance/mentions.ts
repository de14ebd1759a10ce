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
  for (const word of wordsIn(text)) {
    for (const address of addressesIn(word)) {
      found.add(address)
      if (found.size > MOST_MENTIONS) {
        return { addresses: [...found].slice(0, MOST_MENTIONS), overflow: true }
      }
    }
  }
  return { addresses: [...found], overflow: false }
}

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
    if (at > start + 3) yield text.slice(start, Math.min(at, start + LONGEST_ADDRESS))
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
  const word = trimmed(raw)
  const scheme = word.indexOf('://')
  if (scheme > 0) {
    // `see:https://x` and `(href=https://x`: what is before the scheme is no part of it.
    const from = Math.max(0, ...['=', ':'].map((c) => word.lastIndexOf(c, scheme - 1) + 1))
    return [canon(word.slice(from))]
  }
  if (word.includes('@')) return mailsIn(word)
  if (PATH.test(word) && word.indexOf('/', word.indexOf('/') + 1) > 0) {
    return word.length <= 200 ? [canon(word)] : []
  }
  if (ACCOUNT.test(word)) return [canon(word)]
  const bare = word.slice(Math.max(word.lastIndexOf('='), -1) + 1)
  const host = hostPart(bare)
  return host.length <= 253 && HOST.test(host) && ENDINGS.has(endingOf(host)) ? [canon(bare)] : []
}

function mailsIn(word: string): string[] {
  const at = word.indexOf('@')
  const local = /[a-z0-9._%+-]{1,64}$/i.exec(word.slice(Math.max(0, at - 64), at))?.[0]
  const domain = /^[a-z0-9.-]{1,253}/i.exec(word.slice(at + 1, at + 255))?.[0]?.replace(/\.$/, '')
  if (local === undefined || domain === undefined || !HOST.test(domain)) return []
  return [canon(`${local}@${domain}`)]
}

/** A dot that ends a sentence is no part of the address. */
function trimmed(word: string): string {
  let end = word.length
  while (end > 0 && '.,;:!?'.includes(word.charAt(end - 1))) end -= 1
  return word.slice(0, end)
}

/** Labels of letters, digits and hyphens (RFC 1123 §2.1), two at least. Linear: `.` is in no class. */
const HOST = /^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/i
const endingOf = (host: string): string => host.slice(host.lastIndexOf('.') + 1).toLowerCase()
/** Without a scheme only these: `e.g` and `readme.txt` are no hosts. */
const ENDINGS: ReadonlySet<string> = new Set(
  `com org net io ch co uk de eu fr info dev app ai me gov edu us biz xyz site online ru cn nl it es
  at be se no fi dk pl cz pt ie jp kr in br au ca mx za top shop store tech cloud link page live club
  icu example test`.split(/\s+/),
)
/** ISO 13616: country, two check digits, up to thirty letters and digits. */
const ACCOUNT = /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/
