// Case files: calls and the decision that their author expects, as data.
import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { readJson } from '../../mcp/json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { Mistake } from '../mistake.ts'
import type { Call } from './decide.ts'
import type { PastCall } from './history.ts'

export interface Case {
  readonly name: string
  readonly rationale: string | null
  readonly call: Call
  readonly expect: 'allow' | 'deny'
  /** null: any. */
  readonly reason: string | null
  /** The row that must have decided; null: any. */
  readonly policy: string | null
}

export interface CaseFile {
  readonly file: string
  /** Files and folders of SQL, from where the command runs. */
  readonly policies: readonly string[]
  readonly cases: readonly Case[]
}

export function readCaseFile(path: string): CaseFile {
  const file = relative('.', path)
  const json = readJson(readFileSync(path, 'utf8'))
  if (!json.ok) throw new Mistake(`${file}: not JSON: ${json.error.detail}`)
  const root = new Fields(file, json.value)
  return {
    file,
    policies: root.texts('policies').map((policy) => resolve(dirname(path), policy)),
    cases: root.list('cases').map((value, at) => readCase(`${file}: case ${at + 1}`, value)),
  }
}

function readCase(place: string, value: JsonValue): Case {
  const fields = new Fields(place, value)
  const name = fields.text('name')
  const one = new Fields(`${place} (${name})`, value)
  one.only(CASE_FIELDS)
  const subject = new Fields(`${place} (${name}): subject`, one.get('subject'))
  subject.only(['id', 'roles'])
  const expect = one.text('expect')
  if (expect !== 'allow' && expect !== 'deny') {
    throw new Mistake(`${place} (${name}): \`expect\` must be "allow" or "deny"`)
  }
  return {
    name,
    rationale: one.textOrNull('rationale'),
    call: {
      tenant: one.text('tenant'),
      server: one.text('server'),
      tool: one.text('tool'),
      arguments: one.has('arguments') ? one.object('arguments') : EMPTY,
      subject: subject.text('id'),
      roles: subject.has('roles') ? subject.texts('roles') : null,
      client: one.text('client'),
      agent: one.textOrNull('agent'),
      scopes: one.has('scopes') ? one.texts('scopes') : null,
      history: one.has('history')
        ? one.list('history').map((past) => readPast(`${place} (${name}): history`, past))
        : [],
    },
    expect,
    reason: one.textOrNull('reason'),
    policy: one.textOrNull('policy'),
  }
}

/** A slip in an optional field would leave the case passing for no reason. */
const CASE_FIELDS = [
  'name',
  'rationale',
  'tenant',
  'server',
  'tool',
  'arguments',
  'subject',
  'client',
  'agent',
  'scopes',
  'history',
  'expect',
  'reason',
  'policy',
]

function readPast(place: string, value: JsonValue): PastCall {
  const past = new Fields(place, value)
  past.only(['tool', 'server', 'arguments', 'seconds_ago'])
  return {
    tool: past.text('tool'),
    server: past.textOrNull('server'),
    secondsAgo: past.numberOrNull('seconds_ago'),
  }
}

const EMPTY = Object.create(null) as JsonObject

/** A JSON object whose members are read by type, with the place in every complaint. */
class Fields {
  readonly #place: string
  readonly #object: JsonObject

  constructor(place: string, value: JsonValue | undefined) {
    if (!isJsonObject(value)) throw new Mistake(`${place}: must be an object`)
    this.#place = place
    this.#object = value
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined && this.#object[name] !== null
  }

  get(name: string): JsonValue | undefined {
    return this.#object[name]
  }

  only(names: readonly string[]): void {
    const other = Object.keys(this.#object).find((name) => !names.includes(name))
    if (other !== undefined) throw new Mistake(`${this.#place}: no field is named \`${other}\``)
  }

  text(name: string): string {
    const value = this.#object[name]
    return typeof value === 'string' && value !== '' ? value : this.#wrong(name, 'a text')
  }

  textOrNull(name: string): string | null {
    return this.has(name) ? this.text(name) : null
  }

  numberOrNull(name: string): number | null {
    if (!this.has(name)) return null
    const value = this.#object[name]
    return typeof value === 'number' ? value : this.#wrong(name, 'a number')
  }

  object(name: string): JsonObject {
    const value = this.#object[name]
    return isJsonObject(value) ? value : this.#wrong(name, 'an object')
  }

  list(name: string): readonly JsonValue[] {
    const value = this.#object[name]
    return Array.isArray(value) ? (value as readonly JsonValue[]) : this.#wrong(name, 'a list')
  }

  texts(name: string): string[] {
    return this.list(name).map((value) =>
      typeof value === 'string' ? value : this.#wrong(name, 'a list of texts'),
    )
  }

  #wrong(name: string, wanted: string): never {
    throw new Mistake(`${this.#place}: \`${name}\` must be ${wanted}`)
  }
}
