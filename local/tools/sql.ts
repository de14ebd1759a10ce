// Local only. A second Worker in the workerd that holds the databases, so that `npm run sql` never
// opens the files beside it. No deployable configuration names it; it listens on loopback.

interface Env {
  readonly DB: D1Database
  readonly DECISIONS: D1Database
  readonly SQL_KEY: string
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    // A web page can send requests to a loopback port, but it can neither know this key nor send
    // the header without a preflight, which is never granted.
    if (request.headers.get('x-local-sql-key') !== env.SQL_KEY) {
      return Response.json({ error: 'the key of this stack is missing' }, { status: 403 })
    }
    if (request.method !== 'POST' || new URL(request.url).pathname !== '/sql') {
      return Response.json({ error: 'only `POST /sql` is answered' }, { status: 404 })
    }
    const question: unknown = await request.json().catch(() => null)
    if (!isQuestion(question)) {
      return Response.json({ error: 'expected {"database", "sql"}' }, { status: 400 })
    }
    return await run(question.database === 'policy' ? env.DB : env.DECISIONS, question.sql)
  },
} satisfies ExportedHandler<Env>

interface Question {
  readonly database: 'policy' | 'decisions'
  readonly sql: string
}

function isQuestion(value: unknown): value is Question {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sql' in value &&
    typeof value.sql === 'string' &&
    'database' in value &&
    (value.database === 'policy' || value.database === 'decisions')
  )
}

async function run(database: D1Database, sql: string): Promise<Response> {
  try {
    // A batch is a transaction. Local D1 lets one prepared text hold many statements, bodies of
    // triggers included, and answers the rows of the last, so SQLite itself does the splitting.
    const [answer] = await database.batch([database.prepare(withoutLastComments(sql))])
    return Response.json({ results: answer?.results ?? [], meta: answer?.meta ?? {} })
  } catch (error) {
    return Response.json({ error: readable(error) }, { status: 400 })
  }
}

/** What follows the last `;` and is comment only would be taken for a statement, and refused. */
function withoutLastComments(sql: string): string {
  const end = sql.lastIndexOf(';') + 1
  const rest = sql.slice(end)
  return end > 0 && /^(?:\s|--[^\n]*)*$/.test(rest) ? sql.slice(0, end) : sql
}

/** `D1_ERROR: no such table: x: SQLITE_ERROR` is SQLite's sentence in two wrappers. */
function readable(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^D1_\w+: /, '').replace(/: SQLITE_\w+(?: \(extended: \w+\))?$/, '')
}
