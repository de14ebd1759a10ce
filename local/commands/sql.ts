import { LocalProblem } from '../problem.ts'
import { runSql, runSqlWhereItFits, type Row, type SqlEndpoint } from '../sql-client.ts'
import { findRunningStack, stateFolder } from '../state.ts'
import { command } from './command.ts'

const USAGE = `usage: npm run -s sql -- "SELECT …" [--decisions]
Rows come as JSON, \`[]\` for a write. Several statements, separated by \`;\`, are all done or none.
Tables of the decision log (decisions, outcomes) are found by themselves; --decisions insists.`

await command(async () => {
  // Read by hand: SQL may well begin with a comment, which `parseArgs` takes for an option.
  const given = process.argv.slice(2).filter((argument) => argument !== '--')
  const options = given.filter((argument) => /^--?[a-z-]+$/i.test(argument))
  const unknown = options.find((option) => option !== '--decisions')
  if (unknown !== undefined) throw new LocalProblem(`unknown option \`${unknown}\`\n${USAGE}`)
  const decisions = options.length > 0
  const [sql, ...others] = given.filter((argument) => !options.includes(argument))
  if (sql === undefined || sql.trim() === '' || others.length > 0) throw new LocalProblem(USAGE)
  const run = (endpoint: SqlEndpoint): Promise<Row[]> =>
    decisions ? runSql(endpoint, 'decisions', sql) : runSqlWhereItFits(endpoint, sql)
  const state = stateFolder(process.env)
  const stack = await findRunningStack(state)
  printRows(await (stack === null ? runStopped(state, run) : run(stack.sql)))
})

/** Loaded only here: beside a running stack a statement should take milliseconds. */
async function runStopped(
  state: string,
  run: (endpoint: SqlEndpoint) => Promise<Row[]>,
): Promise<Row[]> {
  const { withStoppedDatabases } = await import('../stopped-sql.ts')
  return await withStoppedDatabases(state, run)
}

/** One row a line: JSON for programs, and still readable. */
function printRows(rows: readonly Row[]): void {
  const lines = rows.map((row) => JSON.stringify(row))
  console.log(lines.length === 0 ? '[]' : `[\n  ${lines.join(',\n  ')}\n]`)
}
