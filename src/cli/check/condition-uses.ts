// Every condition of a tenant's rows, and what it is asked about.
import {
  compileArgumentCondition,
  compileCondition,
  type ConditionProblem,
} from '../../pdp/condition.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import { ok, type Result } from '../../result.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import type { Finding } from './problem.ts'
import { toolReached, toolsReached, type ReachedTool } from './reach.ts'
import type { Tried } from './samples.ts'

export interface ConditionUse {
  readonly at: Pick<Finding, 'table' | 'key'>
  readonly text: string
  readonly compiled: Result<Tried, ConditionProblem>
  /** null: a row that is no policy. */
  readonly policy: PolicyRow | null
  readonly tools: readonly ReachedTool[]
  /** The names that it may use. */
  readonly variables: string
  readonly whileBroken: string
  readonly whereItFails: string
}

const WHOLE_CALL = 'subject, client, agent, tool, args, targets, task, signals, network and time'

/** Filed by the rows, because several checks ask for them. */
const known = new WeakMap<TenantRows, readonly ConditionUse[]>()

export function conditionUses(rows: TenantRows): readonly ConditionUse[] {
  const uses = known.get(rows) ?? [...inPolicies(rows), ...inLabels(rows), ...inAccess(rows)]
  known.set(rows, uses)
  return uses
}

const inPolicies = (rows: TenantRows): ConditionUse[] =>
  rows.tables.policies.flatMap((policy): ConditionUse[] => {
    const { id, effect, condition } = policy
    if (condition === null) return []
    const deny = effect === 'deny'
    return [
      {
        at: { table: 'policies', key: [rows.tenant, id] },
        text: condition,
        compiled: compileCondition(condition),
        policy,
        tools: toolsReached(rows, policy),
        variables: WHOLE_CALL,
        whileBroken: deny ? 'this deny always holds' : 'this allow never counts',
        whereItFails: deny ? 'this deny then holds' : 'this allow then does not count',
      },
    ]
  })

const inLabels = (rows: TenantRows): ConditionUse[] =>
  rows.tables.toolLabels.flatMap((row): ConditionUse[] => {
    const { server, tool, label, condition } = row
    if (condition === null) return []
    return [
      {
        at: { table: 'tool_labels', key: [rows.tenant, server, tool, label] },
        text: condition,
        compiled: argumentsOnly(condition),
        policy: null,
        tools: toolReached(rows, row),
        variables: 'args alone',
        whileBroken: 'every call carries the label',
        whereItFails: 'the call then carries the label',
      },
    ]
  })

const inAccess = (rows: TenantRows): ConditionUse[] =>
  rows.tables.toolAccess.map((row): ConditionUse => {
    const { server, tool, access, condition } = row
    return {
      at: { table: 'tool_access', key: [rows.tenant, server, tool, access] },
      text: condition,
      compiled: argumentsOnly(condition),
      policy: null,
      tools: toolReached(rows, row),
      variables: 'args alone',
      whileBroken: "this class and the tool's own both count",
      whereItFails: "this class and the tool's own then both count",
    }
  })

function argumentsOnly(text: string): Result<Tried, ConditionProblem> {
  const compiled = compileArgumentCondition(text)
  return compiled.ok ? ok(compiled.value) : compiled
}
