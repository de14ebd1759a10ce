// Pure. Texts of a server inside SQL. Whatever they hold, a literal stays one value, a comment stays
// one line, and nothing that a reader cannot see is left in either.

/**
 * Controls, bidirectional and zero-width characters, lone surrogates, line separators, and all else
 * that leaves no mark (UAX #44). Not the selector that makes an emoji of a sign.
 */
const HIDDEN = /\p{C}|(?!\ufe0f)\p{Default_Ignorable_Code_Point}|[\u2028\u2029]/u
const HIDDEN_RUNS = new RegExp(`(${HIDDEN.source})`, 'u')

/** D1 bounds how many arguments a function has. */
const MOST_CODE_POINTS = 20

/**
 * An expression whose value is exactly the text. What is hidden is written as `char(8238)`. A NUL
 * would end the statement, and `{{` is a place that the seeds fill in.
 */
export function sqlText(text: string): string {
  const parts: string[] = []
  let codes: number[] = []
  const closeCodes = (): void => {
    if (codes.length > 0) parts.push(`char(${codes.join(', ')})`)
    codes = []
  }
  for (const piece of text.toWellFormed().split(HIDDEN_RUNS)) {
    if (piece === '') continue
    if (HIDDEN.test(piece)) {
      codes.push(piece.codePointAt(0) ?? 0)
      if (codes.length === MOST_CODE_POINTS) closeCodes()
    } else {
      closeCodes()
      for (const part of piece.split(/(?<=\{)(?=\{)/)) parts.push(literal(part))
    }
  }
  closeCodes()
  return parts.length === 0 ? "''" : joined(parts)
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** In halves: D1 bounds how deep an expression is, and a chain of `||` is as deep as it is long. */
function joined(parts: readonly string[]): string {
  if (parts.length <= 4) return parts.join(' || ')
  const middle = parts.length >> 1
  return `(${joined(parts.slice(0, middle))}) || (${joined(parts.slice(middle))})`
}

/** One line of a comment. A line break in the text would begin a statement. */
export function sqlComment(text: string, longest = 300): string {
  const shown = text.slice(0, longest)
  return `${visible(shown)}${shown.length < text.length ? ' …' : ''}`
}

const visible = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .split(HIDDEN_RUNS)
    .map((piece) => (HIDDEN.test(piece) ? escapeOf(piece) : piece))
    .join('')
    .replaceAll(/\{(?=\{)/g, '{ ')
    .trim()

const escapeOf = (character: string): string =>
  `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/** How many characters of the text a reader would not see; blanks and line ends are no secret. */
export const hiddenIn = (text: string): number =>
  text.split(HIDDEN_RUNS).filter((piece) => HIDDEN.test(piece) && !/[\t\n\r]/.test(piece)).length
