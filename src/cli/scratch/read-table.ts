// The typed mirror of the schema, read over Node's own SQLite.
import type { DatabaseSync } from 'node:sqlite'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

/** One tenant's rows of a table, each column as the mirror types it. */
export function readTable<Table extends SQLiteTable>(
  database: DatabaseSync,
  table: Table,
  tenant: string,
): Table['$inferSelect'][] {
  const columns = Object.entries(getTableColumns(table))
  const named = columns.map(([property, { name }]) => `"${name}" AS "${property}"`)
  const owner = columns.some(([, { name }]) => name === 'tenant') ? 'tenant' : 'id'
  const rows = database
    .prepare(`SELECT ${named.join(', ')} FROM main."${getTableName(table)}" WHERE "${owner}" = ?`)
    .all(tenant)
  return rows.map((row) => {
    const values = columns.map(([property, column]) => {
      const stored = row[property]
      return [property, stored === null ? null : column.mapFromDriverValue(stored)] as const
    })
    return Object.fromEntries(values) as Table['$inferSelect']
  })
}
