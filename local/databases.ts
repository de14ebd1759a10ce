import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalProblem } from './problem.ts'
import { quote, runSql, type Database, type SqlEndpoint } from './sql-client.ts'
import { PROJECT } from './state.ts'

const MIGRATIONS: Readonly<Record<Database, string>> = {
  policy: 'migrations',
  decisions: 'migrations/decisions',
}

/** Wrangler's own bookkeeping, so that `wrangler d1 migrations apply --local` agrees with ours. */
const CREATE_BOOKKEEPING = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Each file with its bookkeeping row in one transaction, as wrangler does. */
export async function applyMigrations(endpoint: SqlEndpoint, database: Database): Promise<void> {
  await runSql(endpoint, database, CREATE_BOOKKEEPING)
  const rows = await runSql(endpoint, database, 'SELECT name FROM d1_migrations')
  const applied = new Set(rows.map((row) => row['name']))
  for (const { name, sql } of await sqlFiles(MIGRATIONS[database])) {
    if (applied.has(name)) continue
    const book = `INSERT INTO d1_migrations (name) VALUES (${quote(name)})`
    await runSql(endpoint, database, `${sql}\n${book}`).catch((error: unknown) => {
      throw new LocalProblem(`migration \`${MIGRATIONS[database]}/${name}\`: ${String(error)}`)
    })
  }
}

/** What the placeholders of `local/seed/*.sql` stand for: ports differ from stack to stack. */
export interface SeedPlaces {
  readonly issuer: string
  readonly server: string
}

export async function seed(endpoint: SqlEndpoint, places: SeedPlaces): Promise<void> {
  for (const { name, sql } of await sqlFiles('local/seed')) {
    await runSql(endpoint, 'policy', fillIn(sql, places)).catch((error: unknown) => {
      throw new LocalProblem(`seed \`local/seed/${name}\`: ${String(error)}`)
    })
  }
}

function fillIn(sql: string, places: SeedPlaces): string {
  return sql.replaceAll(/\{\{(\w+)\}\}/g, (_, place: string) => {
    if (place === 'issuer' || place === 'server') return loopbackOrigin(places[place])
    throw new LocalProblem(`the seed has no value for \`{{${place}}}\``)
  })
}

/** It goes into SQL text, so it is exactly an origin on this machine and nothing besides. */
function loopbackOrigin(text: string): string {
  if (/^http:\/\/(?:127\.0\.0\.1|localhost):\d{1,5}$/.test(text)) return text
  throw new LocalProblem(`not a loopback origin: \`${text}\``)
}

async function sqlFiles(folder: string): Promise<{ name: string; sql: string }[]> {
  const names = await readdir(join(PROJECT, folder))
  return await Promise.all(
    names
      .filter((name) => name.endsWith('.sql'))
      .toSorted()
      .map(async (name) => ({ name, sql: await readFile(join(PROJECT, folder, name), 'utf8') })),
  )
}
