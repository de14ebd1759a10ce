// SQL text cut into statements, as SQLite itself would: strings, comments and trigger bodies may
// hold semicolons that end nothing.

export interface Token {
  readonly kind: 'word' | 'string' | 'symbol'
  /** As written; a string with its quotes. */
  readonly text: string
  readonly at: number
}

export interface Statement {
  readonly text: string
  /** Offsets into the file. */
  readonly from: number
  readonly tokens: readonly Token[]
}

export interface Position {
  readonly line: number
  readonly column: number
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)|[A-Za-z_][\w$]*|\S/g

export function splitStatements(file: string): Statement[] {
  const statements: Statement[] = []
  let tokens: Token[] = []
  const close = (end: number): void => {
    const [first] = tokens
    if (first !== undefined) {
      statements.push({ text: file.slice(first.at, end), from: first.at, tokens })
    }
    tokens = []
  }
  for (const { 0: text, index } of file.matchAll(TOKEN)) {
    if (text.startsWith('--') || text.startsWith('/*')) continue
    if (text === ';' && !insideTriggerBody(tokens)) close(index)
    else tokens.push({ kind: kindOf(text), text, at: index })
  }
  close(file.length)
  return statements
}

function kindOf(text: string): Token['kind'] {
  if (text.startsWith("'")) return 'string'
  return /^[A-Za-z_"`[]/.test(text) && text !== '[' ? 'word' : 'symbol'
}

/** `CREATE TRIGGER … BEGIN …; END`: open until as many `END` as `BEGIN` and `CASE` were seen. */
function insideTriggerBody(tokens: readonly Token[]): boolean {
  const [first, second, third] = tokens.map(({ text }) => text.toUpperCase())
  const temporary = second === 'TEMP' || second === 'TEMPORARY'
  if (first !== 'CREATE' || (temporary ? third : second) !== 'TRIGGER') return false
  let open = 0
  let begun = false
  for (const { kind, text } of tokens) {
    if (kind !== 'word') continue
    const word = text.toUpperCase()
    if (word === 'BEGIN') begun = true
    if (word === 'BEGIN' || word === 'CASE') open += 1
    if (word === 'END') open -= 1
  }
  return begun && open > 0
}

export function positionOf(file: string, at: number): Position {
  const starts = lineStarts(file)
  const line = starts.findLastIndex((start) => start <= at)
  return { line: line + 1, column: at - (starts[line] ?? 0) + 1 }
}

/** Of the file that was asked about last: a large one may have a problem in each line. */
let lastFile = { text: '', starts: [0] }

function lineStarts(text: string): readonly number[] {
  if (lastFile.text !== text) {
    lastFile = { text, starts: [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)] }
  }
  return lastFile.starts
}

/** What a string literal says: its quotes gone, doubled ones single. */
export const literalValue = (token: Token): string =>
  token.text.replace(/^'|'$/g, '').replaceAll("''", "'")

/**
 * Where in the file the character `offset` of a literal's value stands: each quote within was
 * written twice.
 */
export function offsetInLiteral(token: Token, offset: number): number {
  const before = literalValue(token).slice(0, offset)
  return token.at + 1 + before.length + (before.split("'").length - 1)
}

/** The parenthesised groups of the outermost level: the rows of `VALUES (…), (…)`, among others. */
export function outermostGroups(statement: Statement): Token[][] {
  const groups: Token[][] = []
  let depth = 0
  for (const token of statement.tokens) {
    if (token.kind === 'symbol' && token.text === ')') depth -= 1
    if (depth > 0) groups.at(-1)?.push(token)
    if (token.kind === 'symbol' && token.text === '(') {
      depth += 1
      if (depth === 1) groups.push([token])
    }
  }
  return groups
}

/** The table that a statement speaks of, for a message; '' where that is not plain. */
export function tableOf({ tokens }: Statement): string {
  const at = tokens.findIndex(({ text }) => /^(?:into|from|update|table)$/i.test(text))
  const next = tokens
    .slice(at + 1)
    .find(({ text }) => !/^(?:or|replace|ignore|if|not|exists)$/i.test(text))
  return at < 0 || next?.kind !== 'word' ? '' : next.text.replaceAll(/["`[\]]/g, '')
}
