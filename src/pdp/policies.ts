// Pure. The policies' own judgement of one request: default deny, deny overrides, and an error is
// never a yes.
import { unmetNeeds } from './assurance.ts'
import { variablesOf } from './call-variables.ts'
import type {
  Actor,
  Evaluation,
  EvaluationRequest,
  Facts,
  PolicyMatch,
  TaskFact,
} from './evaluation.ts'
import { scopesOfCall } from './gates.ts'
import { isProblem, type Policy, type PolicySet } from './policy.ts'
import { allowSpeaksOf, denySpeaksOf, principals, type Principal } from './principals.ts'
import { taskOf } from './task.ts'
import { labelsOfCall } from './tool-class.ts'
import type { ConditionVariables } from './variables.ts'
import { verdictOf } from './verdict.ts'

/**
 * INVARIANT: allowed only if every principal found at least one allow and none found a deny.
 * The order of the rows is of no account, and neither are rows that only watch.
 */
export function judgePolicies(
  actor: Actor,
  request: EvaluationRequest,
  policies: PolicySet,
  facts: Facts,
): Evaluation {
  const now = request.context.now
  const passes = principals(actor, facts, now)
  const subjectRoles = passes[0]?.roles ?? new Set<string>()
  const roles = new Set(passes.flatMap((principal) => [...principal.roles]))
  const labels = labelsOfCall(facts)
  const candidates = policies
    .candidates({
      server: facts.server.name,
      tool: facts.tool?.name ?? null,
      client: actor.client,
      agent: actor.agent,
      roles: [...roles],
    })
    .filter((policy) => columnsFit(policy, actor, facts, labels))
  const variables = lazily(() => variablesOf(actor, request, facts, passes))
  const task = lazily(() => taskOf(actor, request, facts).task)
  const judged = new Map<Policy, Outcome>()
  const matches: PolicyMatch[] = []
  for (const principal of passes) {
    for (const policy of candidates) {
      if (!speaksOf(principal, policy, subjectRoles)) continue
      const outcome = judged.get(policy) ?? judge(policy, variables, task, request, facts)
      judged.set(policy, outcome)
      if (!outcome.holds && outcome.error === null) continue
      const { id, effect, mode } = policy.row
      const { holds, needs, error } = outcome
      const counted = holds && needs.length === 0
      matches.push({ id, effect, pass: principal.pass, mode, counted, needs, error })
    }
  }
  matches.sort(byPassThenId)
  const enforced = matches.filter(({ mode }) => mode === 'enforce')
  const scopes = scopesOfCall(facts)
  const rowOf = new Map(candidates.map(({ row }) => [row.id, row]))
  return {
    refusal: verdictOf(passes, enforced, rowOf, scopes),
    matches,
    wouldBe:
      enforced.length === matches.length
        ? null
        : { by: 'shadow', refusal: verdictOf(passes, matches, rowOf, scopes) },
  }
}

/** In a listing an allow fits what some calls are, a deny only what all of them are. */
function columnsFit(
  { row, tool }: Policy,
  actor: Actor,
  facts: Facts,
  labels: readonly string[],
): boolean {
  const called = facts.tool
  const depends = called?.depends ?? null
  const certain = row.effect === 'deny' ? depends : null
  const { access, label, environment } = row
  return (
    (row.server === null || row.server === facts.server.name) &&
    (tool === null || (called !== null && tool.matches(called.name))) &&
    (access === null ||
      (depends === null || certain?.access.length === 1
        ? access === called?.access
        : certain === null && depends.access.includes(access))) &&
    (label === null ||
      (labels.includes(label) && certain?.labels.includes(label) !== true) ||
      (row.effect === 'allow' && depends?.anyLabel === true)) &&
    (environment === null || environment === called?.environment) &&
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
  /** Columns and condition fit. */
  readonly holds: boolean
  readonly needs: PolicyMatch['needs']
  readonly error: string | null
}

/**
 * INVARIANT: an error in an allow does not count, an error in a deny does. In a listing, where there
 * are no arguments, a condition on them could go either way: an allow counts, a deny does not.
 */
function judge(
  policy: Policy,
  variables: () => ConditionVariables,
  task: () => TaskFact | null,
  request: EvaluationRequest,
  facts: Facts,
): Outcome {
  const deny = policy.row.effect === 'deny'
  const holding = (): Outcome => ({
    holds: true,
    needs: unmetNeeds(policy.row, request, task()),
    error: null,
  })
  const erring = (error: string): Outcome => ({ holds: deny, needs: [], error })
  const condition = policy.condition()
  if (condition === null) return holding()
  if (isProblem(condition)) return erring(condition.message)
  const listing = request.context.arguments === null
  const depends = facts.tool !== null && facts.tool.depends !== null
  if (listing && (condition.readsCall || (condition.readsTool && depends))) {
    return deny ? { holds: false, needs: [], error: null } : holding()
  }
  const evaluated = condition.evaluate(variables())
  if (!evaluated.ok) return erring(evaluated.error)
  return evaluated.value ? holding() : { holds: false, needs: [], error: null }
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
