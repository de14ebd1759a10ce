// Pure. One spelling for each resource, by the form of its type. A name that cannot be brought into
// its form is no name at all: two readers would see two different resources.

/** How names of one type are made equal (migrations/0002_create_tools.sql, `resource_types.form`). */
export const RESOURCE_FORMS = ['exact', 'lower', 'path', 'url', 'email', 'host'] as const
export type ResourceForm = (typeof RESOURCE_FORMS)[number]

const MAX_NAME_LENGTH = 2000

/** Every form is a line here, and the compiler asks for it. */
const NORMALIZERS: Readonly<Record<ResourceForm, (text: string) => string | null>> = {
  exact: (text) => text,
  lower: (text) => text.toLowerCase(),
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
  return name === null || name === '' || name.length > MAX_NAME_LENGTH ? null : name
}

/** They end names early in some readers, and logs everywhere. */
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/u

/**
 * A backslash is a separator to some and a letter to others, and a percent sign an escape or itself:
 * such a path has two meanings, so it has none here.
 */
function normalPath(text: string): string | null {
  if (/[\\%]/.test(text)) return null
  const kept: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') kept.push(segment)
    else if (kept.pop() === undefined) return null
  }
  return `${text.startsWith('/') ? '/' : ''}${kept.join('/')}` || null
}

/** WHATWG URL, with escapes written one way (RFC 3986 §6.2.2) and without what no server sees. */
function normalUrl(text: string): string | null {
  if (/[\s\\]/.test(text) || !/^[a-z][a-z0-9+.-]*:/i.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return null
  url.hash = ''
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  const once = url.href.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
  // Dots that were escaped are path segments now, and have to be taken in like any others.
  return URL.canParse(once) ? new URL(once).href : null
}

/** One address, no display name, no comment, no quoted local part. */
function normalEmail(text: string): string | null {
  const [, local = '', domain = ''] = /^([^\s@<>()[\]",;:\\]+)@([^\s@]+)$/.exec(text) ?? []
  const host = domain === '' ? null : normalHost(domain)
  return host === null ? null : `${local.toLowerCase()}@${host}`
}

function normalHost(text: string): string | null {
  if (/[\s/\\?#@%]/.test(text)) return null
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  if (!URL.canParse(`https://${bare}/`)) return null
  const url = new URL(`https://${bare}/`)
  // A port, or anything else beside the host, is not part of a host's name.
  return url.port === '' && !bare.includes(':', bare.lastIndexOf(']') + 1) ? url.hostname : null
}
