// Pure. Text of rows and of strangers, made fit to stand on a page. `html` escapes it besides.

/**
 * What is invisible, ends a line, turns the direction of what follows, or is a space of another kind
 * than the one on the keyboard. The selector that makes a sign a coloured one is seen (UTS #51 §2.8).
 */
const UNSEEN =
  /(?<!\p{Extended_Pictographic})\ufe0f|(?!\ufe0f)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu
/** Spaces that a page would not show. */
const LOST_SPACE = /^ | $| (?= )/gu
/** Marks that pile up on one letter until they cover the lines around it. */
const PILE = /(\p{M}{3})\p{M}+/gu

export const LONGEST_NAME = 80
export const LONGEST_TEXT = 2_000
const MOST_LINES = 40

const written = (character: string): string =>
  `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/** Unseen characters are written out, so that two names that look alike are alike. */
export function shown(text: string, longest = LONGEST_NAME): string {
  const { kept, end } = cut(text, longest)
  return kept.replace(UNSEEN, written).replace(LOST_SPACE, written).replace(PILE, '$1') + end
}

/** A longer text, which keeps its lines and its indents. */
export function shownLines(text: string): readonly string[] {
  const { kept, end } = cut(text, LONGEST_TEXT)
  const lines = kept
    .trim()
    .replace(/(?:[ \t]*\r?\n){3,}/g, '\n\n')
    .split(/\r?\n/)
    .map((line) => line.replaceAll('\t', '  ').replace(UNSEEN, written).replace(PILE, '$1'))
  const some = lines.slice(0, MOST_LINES)
  const last = lines.length > some.length ? '…' : end
  return last === '' ? some : [...some.slice(0, -1), `${some.at(-1) ?? ''}${last}`]
}

/** What is far too long is not looked at whole, and no character is cut in two. */
function cut(text: string, longest: number): { readonly kept: string; readonly end: '' | '…' } {
  const points = Array.from(text.slice(0, longest * 4))
  const isLong = points.length > longest || text.length > longest * 4
  return isLong
    ? { kept: points.slice(0, longest - 1).join(''), end: '…' }
    : { kept: points.join(''), end: '' }
}

/**
 * Of an id with letters that are not those of English: the same with each of them by its number. An
 * id that only looks like another one is told apart by that. null: there is nothing to tell.
 */
export function inPlainLetters(text: string): string | null {
  const plain = text.replace(/[^\x20-\x7e]/gu, written)
  return plain === text ? null : plain
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
