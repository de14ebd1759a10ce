// A database of its own in memory: every migration of Sallyport, then the author's files, one
// statement at a time, remembering which statement wrote which row.
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../mistake.ts'
import { migrationSources, type Source } from './sources.ts'
import { splitStatements, type Statement } from './statements.ts'
import { rowName, TRACKED_TABLES, trackingTriggers, type TrackedTable } from './tracked.ts'

/** A statement in its file; `order` grows through all files. */
export interface Origin {
  readonly source: Source
  readonly statement: Statement
  readonly order: number
}

export interface Refusal {
  readonly origin: Origin
  readonly message: string
}

export interface TriggerRow {
  readonly name: string
  readonly table: string
  readonly sql: string
}

/** A trigger that was there after `migrations/` and is gone or changed, or one that is new. */
export interface TriggerChange {
  readonly trigger: TriggerRow
  readonly change: 'gone' | 'changed' | 'new'
  readonly origin: Origin
}

/** A table that `migrations/` does not have. */
export interface NewTable {
  readonly name: string
  readonly columns: readonly string[]
  /** The statement after which it was first there. */
  readonly origin: Origin
}

export interface Scratch {
  readonly database: DatabaseSync
  readonly refusals: readonly Refusal[]
  readonly newTables: readonly NewTable[]
  readonly triggerChanges: readonly TriggerChange[]
  /** The statement that wrote the row last; null for rows of `migrations/` and of rebuilt tables. */
  originOf(table: TrackedTable, key: readonly string[]): Origin | null
}

export function buildScratch(sources: readonly Source[]): Scratch {
  const database = new DatabaseSync(':memory:')
  for (const { text } of migrationSources()) database.exec(text)
  database.exec('CREATE TEMP TABLE touched (name TEXT, key TEXT)')
  const before = triggersOf(database)
  const tablesBefore = tablesOf(database)
  const tableOrigins = new Map<string, Origin>()
  const origins = new Map<string, Origin>()
  const refusals: Refusal[] = []
  const changes = new Map<string, TriggerChange>()
  let order = 0
  track(database)
  for (const source of sources) {
    // As D1 applies a migration: one file is one transaction.
    database.exec('BEGIN')
    let last: Origin | null = null
    for (const statement of splitStatements(source.text)) {
      const origin: Origin = { source, statement, order: (order += 1) }
      last = origin
      const message = FORBIDDEN.test(statement.text)
        ? 'a migration is one transaction on one database'
        : attempt(database, statement.text)
      if (message !== null) refusals.push({ origin, message })
      for (const name of takeTouched(database)) origins.set(name, origin)
      if (/^(?:create|drop|alter)\b/i.test(statement.text)) {
        noteTriggers(changes, before, triggersOf(database), origin)
        for (const name of tablesOf(database)) {
          if (!tablesBefore.has(name) && !tableOrigins.has(name)) tableOrigins.set(name, origin)
        }
        track(database)
      }
    }
    const message = database.isTransaction ? attempt(database, 'COMMIT') : null
    if (message !== null && last !== null) {
      database.exec('ROLLBACK')
      refusals.push({ origin: last, message: `${message} at the end of the file` })
    }
  }
  return {
    database,
    refusals,
    newTables: [...tablesOf(database)].flatMap((name): NewTable[] => {
      const origin = tableOrigins.get(name)
      return origin === undefined ? [] : [{ name, columns: columnsOf(database, name), origin }]
    }),
    triggerChanges: [...changes.values()],
    originOf: (table, key) => origins.get(rowName(table, key)) ?? null,
  }
}

/** D1 refuses these as well; here they would reach files of the author's machine. */
const FORBIDDEN = /^(?:begin|commit|end|rollback|savepoint|release|attach|detach|vacuum)\b/i

function attempt(database: DatabaseSync, sql: string): string | null {
  try {
    database.exec(sql)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** Again after each change of the schema: a table that was dropped took its tracking along. */
function track(database: DatabaseSync): void {
  const tables = tablesOf(database)
  for (const table of TRACKED_TABLES) {
    // A column of the key that is gone is noticed when the rows are read.
    if (tables.has(table)) attempt(database, trackingTriggers(table))
  }
}

const tablesOf = (database: DatabaseSync): ReadonlySet<string> =>
  new Set(
    database
      .prepare(
        `SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'`,
      )
      .all()
      .map((row) => String(row['name'])),
  )

const columnsOf = (database: DatabaseSync, table: string): string[] =>
  database
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map((row) => String(row['name']))

function takeTouched(database: DatabaseSync): string[] {
  const rows = database.prepare('SELECT DISTINCT name, key FROM temp.touched').all()
  database.exec('DELETE FROM temp.touched')
  return rows.map(({ name, key }) =>
    rowName(name as TrackedTable, JSON.parse(key as string) as string[]),
  )
}

const triggersOf = (database: DatabaseSync): Map<string, TriggerRow> =>
  new Map(
    database
      .prepare(
        `SELECT name, tbl_name AS "table", sql FROM main.sqlite_master WHERE type = 'trigger'`,
      )
      .all()
      .map((row) => [String(row['name']), row as unknown as TriggerRow]),
  )

/** Kept with the statement after which it was first seen, and forgotten when it is put right. */
function noteTriggers(
  changes: Map<string, TriggerChange>,
  before: ReadonlyMap<string, TriggerRow>,
  now: ReadonlyMap<string, TriggerRow>,
  origin: Origin,
): void {
  const note = (trigger: TriggerRow, change: TriggerChange['change'] | null): void => {
    if (change === null) changes.delete(trigger.name)
    else if (changes.get(trigger.name)?.change !== change) {
      changes.set(trigger.name, { trigger, change, origin })
    }
  }
  for (const trigger of before.values()) {
    const current = now.get(trigger.name)
    if (current === undefined) note(trigger, 'gone')
    else note(trigger, squeeze(current.sql) === squeeze(trigger.sql) ? null : 'changed')
  }
  for (const name of changes.keys()) if (!before.has(name) && !now.has(name)) changes.delete(name)
  for (const trigger of now.values()) if (!before.has(trigger.name)) note(trigger, 'new')
}

/** A rename puts quotes around a name, and nobody copies blanks exactly. */
const squeeze = (sql: string): string => sql.replaceAll(/[\s"`[\];]+/g, '').toLowerCase()
