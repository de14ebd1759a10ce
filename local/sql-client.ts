import { LocalProblem, messageOf } from './problem.ts'

export type Database = 'policy' | 'decisions'
export type Row = Readonly<Record<string, string | number | null>>

/** The local tool worker, and the key that a web page in some browser cannot know. */
export interface SqlEndpoint {
  readonly url: string
  readonly key: string
}

export const SQL_KEY_HEADER = 'x-local-sql-key'

export class SqlProblem extends LocalProblem {}

/** Runs one or several statements, all or none, and answers the rows of the last one. */
export async function runSql(
  endpoint: SqlEndpoint,
  database: Database,
  sql: string,
): Promise<Row[]> {
  const response = await fetch(new URL('/sql', endpoint.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', [SQL_KEY_HEADER]: endpoint.key },
    body: JSON.stringify({ database, sql }),
  }).catch((error: unknown) => {
    throw new LocalProblem(
      `the local database does not answer at ${endpoint.url} (${messageOf(error)}): ` +
        'is the stack still running? Start it again with `npm start -- --keep`',
    )
  })
  const answer = (await response.json()) as { results?: Row[]; error?: string }
  if (answer.results === undefined) throw new SqlProblem(answer.error ?? `HTTP ${response.status}`)
  return answer.results
}

/**
 * The decision log is a database of its own. A statement that the policy database cannot run for
 * want of a table is tried there; being all or none, it has changed nothing until then.
 */
export async function runSqlWhereItFits(endpoint: SqlEndpoint, sql: string): Promise<Row[]> {
  try {
    return await runSql(endpoint, 'policy', sql)
  } catch (error) {
    if (!lacksTable(error)) throw error
    return await runSql(endpoint, 'decisions', sql).catch((second: unknown) => {
      throw lacksTable(second) ? error : second
    })
  }
}

const lacksTable = (error: unknown): boolean =>
  error instanceof SqlProblem && error.message.includes('no such table')

/** As an SQL literal. The tool worker takes whole statements, so values are written into them. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
