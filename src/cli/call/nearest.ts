// The allows that nearly matched, and on which columns they failed. Each column is asked of the
// core by itself, in a row that sets nothing else: what fits is decided in one place only.
import { evaluate } from '../../pdp/evaluate.ts'
import { compilePolicies, type PolicyRow } from '../../pdp/policy.ts'
import type { Pass } from '../../pdp/refusal.ts'
import { MATCHED } from '../check/covering.ts'
import type { Decision } from './decide.ts'

export interface NearAllow {
  readonly id: string
  readonly misses: readonly string[]
}

const COLUMNS = [...MATCHED, 'condition'] as const
type Column = (typeof COLUMNS)[number]

const UNNAMED = 'it names no client and no agent, and its role is not one of the software that acts'

/** What it asks for besides is another matter than whether it speaks of this call. */
const NEEDS_NOTHING = {
  requireAcr: null,
  requireSenderConstrained: false,
  maxAuthAgeSeconds: null,
  requireApproval: false,
  requireTask: null,
}

/** Named for any agent, so that only the column in question can fail. */
const OPEN: PolicyRow = {
  id: 'probe',
  effect: 'allow',
  mode: 'enforce',
  role: null,
  client: null,
  agent: '*',
  server: null,
  tool: null,
  access: null,
  label: null,
  environment: null,
  condition: null,
  ...NEEDS_NOTHING,
}

export function nearestAllows(decision: Decision, pass: Pass, atMost: number): NearAllow[] {
  return decision.rows.tables.policies
    .filter(({ effect, mode }) => effect === 'allow' && mode === 'enforce')
    .map((row) => ({ id: row.id, misses: missesOf(decision, row, pass) }))
    .map(({ id, misses }) => ({ id, misses, distance: distanceOf(misses) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, atMost)
    .map(({ id, misses }) => ({ id, misses: misses.map(({ text }) => text) }))
}

interface Miss {
  readonly column: Column | null
  readonly text: string
}

/** A row for these people that says no to this call is nearer than a row for other people. */
const distanceOf = (misses: readonly Miss[]): number =>
  misses.reduce(
    (sum, { column }) => sum + (column === 'condition' ? 1 : column === 'role' ? 3 : 2),
    0,
  )

function missesOf(decision: Decision, row: PolicyRow, pass: Pass): Miss[] {
  const misses = COLUMNS.flatMap((column) => {
    if (row[column] === null) return []
    const outcome = probe(decision, { ...OPEN, [column]: row[column] }, pass)
    return outcome === true ? [] : [{ column, text: sentence(decision, row, column, outcome) }]
  })
  // Every column fits, and still it does not speak of the software that acts.
  if (misses.length === 0 && probe(decision, row, pass) !== true) {
    return [{ column: null, text: UNNAMED }]
  }
  return misses
}

/** True where the row counts in that pass, else the error of its condition or null. */
function probe({ request, facts }: Decision, row: PolicyRow, pass: Pass): true | string | null {
  const { matches } = evaluate(request, compilePolicies([{ ...row, ...NEEDS_NOTHING }]), facts)
  const match = matches.find((one) => one.pass === pass)
  return match?.counted === true ? true : (match?.error ?? null)
}

function sentence(
  { request, facts }: Decision,
  row: PolicyRow,
  column: Column,
  error: string | null,
): string {
  if (column === 'condition') {
    return error === null ? 'its condition is false' : `its condition fails: ${error}`
  }
  const { client, agent } = request.subject.properties
  const actual: Readonly<Record<Exclude<Column, 'condition'>, string>> = {
    role: 'which is not held',
    client: `not \`${client}\``,
    agent: agent === null ? 'and no agent acts' : `not \`${agent}\``,
    server: `not \`${facts.server.name}\``,
    tool: `not \`${request.resource.id}\``,
    access: `not \`${facts.tool?.access ?? ''}\``,
    label: 'which this call does not carry',
    environment: `not \`${facts.tool?.environment ?? ''}\``,
  }
  return `${column} is \`${row[column] ?? ''}\`, ${actual[column]}`
}
