// Pure. The policies' own judgement of one request: default deny, deny overrides, and an error is
// never a yes.
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import type { ConditionVariables } from './condition.ts'
import type { Actor, EvaluationRequest, Facts, PolicyMatch } from './evaluation.ts'
import { isProblem, type Policy, type PolicySet } from './policy.ts'
import { allowSpeaksOf, denySpeaksOf, principals, type Principal } from './principals.ts'
import type { DecisionRefusal } from './refusal.ts'

export interface PolicyJudgement {
  readonly refusal: DecisionRefusal | null
  readonly matches: readonly PolicyMatch[]
}

/**
 * INVARIANT: allowed only if every principal found at least one allow and none found a deny.
 * The order of the rows is of no account.
 */
export function judgePolicies(
  actor: Actor,
  request: EvaluationRequest,
  policies: PolicySet,
  facts: Facts,
): PolicyJudgement {
  const now = request.context.now
  const passes = principals(actor, facts, now)
  const subjectRoles = passes[0]?.roles ?? new Set<string>()
  const roles = new Set(passes.flatMap((principal) => [...principal.roles]))
  const candidates = policies
    .candidates({
      server: facts.server.name,
      tool: facts.tool?.name ?? null,
      client: actor.client,
      agent: actor.agent,
      roles: [...roles],
    })
    .filter((policy) => columnsFit(policy, actor, facts))
  const variables = lazily(() => variablesOf(actor, request, facts, passes))
  const judged = new Map<Policy, Outcome>()
  const matches: PolicyMatch[] = []
  for (const principal of passes) {
    for (const policy of candidates) {
      if (!speaksOf(principal, policy, subjectRoles)) continue
      const outcome = judged.get(policy) ?? judge(policy, variables, request)
      judged.set(policy, outcome)
      if (outcome.counted || outcome.error !== null) {
        matches.push({
          id: policy.row.id,
          effect: policy.row.effect,
          pass: principal.pass,
          counted: outcome.counted,
          error: outcome.error,
        })
      }
    }
  }
  matches.sort(byPassThenId)
  return { refusal: verdict(passes, matches), matches }
}

function verdict(
  passes: readonly Principal[],
  matches: readonly PolicyMatch[],
): DecisionRefusal | null {
  const deny = matches.find((match) => match.effect === 'deny' && match.counted)
  if (deny !== undefined) {
    return { at: 'decide', reason: 'denied_by_policy', pass: deny.pass, policy: deny.id }
  }
  for (const { pass } of passes) {
    const allowed = matches.some(
      (match) => match.pass === pass && match.effect === 'allow' && match.counted,
    )
    if (!allowed) return { at: 'decide', reason: 'not_allowed', pass }
  }
  return null
}

function columnsFit({ row, tool }: Policy, actor: Actor, facts: Facts): boolean {
  return (
    (row.server === null || row.server === facts.server.name) &&
    (tool === null || (facts.tool !== null && tool.matches(facts.tool.name))) &&
    (row.access === null || row.access === facts.tool?.access) &&
    (row.label === null || (facts.tool?.labels.includes(row.label) ?? false)) &&
    (row.client === null || row.client === actor.client) &&
    (row.agent === null || row.agent === '*' || row.agent === actor.agent)
  )
}

const speaksOf = (
  principal: Principal,
  policy: Policy,
  subjectRoles: ReadonlySet<string>,
): boolean =>
  policy.row.effect === 'allow'
    ? allowSpeaksOf(principal, policy.row, subjectRoles)
    : denySpeaksOf(principal, policy.row)

interface Outcome {
  readonly counted: boolean
  readonly error: string | null
}

/**
 * INVARIANT: an error in an allow does not count, an error in a deny does. In a listing, where there
 * are no arguments, a condition on them could go either way: an allow counts, a deny does not.
 */
function judge(
  policy: Policy,
  variables: () => ConditionVariables,
  request: EvaluationRequest,
): Outcome {
  const condition = policy.condition()
  if (condition === null) return { counted: true, error: null }
  const deny = policy.row.effect === 'deny'
  if (isProblem(condition)) return { counted: deny, error: condition.message }
  if (condition.readsArguments && request.context.arguments === null) {
    return { counted: !deny, error: null }
  }
  if (condition.readsArguments && !isBounded(request.context.arguments)) {
    return { counted: deny, error: 'the arguments are too large for a condition' }
  }
  const evaluated = condition.evaluate(variables())
  return evaluated.ok
    ? { counted: evaluated.value, error: null }
    : { counted: deny, error: evaluated.error }
}

/** How many values arguments may hold for a condition to look at them: the engine has no budget. */
const MAX_ARGUMENT_VALUES = 20_000

function isBounded(given: JsonObject | null): boolean {
  let left = MAX_ARGUMENT_VALUES
  const pending: JsonValue[] = [given]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    left -= 1
    if (left < 0) return false
    if (Array.isArray(value)) {
      if (value.length > left) return false
      pending.push(...(value as readonly JsonValue[]))
    } else if (isJsonObject(value)) {
      const members = Object.values(value)
      if (members.length > left) return false
      pending.push(...members)
    }
  }
  return true
}

function variablesOf(
  actor: Actor,
  request: EvaluationRequest,
  facts: Facts,
  passes: readonly Principal[],
): ConditionVariables {
  const rolesOf = (pass: string): string[] => [
    ...(passes.find((principal) => principal.pass === pass)?.roles ?? []),
  ]
  return {
    subject: {
      id: actor.subject,
      kind: request.subject.type,
      issuer: actor.issuer,
      roles: rolesOf('subject'),
    },
    client: { id: actor.client },
    agent: { id: actor.agent ?? '', present: actor.agent !== null, roles: rolesOf('agent') },
    tool: {
      name: facts.tool?.name ?? '',
      server: facts.server.name,
      access: facts.tool?.access ?? '',
      labels: facts.tool?.labels ?? [],
    },
    args: request.context.arguments ?? {},
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => (made ??= { value: make() }).value
}

/** The subject's pass first, then by id: a record must not depend on the order of rows. */
function byPassThenId(a: PolicyMatch, b: PolicyMatch): number {
  if (a.pass !== b.pass) return a.pass === 'subject' ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
