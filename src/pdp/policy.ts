// Pure. Policy rows, compiled once per revision into an index: the cost of a decision follows the
// rows that could match, not the rows that exist.
import { compileCondition, type Condition, type ConditionProblem } from './condition.ts'
import type { Access, RequiredTask } from './evaluation.ts'
import { parseGlob, type Glob } from './glob.ts'

/** A row of `policies` (migrations/0004_create_policies.sql). NULL does not restrict. */
export interface PolicyRow {
  readonly id: string
  readonly effect: 'allow' | 'deny'
  /** A shadow policy changes no outcome: what it would have changed is in the record. */
  readonly mode: 'enforce' | 'shadow'
  readonly role: string | null
  readonly client: string | null
  readonly agent: string | null
  readonly server: string | null
  readonly tool: string | null
  readonly access: Access | null
  readonly label: string | null
  readonly environment: string | null
  readonly condition: string | null
  /** Of an allow only. Authentication context classes that will do, space separated. */
  readonly requireAcr: string | null
  readonly requireSenderConstrained: boolean
  /** Seconds since the person logged in. */
  readonly maxAuthAgeSeconds: number | null
  readonly requireApproval: boolean
  /** The call must belong to a task; null: it need not. */
  readonly requireTask: RequiredTask | null
}

export interface Policy {
  readonly row: PolicyRow
  readonly tool: Glob | null
  /** null: the row has none. Compiled when first needed: 10,000 rows must not stall a call. */
  condition(): Condition | ConditionProblem | null
}

/** What the index looks at. Roles are those of the subject and of the agent together. */
export interface Lookup {
  readonly server: string
  readonly tool: string | null
  readonly client: string
  readonly agent: string | null
  readonly roles: readonly string[]
}

export interface PolicySet {
  readonly size: number
  /** Rows whose indexed columns fit; the caller still checks every column. */
  candidates(lookup: Lookup): Policy[]
  /** What their tool columns say, each once. */
  tools(): readonly string[]
  /** Rows with a condition that does not compile, for `/healthz` and `policy check`. */
  problems(): { readonly id: string; readonly problem: ConditionProblem }[]
}

export const isProblem = (compiled: Condition | ConditionProblem): compiled is ConditionProblem =>
  'message' in compiled

/**
 * Rows are filed by which columns they set (their *shape*) and by the values in those columns. A
 * lookup asks each shape that exists for the one key it could have, so 10,000 rows of one shape
 * cost the same as one.
 */
interface Shape {
  readonly server: boolean
  readonly role: boolean
  readonly client: boolean
  readonly agent: boolean
  /** Length of the pattern's literal prefix; null: any tool; -1: an exact name. */
  readonly tool: number | null
  readonly buckets: Map<string, Policy[]>
}

const EXACT = -1
const ANY_AGENT = '*'

export function compilePolicies(rows: readonly PolicyRow[]): PolicySet {
  const conditions = new Map<string, Condition | ConditionProblem>()
  const shapes = new Map<string, Shape>()
  const policies = rows.map((row) => compilePolicy(row, conditions))
  for (const policy of policies) file(shapes, policy)
  let tools: readonly string[] | null = null
  return {
    size: policies.length,
    candidates: (lookup) => find(shapes, lookup),
    tools: () => (tools ??= [...new Set(rows.flatMap(({ tool }) => tool ?? []))]),
    problems: () =>
      policies.flatMap((policy) => {
        const compiled = policy.condition()
        return compiled !== null && isProblem(compiled)
          ? [{ id: policy.row.id, problem: compiled }]
          : []
      }),
  }
}

function compilePolicy(
  row: PolicyRow,
  conditions: Map<string, Condition | ConditionProblem>,
): Policy {
  const text = row.condition
  return {
    row,
    tool: row.tool === null ? null : parseGlob(row.tool),
    condition: () => {
      if (text === null) return null
      const known = conditions.get(text)
      if (known !== undefined) return known
      const compiled = compileCondition(text)
      const outcome = compiled.ok ? compiled.value : compiled.error
      conditions.set(text, outcome)
      return outcome
    },
  }
}

function file(shapes: Map<string, Shape>, policy: Policy): void {
  const { row, tool } = policy
  const namesAgent = row.agent !== null && row.agent !== ANY_AGENT
  const toolShape = tool === null ? null : tool.exact ? EXACT : tool.prefix.length
  const id = [row.server !== null, row.role !== null, row.client !== null, namesAgent, toolShape]
  const shape = shapes.get(id.join()) ?? {
    server: row.server !== null,
    role: row.role !== null,
    client: row.client !== null,
    agent: namesAgent,
    tool: toolShape,
    buckets: new Map<string, Policy[]>(),
  }
  shapes.set(id.join(), shape)
  const key = bucketKey(
    row.server ?? '',
    row.role ?? '',
    row.client ?? '',
    namesAgent ? (row.agent ?? '') : '',
    tool?.prefix ?? '',
  )
  const bucket = shape.buckets.get(key)
  if (bucket === undefined) shape.buckets.set(key, [policy])
  else bucket.push(policy)
}

function find(shapes: Map<string, Shape>, lookup: Lookup): Policy[] {
  const found: Policy[] = []
  for (const shape of shapes.values()) {
    const tool = toolKey(shape, lookup.tool)
    if (tool === null || (shape.agent && lookup.agent === null)) continue
    const server = shape.server ? lookup.server : ''
    const client = shape.client ? lookup.client : ''
    const agent = shape.agent ? (lookup.agent ?? '') : ''
    for (const role of shape.role ? lookup.roles : NO_ROLE) {
      const bucket = shape.buckets.get(bucketKey(server, role, client, agent, tool))
      if (bucket !== undefined) for (const policy of bucket) found.push(policy)
    }
  }
  return found
}

const NO_ROLE = ['']

function toolKey(shape: Shape, tool: string | null): string | null {
  if (shape.tool === null) return ''
  if (tool === null) return null
  if (shape.tool === EXACT) return tool
  return tool.length < shape.tool ? null : tool.slice(0, shape.tool)
}

/** Lengths are part of the key, so that no value can pass for the border between two. */
const bucketKey = (
  server: string,
  role: string,
  client: string,
  agent: string,
  tool: string,
): string =>
  `${server.length}.${role.length}.${client.length}.${agent.length}.${server}${role}${client}${agent}${tool}`
