// Pure. Whether a URI is written in its one spelling (RFC 3986 §6.2.2). A server may take several
// texts for one resource; where only a pattern speaks of it, nobody here could say for which.

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: '80',
  https: '443',
  ws: '80',
  wss: '443',
  ftp: '21',
}

/**
 * No other text that a reader could take for the same: lower case where case says nothing (scheme and
 * host), nothing encoded that need not be, no separators in disguise, no dot segments, no fragment, and
 * nothing that a WHATWG parser would write in another way (`https:/host/`, `file://localhost/`, `127.1`).
 */
export const isPlainUri = (uri: string): boolean => isPlain(uri, UNNEEDED)

/** As a template makes it, where everything reserved is encoded (RFC 6570 §3.2.2). */
export const isExpandedUri = (uri: string): boolean => isPlain(uri, FORBIDDEN)

function isPlain(uri: string, unneeded: RegExp): boolean {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.+)$/.exec(uri) ?? []
  if (scheme === undefined || rest === undefined) return false
  // A fragment is no part of what is asked for (RFC 3986 §3.5); a backslash is a slash to many.
  if (!/^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/.test(rest)) return false
  const [before = '', ...queries] = rest.split('?')
  const query = queries.join('?')
  if (queries.length > 0 && (query === '' || scheme === 'file')) return false
  // In a query a plus is a space to many, and brackets and quotes have an encoded form.
  if (/[[\]'+]/.test(query) || !isPlainlyEncoded(query, UNNEEDED_IN_QUERY)) return false
  if (!isPlainlyEncoded(before, unneeded) || !isAsParsed(uri)) return false
  if (!before.startsWith('//')) return arePlainSegments(before.replace(/^\//, '').split('/'))
  const [authority = '', ...segments] = before.slice(2).split('/')
  if (!isPlainAuthority(authority, scheme)) return false
  // A special scheme has a path, if only `/` (WHATWG URL).
  if (segments.length === 0) return DEFAULT_PORTS[scheme] === undefined && scheme !== 'file'
  return arePlainSegments(segments)
}

/** Hosts in other digits, slashes that are missing: what parsers mend is another spelling. */
const isAsParsed = (uri: string): boolean => URL.canParse(uri) && new URL(uri).href === uri

/** Empty at the end only; `..;` is a dot segment to those who know path parameters. */
const arePlainSegments = (segments: readonly string[]): boolean =>
  segments.every(
    (segment, at) =>
      (segment !== '' || at === segments.length - 1) && !/^\.{1,2}(?:;|$)|[[\]]/.test(segment),
  )

function isPlainAuthority(authority: string, scheme: string): boolean {
  if (authority === '') return scheme === 'file'
  const [, host = '', port] =
    /^(\[[0-9a-f:.]+\]|[^:[\]@]+)(?::([1-9][0-9]*))?$/.exec(authority) ?? []
  if (host === '' || /[A-Z%]/.test(host) || host.endsWith('.')) return false
  return port === undefined || port !== DEFAULT_PORTS[scheme]
}

/** What may be encoded is UTF-8, in capitals (RFC 3986 §6.2.2.1), and nothing that has no need of it. */
function isPlainlyEncoded(text: string, unneeded: RegExp): boolean {
  const encoded = text.match(/%.{0,2}/g) ?? []
  if (!encoded.every((one) => /^%[0-9A-F]{2}$/.test(one) && !unneeded.test(one))) return false
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Controls; `# % / ? \`, which part a URI once they are decoded; unreserved ones (RFC 3986 §2.3). */
const FORBIDDEN = /^%(?:[01]|7F|2[35DEF]|3[0-9F]|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AE])/

/** Those, and what stands in a path as it is (RFC 3986 §3.3): most servers take both for the same. */
const UNNEEDED = new RegExp(`${FORBIDDEN.source}|^%(?:2[14689ABC7]|3[ABD]|40)`)

/** `& ' + ; =` say something else in a query when they are encoded, or have to be. */
const UNNEEDED_IN_QUERY = new RegExp(`${FORBIDDEN.source}|^%(?:2[1489AC]|3A|40)`)
