// Case files: calls and the decision that their author expects, as data.
import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { readJson } from '../../mcp/json.ts'
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import type { Network } from '../../pdp/evaluation.ts'
import { Mistake } from '../mistake.ts'
import type { Call, PastCall } from './call.ts'
import { isBound, readTokenWords, TOKEN_FIELDS, type TokenWords } from './credential.ts'
import { Fields } from './fields.ts'
import { readTold } from './told.ts'

export interface Case {
  readonly name: string
  readonly rationale: string | null
  readonly call: Call
  readonly expect: 'allow' | 'deny' | 'approve'
  /** null: any. */
  readonly reason: string | null
  /** The row that must have decided; null: any. */
  readonly policy: string | null
  /** What rows that only watch must have led to, null if none may have; undefined: whatever. */
  readonly wouldBe: string | null | undefined
  /** What the inputs of the record must contain; null: whatever. */
  readonly record: JsonObject | null
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

const CASE_FIELDS: readonly string[] = [
  'name',
  'rationale',
  'tenant',
  'server',
  'tool',
  'arguments',
  'subject',
  'client',
  'sender_constrained',
  ...TOKEN_FIELDS,
  'agent',
  'signals',
  'task',
  'scopes',
  'network',
  'at',
  'definition',
  'history',
  'result',
  'expect',
  'reason',
  'policy',
  'would_be',
  'record',
]

function readCase(unnamed: string, value: JsonValue): Case {
  const name = new Fields(unnamed, value).text('name')
  const place = `${unnamed} (${name})`
  const one = new Fields(place, value)
  one.only(CASE_FIELDS)
  return {
    name,
    rationale: one.textOrNull('rationale'),
    call: readCall(place, one, readTokenWords(place, one.all())),
    expect: one.oneOf('expect', ['allow', 'deny', 'approve']),
    reason: one.textOrNull('reason'),
    policy: one.textOrNull('policy'),
    wouldBe: one.get('would_be') === undefined ? undefined : one.textOrNull('would_be'),
    record: one.objectOrNull('record'),
  }
}

function readCall(place: string, one: Fields, token: TokenWords): Call {
  const subject = new Fields(`${place}: subject`, one.get('subject'))
  subject.only(['id', 'roles', 'acr', 'logged_in_seconds_ago'])
  return {
    tenant: one.text('tenant'),
    server: one.text('server'),
    tool: one.text('tool'),
    arguments: one.objectOrNull('arguments') ?? EMPTY,
    subject: subject.text('id'),
    roles: subject.has('roles') ? subject.texts('roles') : null,
    acr: subject.textOrNull('acr'),
    loggedInSecondsAgo: subject.numberOrNull('logged_in_seconds_ago'),
    client: one.text('client'),
    senderConstrained: one.flag('sender_constrained') || isBound(token),
    token,
    agent: one.textOrNull('agent'),
    signals: one.has('signals') ? readTold(`${place}: signals`, one.object('signals')) : null,
    task: one.textOrNull('task'),
    scopes: one.has('scopes') ? one.texts('scopes') : null,
    network: readNetwork(place, one.objectOrNull('network') ?? EMPTY),
    at: one.timeOrNull('at'),
    definition: one.has('definition')
      ? one.oneOf('definition', ['pinned', 'changed', 'unseen'])
      : 'pinned',
    history: one.has('history')
      ? one.list('history').map((past) => readPast(`${place}: history`, past))
      : [],
    result: one.objectOrNull('result'),
  }
}

function readNetwork(place: string, value: JsonObject): Network {
  const network = new Fields(`${place}: network`, value)
  network.only(['ip', 'country', 'asn'])
  return {
    ip: network.textOrNull('ip'),
    country: network.textOrNull('country'),
    asn: network.numberOrNull('asn'),
  }
}

function readPast(place: string, value: JsonValue): PastCall {
  const past = new Fields(place, value)
  past.only([
    'tool',
    'server',
    'arguments',
    'seconds_ago',
    'outcome',
    'labels',
    'result_rows',
    'result',
  ])
  return {
    tool: past.text('tool'),
    server: past.textOrNull('server'),
    arguments: past.objectOrNull('arguments') ?? EMPTY,
    secondsAgo: past.numberOrNull('seconds_ago'),
    outcome: past.has('outcome') ? past.oneOf('outcome', OUTCOMES) : 'committed',
    labels: past.has('labels') ? past.texts('labels') : [],
    resultRows: past.numberOrNull('result_rows'),
    result: past.objectOrNull('result'),
  }
}

const OUTCOMES = ['committed', 'pending', 'failed', 'withheld', 'denied'] as const

const EMPTY = Object.create(null) as JsonObject
