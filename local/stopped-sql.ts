import { access } from 'node:fs/promises'
import { LocalProblem } from './problem.ts'
import type { SqlEndpoint } from './sql-client.ts'
import { newSqlEndpoint } from './stack.ts'
import { claimState, databasesFolder } from './state.ts'
import { sqlToolPart } from './workers.ts'

/** For `npm run sql` while nothing runs: opens the databases itself, and holds them meanwhile. */
export async function withStoppedDatabases<T>(
  state: string,
  use: (endpoint: SqlEndpoint) => Promise<T>,
): Promise<T> {
  await access(databasesFolder(state)).catch(() => {
    throw new LocalProblem(`no databases in \`${state}\` yet: \`npm start\` makes and seeds them`)
  })
  const claim = await claimState(state)
  try {
    const endpoint = await newSqlEndpoint()
    const sqlPort = Number(new URL(endpoint.url).port)
    const tool = await sqlToolPart({ state, sqlPort, sqlKey: endpoint.key })
    try {
      return await use(endpoint)
    } finally {
      await tool.stop()
    }
  } finally {
    await claim.release()
  }
}
