// Pure. URI templates (RFC 6570), as servers list them: which URIs one of them stands for, and whether
// a pattern of a row has any of those.
import type { JsonObject } from './value.ts'
import { isExpandedUri, isPlainUri } from './uri.ts'

/** Longer ones are looked at as text only. */
const MAX_LENGTH = 512

const EXPRESSION = /\{[^{}]*\}/g
const SIMPLE = /^\{[A-Za-z0-9_]+\}$/
const KNOWN = /^\{[+#./;?&]?[A-Za-z0-9_.,*:%]+\}$/

export const isTemplate = (text: string): boolean => /\{[^{}]*\}/.test(text)

/** A template in which each expression could stand for one plain text. */
export const isPlainTemplate = (text: string): boolean =>
  isTemplate(text) &&
  (text.match(EXPRESSION) ?? []).every((one) => KNOWN.test(one)) &&
  isPlainUri(text.replaceAll(EXPRESSION, (one) => (SIMPLE.test(one) ? 'x' : '')))

/**
 * Whether a URI is one that the template makes. Simple expressions only: they yield no separators
 * (RFC 6570 §3.2.2), so each stays within its segment.
 *
 * INVARIANT: what an expression stands for is never empty and never ends its segment.
 */
export function templateMatches(template: string, uri: string): boolean {
  const expressions = template.match(EXPRESSION) ?? []
  if (!expressions.every((one) => SIMPLE.test(one)) || !isExpandedUri(uri)) return false
  const wanted = template.split('/')
  const given = uri.split('/')
  return (
    wanted.length === given.length &&
    wanted.every((segment, at) => segmentMatches(segment, given[at] ?? ''))
  )
}

function segmentMatches(wanted: string, given: string): boolean {
  const pieces = wanted.split(EXPRESSION)
  const [first = '', ...rest] = pieces
  if (rest.length === 0) return wanted === given
  if (!given.startsWith(first) || reserved(given) !== reserved(pieces.join(''))) return false
  const last = rest.pop() ?? ''
  let from = first.length
  for (const piece of rest) {
    const found = given.indexOf(piece, from + 1)
    if (found < 0) return false
    from = found + piece.length
  }
  return given.length - last.length > from && given.endsWith(last)
}

/** Everything that only the template itself may bring. */
const reserved = (text: string): string => text.replaceAll(/[A-Za-z0-9\-._~%]/g, '')

/**
 * A template with some of its values, everything reserved encoded (RFC 6570 §3.2.2). Expressions whose
 * values are not known, or not one text each, stay.
 */
export const expanded = (template: string, values: JsonObject): string =>
  template.replaceAll(EXPRESSION, (expression) => {
    const name = expression.slice(1, -1)
    const value = SIMPLE.test(expression) && Object.hasOwn(values, name) ? values[name] : ''
    return typeof value === 'string' && value !== '' ? encoded(value) : expression
  })

const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )

type Token = { readonly is: 'text'; readonly text: string } | { readonly is: 'any' | 'star' }

const STAR: Token = { is: 'star' }
const ANY: Token = { is: 'any' }

const tokensOf = (text: string): Token[] => text.split('').map((one) => ({ is: 'text', text: one }))

function tokensOfTemplate(template: string): Token[] {
  const tokens: Token[] = []
  let from = 0
  for (const { 0: expression, index } of template.matchAll(EXPRESSION)) {
    tokens.push(...tokensOf(template.slice(from, index)))
    tokens.push(...(SIMPLE.test(expression) ? [ANY, STAR] : [STAR]))
    from = index + expression.length
  }
  return [...tokens, ...tokensOf(template.slice(from))]
}

const tokensOfPattern = (pattern: string): Token[] =>
  pattern
    .split('*')
    .flatMap((piece, at) => (at === 0 ? tokensOf(piece) : [STAR, ...tokensOf(piece)]))

/** A text that both the template and a pattern with `*` fit; null: there is none, or it is too long. */
export function commonText(template: string, pattern: string): string | null {
  if (template.length > MAX_LENGTH || pattern.length > MAX_LENGTH) return null
  const one = tokensOfTemplate(template)
  const other = tokensOfPattern(pattern)
  const width = other.length + 1
  // Where it was found that the rests have nothing in common.
  const dead = new Set<number>()
  const path: string[] = []
  const walk = (at: number, by: number): boolean => {
    const a = one[at]
    const b = other[by]
    if (a === undefined && b === undefined) return true
    const key = at * width + by
    if (dead.has(key)) return false
    if (a?.is === 'star' && walk(at + 1, by)) return true
    if (b?.is === 'star' && walk(at, by + 1)) return true
    if (a !== undefined && b !== undefined && !(a.is === 'star' && b.is === 'star')) {
      const letter = a.is === 'text' ? a.text : b.is === 'text' ? b.text : 'x'
      const fits = a.is !== 'text' || b.is !== 'text' || a.text === b.text
      path.push(letter)
      if (fits && walk(a.is === 'star' ? at : at + 1, b.is === 'star' ? by : by + 1)) return true
      path.pop()
    }
    dead.add(key)
    return false
  }
  return walk(0, 0) ? path.join('') : null
}
