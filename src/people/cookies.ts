// Pure. The two cookies of the pages.

/**
 * `__Host-` keeps other hosts of a domain from setting them; browsers take it over https only, so
 * that a developer's loopback origin goes without (RFC 6265bis §4.1.3.2).
 */
const nameOf = (name: string, origin: string): string =>
  origin.startsWith('https:') ? `__Host-sallyport-${name}` : `sallyport-${name}`

export type CookieName = 'person' | 'login'

export function readCookie(request: Request, name: CookieName): string | null {
  const wanted = nameOf(name, new URL(request.url).origin)
  const values = (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .filter(([key]) => key === wanted)
    .map(([, ...value]) => value.join('='))
  // Two of one name: one of them is somebody else's doing, and nobody can say which.
  return values.length === 1 ? (values[0] ?? null) : null
}

/**
 * Lax: the issuer leads back here by a navigation from its own site, and the cookie must come along.
 */
export function writeCookie(
  request: Request,
  name: CookieName,
  value: string,
  maxAgeSeconds: number,
): string {
  const { origin } = new URL(request.url)
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  return `${nameOf(name, origin)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`
}

export const clearCookie = (request: Request, name: CookieName): string =>
  writeCookie(request, name, '', 0)
