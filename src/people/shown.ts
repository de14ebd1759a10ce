// Pure. Text of rows and of strangers, made fit to stand on a page. `html` escapes it besides.

/** Nothing that is invisible, ends a line, or turns the direction of what follows. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu
/** Marks that pile up on one letter until they cover the lines around it. */
const PILE = /(\p{M}{3})\p{M}+/gu

export const LONGEST_NAME = 80
export const LONGEST_TEXT = 400

/** Unseen characters are written out, so that two names that look alike are alike. */
export function shown(text: string, longest = LONGEST_NAME): string {
  // What is far too long is not looked at whole.
  const points = Array.from(text.slice(0, longest * 4))
  const cut = points.length > longest || text.length > longest * 4
  const kept = cut ? points.slice(0, longest - 1) : points
  const written = kept
    .join('')
    .replace(UNSEEN, (unseen) => `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(PILE, '$1')
  return cut ? `${written}…` : written
}

/** As DNS knows it: letters that only look like others become visible as `xn--…`. */
export function shownHost(text: string): string {
  const candidate = `https://${text}`
  if (!/^[^\s/?#@\\]+$/.test(text) || !URL.canParse(candidate)) return shown(text)
  return shown(new URL(candidate).host)
}

/** Of a client whose id is an https URL (a client id metadata document) the host is proven. */
export function hostOfClientId(id: string): string | null {
  if (!id.startsWith('https://') || !URL.canParse(id)) return null
  return new URL(id).host
}

/** From the row's JSON; what is no list of texts names no host. */
export function redirectHosts(json: string): readonly string[] {
  const hosts: unknown = JSON.parse(json)
  return Array.isArray(hosts)
    ? hosts.filter((host) => typeof host === 'string').slice(0, MOST_HOSTS)
    : []
}

const MOST_HOSTS = 10
