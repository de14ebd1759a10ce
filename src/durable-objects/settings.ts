/** A few named values of a session, as JSON. Written only inside a step's transaction. */
export class Settings {
  readonly #sql: SqlStorage
  readonly #held = new Map<string, unknown>()

  constructor(sql: SqlStorage) {
    this.#sql = sql
    this.reload()
  }

  get<Value>(name: string): Value | undefined {
    return this.#held.get(name) as Value | undefined
  }

  set(name: string, value: unknown): void {
    this.#sql.exec(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      name,
      JSON.stringify(value),
    )
    this.#held.set(name, value)
  }

  /** After a step that was not stored. */
  reload(): void {
    this.#held.clear()
    for (const { name, value } of this.#sql.exec<{ name: string; value: string }>(
      'SELECT name, value FROM settings',
    )) {
      this.#held.set(name, JSON.parse(value))
    }
  }
}
