// What the Worker would read for a question: its own statement, run on the scratch database.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Config } from '../../config.ts'
import type { EvaluationRequest, Facts } from '../../pdp/evaluation.ts'
import type { FieldReading, NamedResource } from '../../pdp/resources.ts'
import { argumentsRead, factKeysOf } from '../../question/fact-keys.ts'
import { factsOf } from '../../question/facts.ts'
import type { Question } from '../../question/question.ts'
import { requestOf } from '../../question/request.ts'
import { compileTenant, type CompiledTenant } from '../../storage/compiled.ts'
import { readFactsRow } from '../../storage/facts-row.ts'
import { factsStatement, type FactKeys, type FreshFacts } from '../../storage/facts.ts'
import type { D1Reader } from '../../storage/freshness.ts'
import { Mistake } from '../mistake.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import type { Call } from './call.ts'

export interface Gathered {
  readonly request: EvaluationRequest
  readonly facts: Facts
  readonly read: FieldReading
  readonly fresh: FreshFacts
}

/** As on a developer's machine: rows of a local stack are decided like any others. */
const CONFIG: Config = {
  publicOrigins: ['http://localhost:8787'],
  hosts: new Set(['localhost:8787']),
  allowedOrigins: new Set(),
  local: true,
  allowLoopback: true,
  unsafe: null,
}

export const compiledRows = ({ tenant, tables }: TenantRows): CompiledTenant =>
  compileTenant(tenant, { revision: 'scratch', tables, moment: NO_HISTORY }, CONFIG)

const NO_HISTORY = { sequence: 0, revision: null, shape: 0 }

/** Facts and question as of one moment; `inResult` is what an answer names besides the arguments. */
export function gather(
  database: DatabaseSync,
  compiled: CompiledTenant,
  question: Question,
  call: Pick<Call, 'roles' | 'definition' | 'task' | 'signals'>,
  now: number,
  inResult: readonly NamedResource[] = [],
): Gathered {
  const server = compiled.servers.get(question.server)
  if (server === undefined) {
    throw new Mistake(`tenant \`${compiled.tenant}\` has no server \`${question.server}\``)
  }
  const inArguments = argumentsRead(question, compiled)
  const read: FieldReading =
    inArguments.kind === 'named'
      ? { kind: 'named', resources: [...inArguments.resources, ...inResult] }
      : inArguments
  const keys = factKeysOf(question, read.kind === 'named' ? read.resources : [], compiled)
  const fresh = withShown(readFresh(database, keys, now), call, (task) =>
    readFresh(database, { ...keys, transaction: task }, now),
  )
  const tool = question.tool === null ? null : server.tools.find(question.tool, question.arguments)
  const facts = factsOf(fresh, server, tool, read, question.actor, compiled.issuers)
  return {
    request: requestOf(question, now),
    facts: {
      ...facts,
      ...rolesOf(call),
      ...signalsOf(call, now),
      sighting: sightingOf(facts, call, now),
    },
    read,
    fresh,
  }
}

/** The statement compares the end of tasks with SQLite's clock, which is the case's clock here. */
function readFresh(database: DatabaseSync, keys: FactKeys, now: number): FreshFacts {
  database.function('unixepoch', () => Math.floor(now / 1000))
  let row: unknown
  const reader = {
    prepare: (sql: string) => ({
      bind: (...values: SQLInputValue[]) => {
        row = database.prepare(sql).get(...values)
      },
    }),
  }
  factsStatement(reader as unknown as D1Reader, keys)
  return readFactsRow(row, keys)
}

/** A case names the task itself: of its handle no row holds more than a digest. */
function withShown(
  fresh: FreshFacts,
  { task = null }: Pick<Call, 'task'>,
  byId: (task: string) => FreshFacts,
): FreshFacts {
  if (task === null) return fresh
  const named = byId(task)
  const others = fresh.tasks.filter(({ id }) => id !== task)
  const shown = named.tasks.filter(({ id }) => id === task)
  return {
    ...fresh,
    tasks: [...others, ...shown.map((one) => ({ ...one, shown: true }))],
    words: new Map([...fresh.words, ...named.words]),
  }
}

const rolesOf = ({ roles }: Pick<Call, 'roles'>): Partial<Pick<Facts, 'subjectRoles'>> =>
  roles === null ? {} : { subjectRoles: roles.map((role) => ({ role, expiresAt: null })) }

const signalsOf = ({ signals = null }: Pick<Call, 'signals'>, now: number) =>
  signals === null ? {} : { signals: signals(now) }

/** Nothing was listed here, so the case says what a listing would have shown. */
function sightingOf(
  { tool, sighting }: Facts,
  { definition }: Pick<Call, 'definition'>,
  now: number,
): Facts['sighting'] {
  const pin = tool?.pin ?? null
  if (pin === null || definition === 'unseen') return null
  // A case may ask about a time before these rows were written.
  const seenAt = Math.max(now, pin.pinnedAt)
  const differedAt = definition === 'changed' ? seenAt : (sighting?.differedAt ?? null)
  return { hash: pin.hash, matchedAt: seenAt, differedAt }
}
