// Sequence rules that leave no way: tried by the engine itself on every short history of the tools.
import {
  afterGrant,
  compileRules,
  ended,
  judge,
  observed,
  type RuleSet,
} from '../../pdp/sequence/advance.ts'
import { APPROVED, DENIED } from '../../pdp/sequence/facts.ts'
import { MemoryInProcess } from '../../pdp/sequence/memory-in-process.ts'
import { compileRule, type SequenceRuleRow } from '../../pdp/sequence/rule.ts'
import { NOTHING_READ } from '../../pdp/sequence/step.ts'
import { carriedLabels } from './labels.ts'
import type { Finding, RowCheck } from './problem.ts'
import { hasField, modelCalls, nameOf, stepFor, type ModelCall } from './rule-calls.ts'

const LONGEST_HISTORY = 3
/** Of the tools with different labels so many are tried; more tell no more about few rules. */
const MOST_KINDS = 8

export const rulesLeaveRoom: RowCheck = (rows) => {
  const rules = rows.tables.sequenceRules.filter((row) => {
    const { problem, looksFor } = compileRule(row)
    return problem === null && looksFor === 'labels'
  })
  const calls = modelCalls(rows)
  const others = new Set([...carriedLabels(rows, [...rows.servers.values()]), DENIED, APPROVED])
  const vain = new Set<string>()
  const findings = rules.flatMap((row): Finding[] => {
    const trace = noWay([row], calls, others)
    if (trace === null) return []
    vain.add(row.id)
    return [
      {
        code: 'sequence_rule_vacuous',
        table: 'sequence_rules',
        key: [rows.tenant, row.id],
        message: `this rule holds whatever was done before: ${trace}; ${adviceOn(row, calls)}`,
      },
    ]
  })
  // A person may say yes where a rule asks for it: only denials leave no way.
  const denials = rules.filter(({ id, effect }) => effect === 'deny' && !vain.has(id))
  const pairs = denials.flatMap((one, at) => denials.slice(at + 1).map((other) => [one, other]))
  const contradictions = pairs.flatMap((pair): Finding[] => {
    const [one, other] = pair
    if (one === undefined || other === undefined || !mayMeet(one, other)) return []
    const trace = noWay(pair, calls, others)
    if (trace === null) return []
    return [
      {
        code: 'sequence_rules_contradict',
        table: 'sequence_rules',
        key: [rows.tenant, other.id],
        message: `together with \`${one.id}\` this rule refuses every call on \`${one.onLabel}\`, before and after: ${trace}; change one of the two`,
      },
    ]
  })
  return [...findings, ...contradictions]
}

/** Whether the two may refuse the same call, or one of them what the other waits for. */
const mayMeet = (one: SequenceRuleRow, other: SequenceRuleRow): boolean =>
  one.onLabel === other.onLabel || (waitsFor(one, other.onLabel) && waitsFor(other, one.onLabel))

const waitsFor = (row: SequenceRuleRow, label: string): boolean =>
  compileRule(row).correlation.permitting?.includes(label) ?? false

/** What makes a rule hold for every call. */
function adviceOn(row: SequenceRuleRow, calls: readonly ModelCall[]): string {
  const { columns } = compileRule(row)
  const triggering = calls.filter(({ labels }) => isTriggeredBy(row, labels))
  const key = (columns?.groupBy ?? []).find(
    (name) =>
      name !== 'tool' && name !== 'server' && !triggering.some((call) => hasField(call, name)),
  )
  if (key !== undefined) {
    return `no tool on \`${row.onLabel}\` has an argument of role or resource type \`${key}\`, which \`group_by\` asks for, and a call without its key counts as the worst: give the argument that role in \`tool_arguments\`, or group by something else`
  }
  if (waitsFor(row, row.onLabel)) {
    return `it waits for what it refuses: take \`${row.onLabel}\` out of \`rules\``
  }
  return 'ask for something that a history can lack, or say it by a policy'
}

const isTriggeredBy = ({ onLabel }: SequenceRuleRow, labels: readonly string[]): boolean =>
  onLabel === 'any' || labels.includes(onLabel)

/** null: there is a history after which a call on the label passes. Else one that shows why not. */
function noWay(
  rows: readonly SequenceRuleRow[],
  calls: readonly ModelCall[],
  others: ReadonlySet<string>,
): string | null {
  const rules = compileRules('', rows)
  const [first] = rows
  if (first === undefined) return null
  const triggering = calls.filter(({ labels }) => isTriggeredBy(first, labels))
  if (triggering.length === 0) return null
  const named = new Set(
    rows.flatMap(({ rules: labels, untilLabel }) => [
      ...(JSON.parse(labels) as string[]),
      ...(untilLabel === null ? [] : [untilLabel]),
    ]),
  )
  const carried = new Set(calls.flatMap(({ labels }) => labels))
  // What resources and approvals bring, no tool has: any call may turn out to.
  const brought = [...named].filter((label) => !carried.has(label) && others.has(label))
  const bringing = brought.flatMap((label) =>
    triggering.map((call) => ({ ...call, labels: [label] })),
  )
  const kinds = kindsOf([...calls, ...bringing], named)
  const histories = historiesOf(kinds)
  for (const history of histories) {
    const memory = told(rules, history)
    if (memory === null) continue
    const now = { sequence: history.length + 1, at: (history.length + 1) * 1000 }
    for (const call of triggering) {
      if (judge(rules, memory, stepFor(call, now)).length === 0) return null
    }
  }
  const [example] = triggering
  const kind = kinds.find((one) => told(rules, [one]) !== null)
  if (example === undefined) return null
  const last = `${nameOf(example)} is refused`
  return kind === undefined
    ? `as the first call of all, ${last}`
    : `as the first call of all, ${last}; after ${nameOf(kind)}, ${last}`
}

/** One tool for each set of labels that the rules can tell apart. */
function kindsOf(calls: readonly ModelCall[], named: ReadonlySet<string>): ModelCall[] {
  const kinds = new Map<string, ModelCall>()
  for (const call of calls) {
    const seen = call.labels.filter((label) => named.has(label)).toSorted()
    const roles = call.values.map(({ role, type }) => `${role} ${type}`).toSorted()
    const name = JSON.stringify([seen, roles])
    if (seen.length > 0 && !kinds.has(name)) kinds.set(name, call)
  }
  return [...kinds.values()].slice(0, MOST_KINDS)
}

function historiesOf(kinds: readonly ModelCall[]): (readonly ModelCall[])[] {
  const all: (readonly ModelCall[])[] = [[]]
  let longest: readonly (readonly ModelCall[])[] = [[]]
  for (let length = 1; length <= LONGEST_HISTORY; length += 1) {
    longest = longest.flatMap((history) => kinds.map((kind) => [...history, kind]))
    all.push(...longest)
  }
  return all
}

/** null: the rules themselves refuse a call of it. Where they ask a person, the person says yes. */
function told(rules: RuleSet, history: readonly ModelCall[]): MemoryInProcess | null {
  const memory = new MemoryInProcess()
  for (const [at, call] of history.entries()) {
    const step = stepFor(call, { sequence: at + 1, at: (at + 1) * 1000 })
    if (judge(rules, memory, step).some(({ effect }) => effect === 'deny')) return null
    memory.apply(afterGrant(rules, memory, step))
    memory.apply(observed(rules, memory, { ...step, answered: false }, NOTHING_READ))
    memory.apply(ended(rules, memory, { ...step, answered: true, brought: [] }, at + 1, true))
  }
  return memory
}
