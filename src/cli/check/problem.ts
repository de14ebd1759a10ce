// A problem as it is printed, and how a check says where it is.
import {
  literalValue,
  offsetInLiteral,
  outermostGroups,
  positionOf,
  type Position,
  type Statement,
  type Token,
} from '../scratch/statements.ts'
import type { Origin, Scratch } from '../scratch/scratch.ts'
import { TRACKED, type TrackedTable } from '../scratch/tracked.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'

/** A contract: others read these fields. A code that begins with `warn_` does not fail the check. */
export interface Problem {
  readonly code: string
  readonly file: string
  readonly table: string
  readonly row: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** What a check found in a row. */
export interface Finding {
  readonly code: string
  readonly table: TrackedTable
  readonly key: readonly string[]
  readonly message: string
  /** A character of a text in that row: where in the file it stands is where the problem is. */
  readonly within?: { readonly text: string; readonly offset: number }
}

export interface CheckInput {
  readonly scratch: Scratch
  readonly tenants: readonly TenantRows[]
}

/** One check: what it looks at and what it finds. CHECKS (checks.ts) lists them all. */
export type RowCheck = (rows: TenantRows, input: CheckInput) => Finding[]

export const isWarning = ({ code }: Pick<Problem, 'code'>): boolean => code.startsWith('warn_')

export function toProblem(finding: Finding, scratch: Scratch): Problem {
  const { code, table, key, message } = finding
  const origin = scratch.originOf(table, key)
  const position = origin === null ? { line: 1, column: 1 } : positionIn(origin, finding)
  // The tenant is part of every key but a server's, and `tenant/id` is how people name a row.
  return { code, file: origin?.source.name ?? '', table, row: key.join('/'), ...position, message }
}

function positionIn({ source, statement }: Origin, { table, key, within }: Finding): Position {
  const row = rowTokens(groupsOf(statement), key, TRACKED[table].length)
  if (within !== undefined) {
    const isText = (token: Token): boolean =>
      token.kind === 'string' && literalValue(token) === within.text
    const literal = row?.find(isText) ?? statement.tokens.find(isText)
    if (literal !== undefined) {
      return positionOf(source.text, offsetInLiteral(literal, within.offset))
    }
  }
  return positionOf(source.text, row?.[0]?.at ?? statement.from)
}

interface Group {
  readonly tokens: readonly Token[]
  readonly words: ReadonlySet<string>
}

/** One statement may hold thousands of rows, each with a problem. */
const known = new WeakMap<Statement, readonly Group[]>()

function groupsOf(statement: Statement): readonly Group[] {
  const groups =
    known.get(statement) ??
    outermostGroups(statement).map((tokens) => ({
      tokens,
      words: new Set(tokens.filter(({ kind }) => kind === 'string').map(literalValue)),
    }))
  known.set(statement, groups)
  return groups
}

/** Of `VALUES (…), (…)` the group that names the row; undefined where a SELECT made it. */
function rowTokens(
  groups: readonly Group[],
  key: readonly string[],
  length: number,
): readonly Token[] | undefined {
  const named = key.slice(0, length)
  const row =
    groups.find(({ words }) => named.every((word) => words.has(word))) ??
    groups.find(({ words }) => words.has(key.at(-1) ?? ''))
  return row?.tokens
}
