// What files of the Worker name of its platform, as far as the commands import them: the platform's
// own types clash with those of Node.

interface D1PreparedStatement {
  bind(...values: unknown[]): D1PreparedStatement
  first<Row = unknown>(): Promise<Row | null>
  all<Row = unknown>(): Promise<{ results: Row[] }>
}

interface D1Database {
  prepare(sql: string): D1PreparedStatement
  batch<Row = unknown>(statements: D1PreparedStatement[]): Promise<{ results: Row[] }[]>
}

interface SqlStorage {
  exec<Row = unknown>(
    sql: string,
    ...values: unknown[]
  ): Iterable<Row> & { one(): Row; toArray(): Row[]; readonly rowsWritten: number }
}

interface DurableObjectStorage {
  readonly sql: SqlStorage
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
}
