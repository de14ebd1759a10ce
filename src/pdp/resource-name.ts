// Pure. One spelling for each resource, by the form of its type. A name that cannot be brought into
// its form is no name at all: two readers would see two different resources.

/** How names of one type are made equal (migrations/0002_create_tools.sql, `resource_types.form`). */
export const RESOURCE_FORMS = ['exact', 'lower', 'path', 'url', 'email', 'host'] as const
export type ResourceForm = (typeof RESOURCE_FORMS)[number]

const MAX_NAME_LENGTH = 2000

/** Every form is a line here, and the compiler asks for it. */
const NORMALIZERS: Readonly<Record<ResourceForm, (text: string) => string | null>> = {
  exact: (text) => text,
  // The sign for Kelvin is a K, and a decomposed letter is not one letter.
  lower: (text) => (isComposed(folded(text)) ? folded(text) : null),
  path: normalPath,
  url: normalUrl,
  email: normalEmail,
  host: normalHost,
}

/** null: not a name of that form. */
export function resourceName(form: ResourceForm, text: string): string | null {
  // Half a surrogate pair is written differently by everybody who writes it.
  if (text === '' || text.length > MAX_NAME_LENGTH || !text.isWellFormed()) return null
  if (CONTROL.test(text)) return null
  const name = NORMALIZERS[form](text)
  if (name === null || name === '' || name.length > MAX_NAME_LENGTH) return null
  // INVARIANT: a name is its own name. What has another name once more would be two resources.
  return name === text || NORMALIZERS[form](name) === name ? name : null
}

/** They end names early in some readers, and logs everywhere. */
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/u

/**
 * A backslash is a separator to some and a letter to others, and a percent sign an escape or itself:
 * such a path has two meanings, so it has none here.
 */
function normalPath(text: string): string | null {
  if (/[\\%]/.test(text) || !isComposed(text)) return null
  const kept: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') kept.push(segment)
    else if (kept.pop() === undefined) return null
  }
  return `${text.startsWith('/') ? '/' : ''}${kept.join('/')}` || null
}

/** One letter in two ways of writing it would be two names (Unicode Standard Annex 15). */
const isComposed = (text: string): boolean => text === text.normalize('NFC')

/** A small sigma at the end of a word is the same letter. */
const folded = (text: string): string => text.toLowerCase().replaceAll('ς', 'σ')

/** WHATWG URL, with escapes written one way (RFC 3986 §6.2.2) and without what no server sees. */
function normalUrl(text: string): string | null {
  if (/[\s\\]/.test(text) || !/^[a-z][a-z0-9+.-]*:/i.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return null
  const fits = isSpecial(url.protocol) ? NAMED_HOST : OPAQUE_HOST
  if (!fits.test(url.hostname)) return null
  url.hash = ''
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  // A query of nothing is no query to most.
  const href = url.search === '' ? url.href.replace('?', '') : url.href
  const [path = '', ...query] = href.split('?')
  const once = [unescaped(path, IN_PATH), ...query.map((part) => unescaped(part, UNRESERVED))]
  if (once.some((part) => part === null)) return null
  // Dots that were escaped are path segments now, and have to be taken in like any others.
  const joined = once.join('?')
  return URL.canParse(joined) ? new URL(joined).href : null
}

/** Those whose hosts WHATWG reads as domains. */
const isSpecial = (protocol: string): boolean => /^(?:https?|wss?|ftp):$/.test(protocol)

const UNRESERVED = /[A-Za-z0-9._~-]/
/** Also what may stand in a path as it is (RFC 3986 §3.3): most servers take both for the same. */
const IN_PATH = /[A-Za-z0-9._~!$&'()*+,;=:@-]/

/** null: escapes that hide a separator or a character that no name may hold, or that are none. */
function unescaped(text: string, plain: RegExp): string | null {
  if (/%(?![0-9a-f]{2})/i.test(text) || /%(?:2f|5c)/i.test(text)) return null
  if (CONTROL.test(decoded(text) ?? '\0')) return null
  return text.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return plain.test(character) ? character : escape.toUpperCase()
  })
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** One address, no display name, no comment, no quoted local part. */
function normalEmail(text: string): string | null {
  if (!isComposed(text)) return null
  const [, local = '', domain = ''] = /^([^\s@<>()[\]",;:\\]+)@([^\s@]+)$/.exec(text) ?? []
  const host = domain === '' ? null : normalHost(domain)
  return host === null ? null : `${folded(local)}@${host}`
}

function normalHost(text: string): string | null {
  if (/[\s/\\?#@%]/.test(text)) return null
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  if (!URL.canParse(`https://${bare}/`)) return null
  const url = new URL(`https://${bare}/`)
  // A port, or anything else beside the host, is not part of a host's name.
  const alone = url.port === '' && !bare.includes(':', bare.lastIndexOf(']') + 1)
  const host = url.hostname
  return alone && NAMED_HOST.test(host) && !host.endsWith('.') ? host : null
}

/** As WHATWG wrote it, if it is a name or an address and nothing that only some readers cut short. */
const NAMED_HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])$/

/** Of another scheme it is any text, or none; an escape or an empty label has another spelling. */
const OPAQUE_HOST = /^(?:[^%.]+(?:\.[^%.]+)*\.?)?$/
