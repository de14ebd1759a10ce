// Pure. Whether the address in a proof is the one that was called (RFC 9449 §4.3, check 9).

const MAX_LENGTH = 2048

/** Printable ASCII without what a URI may not hold, or what parsers turn round (RFC 3986 §2). */
const NO_URI = /[^\x21-\x7e]|[\\"<>^`{|}]/
/** Read as text: a URL parser overlooks user information, blanks, missing slashes and more. */
const HTTP = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]*))?(\/[^?#]*)?(?:[?#].*)?$/i

/**
 * Compared without query and fragment, after the normalisation that changes no meaning (RFC 3986
 * §6.2.2.1, §6.2.3): the case of scheme and host, the default port, an empty path. Anything else is
 * another address: escapes and dot segments as well, because our own addresses hold neither.
 */
export function isSameTarget(htu: string, address: string): boolean {
  if (htu === address) return true
  const normal = normalised(htu)
  return normal !== null && normal === normalised(address)
}

function normalised(uri: string): string | null {
  if (uri.length > MAX_LENGTH || NO_URI.test(uri)) return null
  const match = HTTP.exec(uri)
  if (match === null) return null
  const [, scheme = '', host = '', port = '', path = '/'] = match
  const origin = `${scheme}://${host}`.toLowerCase()
  const isDefault = port === '' || port === (origin.startsWith('https:') ? '443' : '80')
  return `${origin}${isDefault ? '' : `:${port}`}${path}`
}
