import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { Mistake } from '../mistake.ts'

/** A JSON object whose members are read by type, with the place in every complaint. */
export class Fields {
  readonly #place: string
  readonly #object: JsonObject

  constructor(place: string, value: JsonValue | undefined) {
    if (!isJsonObject(value)) throw new Mistake(`${place}: must be an object`)
    this.#place = place
    this.#object = value
  }

  /** It is there, and says something. */
  has(name: string): boolean {
    return this.#object[name] !== undefined && this.#object[name] !== null
  }

  all(): JsonObject {
    return this.#object
  }

  get(name: string): JsonValue | undefined {
    return this.#object[name]
  }

  /** A slip in an optional field would leave a case passing for no reason. */
  only(names: readonly string[]): void {
    const other = Object.keys(this.#object).find((name) => !names.includes(name))
    if (other !== undefined) throw new Mistake(`${this.#place}: no field is named \`${other}\``)
  }

  text(name: string): string {
    const value = this.#object[name]
    return typeof value === 'string' && value !== '' ? value : this.wrong(name, 'a text')
  }

  textOrNull(name: string): string | null {
    return this.has(name) ? this.text(name) : null
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const word = words.find((one) => one === this.#object[name])
    return word ?? this.wrong(name, words.map((one) => `"${one}"`).join(' or '))
  }

  numberOrNull(name: string): number | null {
    if (!this.has(name)) return null
    const value = this.#object[name]
    return typeof value === 'number' ? value : this.wrong(name, 'a number')
  }

  flag(name: string): boolean {
    const value = this.#object[name] ?? false
    return typeof value === 'boolean' ? value : this.wrong(name, 'true or false')
  }

  /** Epoch milliseconds. */
  timeOrNull(name: string): number | null {
    const text = this.textOrNull(name)
    return text === null ? null : (readTime(text) ?? this.wrong(name, TIME_WANTED))
  }

  object(name: string): JsonObject {
    const value = this.#object[name]
    return isJsonObject(value) ? value : this.wrong(name, 'an object')
  }

  objectOrNull(name: string): JsonObject | null {
    return this.has(name) ? this.object(name) : null
  }

  list(name: string): readonly JsonValue[] {
    const value = this.#object[name]
    return Array.isArray(value) ? (value as readonly JsonValue[]) : this.wrong(name, 'a list')
  }

  texts(name: string): string[] {
    return this.list(name).map((value) =>
      typeof value === 'string' ? value : this.wrong(name, 'a list of texts'),
    )
  }

  wrong(name: string, wanted: string): never {
    throw new Mistake(`${this.#place}: \`${name}\` must be ${wanted}`)
  }
}

export const TIME_WANTED = 'a time such as "2026-11-02T09:30:00Z"'

/** A time with its zone, so that it means the same on every machine. */
export function readTime(text: string): number | null {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN
  return Number.isNaN(time) ? null : time
}
