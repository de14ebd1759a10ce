import type { JsonObject } from '../../../src/mcp/value.ts'
import { ACCESS } from '../../../src/pdp/evaluation.ts'
import type {
  ConsentFact,
  EvaluationRequest,
  Facts,
  RoleFact,
  ToolFacts,
} from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'
import type { Target } from '../../../src/pdp/resources.ts'
import { bestOf, classesOf, columnsApply, effectOf, matchesPattern, type Answers } from './rows.ts'
import { meantTasks } from './tasks.ts'

/**
 * The decider as one would write it on a whiteboard: no index, no cache, every row looked at for
 * every principal, from the rules in words (docs/architecture.md, the comments of the migrations,
 * docs/decisions/0006). Nothing of `src/pdp` runs here.
 */
export interface Verdict {
  /** The reason of the refusal, or null. */
  readonly refused: string | null
  /** What it would have been if all that only watches were enforced; undefined: nothing watched. */
  readonly would: string | null | undefined
}

const TEN_MINUTES = 600_000
const FOURTEEN_DAYS = 1_209_600_000

export function referenceVerdict(
  request: EvaluationRequest,
  rows: readonly PolicyRow[],
  facts: Facts,
  answers: Answers,
): Verdict {
  const wrong = whatIsWrong(request, facts)
  const until = facts.server.observeUntil
  const left = until === null ? 0 : until - request.context.now
  const observed = left > 0 && left <= FOURTEEN_DAYS
  const stops = observed ? wrong.find(({ always }) => always) : wrong[0]
  if (stops !== undefined) return { refused: stops.reason, would: undefined }
  const judged = (withShadow: boolean) =>
    request.resource.type === 'mcp_server' || facts.tool === null
      ? { refused: null, watched: false }
      : policiesSay(request, rows, facts, answers, withShadow)
  const toTool = request.resource.type === 'tool' && facts.tool !== null
  const beyond = toTool && facts.targets.some(({ foreign }) => foreign)
  const said = observed ? null : judged(false).refused
  // The border is the last word, so that it tells nobody anything where a no was due anyway.
  if (beyond && said === null) return { refused: 'target_of_another_tenant', would: undefined }
  if (observed) {
    const would = wrong[0]?.reason ?? judged(false).refused
    return { refused: null, would: would ?? undefined }
  }
  const all = judged(true)
  const would = all.refused ?? (beyond ? 'target_of_another_tenant' : null)
  return { refused: said, would: all.watched ? would : undefined }
}

interface Wrong {
  readonly reason: string
  /** Enforced while a server is only observed, too. */
  readonly always: boolean
}

/** Everything that stands in the way before a policy is asked, in the order in which it is said. */
function whatIsWrong(request: EvaluationRequest, facts: Facts): Wrong[] {
  const { client, agent, scopes } = request.subject.properties
  const now = request.context.now
  const { tool, server } = facts
  const wrong: Wrong[] = []
  const say = (reason: string, always: boolean, holds: boolean) => {
    if (holds) wrong.push({ reason, always })
  }
  const meant = meantTasks(request, facts)
  const open = typeof meant === 'string' ? [] : meant
  const [task] = open

  say('revoked', true, facts.revocations.length > 0 || open.some((one) => one.revokedAt !== null))
  say('tenant_inactive', true, !facts.tenantActive)
  say('server_inactive', true, !server.active)
  say('client_unknown', false, facts.clientActive === null)
  say('client_inactive', true, facts.clientActive === false)
  say('client_not_delegate', true, !facts.clientActsForUsers && request.subject.id !== client)
  say('agent_unknown', false, agent !== null && facts.agentActive === null)
  say('agent_inactive', true, agent !== null && facts.agentActive === false)
  say('tool_unknown', false, request.resource.type === 'tool' && tool === null)
  if (tool?.pin) {
    const { hash, pinnedAt } = tool.pin
    const seen = facts.sighting?.hash === hash ? facts.sighting : null
    const differs = (seen?.differedAt ?? -Infinity) >= pinnedAt
    say('tool_changed', false, differs)
    const matched = seen?.matchedAt ?? -Infinity
    const fresh = matched >= pinnedAt && now - matched <= TEN_MINUTES
    say('tool_unverified', false, !differs && !fresh)
  }
  say('target_unreadable', true, facts.unreadable !== null)
  if (tool !== null && server.consentRequired && request.subject.id !== client) {
    const agreed = (consent: ConsentFact) =>
      (consent.tool ?? tool.name) === tool.name &&
      (consent.access === null
        ? consent.tool !== null
        : classesOf(tool).includes(consent.access)) &&
      consent.revokedAt === null &&
      (consent.expiresAt === null || now < consent.expiresAt) &&
      (consent.definitionHash === null || consent.definitionHash === tool.pin?.hash)
    say('consent_required', false, !facts.consents.some(agreed))
  }
  const needed = [...server.requiredScopes, ...(tool?.requiredScopes ?? [])]
  say('insufficient_scope', false, !needed.every((scope) => scopes.includes(scope)))
  say('outside_authorization', false, tool !== null && !isGranted(request, facts, tool))
  if (tool !== null && task !== undefined) {
    const inside =
      (task.tools?.some((one) => matchesPattern(one, `${server.name}/${tool.name}`)) ?? true) &&
      classesOf(tool).some((access) => task.access?.includes(access) ?? true)
    const touches = (one: Target) => task.dataClasses?.includes(one.sensitivity) ?? true
    say('task_ambiguous', false, open.length > 1)
    say('outside_task', false, open.length === 1 && !(inside && facts.targets.every(touches)))
  }
  if (tool !== null && typeof meant === 'string') say(meant, meant === 'task_ended', true)
  return wrong
}

const DETAILS = ['type', 'locations', 'actions', 'access', 'identifiers']

/** One entry must cover the whole call, and one that nobody understands spoils them all. */
function isGranted(request: EvaluationRequest, facts: Facts, tool: ToolFacts): boolean {
  const details = request.subject.properties.authorizationDetails
  if (details === null) return true
  const ours = details.filter((entry) => entry['type'] === 'mcp_tool')
  const listOf = (entry: JsonObject, name: string) => entry[name] as string[] | undefined
  const strange = ours.some(
    (entry) =>
      Object.keys(entry).some((name) => !DETAILS.includes(name)) ||
      listOf(entry, 'actions')?.some((one) => one !== '*' && one.includes('*')) ||
      listOf(entry, 'access')?.some((one) => !ACCESS.some((known) => known === one)),
  )
  if (strange) return false
  const listing = request.context.arguments === null
  return ours.some((entry) => {
    const names = listOf(entry, 'identifiers')
    const touched = facts.targets.map(({ type, id }) => `${type}/${id}`)
    const inside = listing
      ? (tool.depends?.anyLabel ?? false)
      : touched.length > 0 && touched.every((one) => names?.includes(one))
    return (
      facts.server.resources.some((one) => listOf(entry, 'locations')?.includes(one)) &&
      ['*', tool.name].some((one) => listOf(entry, 'actions')?.includes(one)) &&
      classesOf(tool).some((one) => listOf(entry, 'access')?.includes(one) ?? true) &&
      (names === undefined || inside)
    )
  })
}

/** The subject is asked, and the agent is asked: both must find an allow, and neither a deny. */
function policiesSay(
  request: EvaluationRequest,
  rows: readonly PolicyRow[],
  facts: Facts,
  answers: Answers,
  withShadow: boolean,
): { readonly refused: string | null; readonly watched: boolean } {
  const { client, agent } = request.subject.properties
  const held = (roles: readonly RoleFact[]) =>
    roles
      .filter(({ expiresAt }) => expiresAt === null || request.context.now < expiresAt)
      .map(({ role }) => role)
  const subjectRoles = held(facts.subjectRoles)
  const actsForItself = request.subject.id === client && agent === null
  const passes = actsForItself
    ? [{ roles: subjectRoles, mustBeNamed: true }]
    : [
        { roles: subjectRoles, mustBeNamed: false },
        { roles: held(facts.agentRoles), mustBeNamed: true },
      ]
  let watched = false
  let denied = false
  const distances = passes.map(({ roles, mustBeNamed }) => {
    const costs: number[] = []
    for (const row of rows) {
      if (row.mode === 'shadow' && !withShadow) continue
      const ownRole = row.role !== null && roles.includes(row.role)
      const namesSoftware = row.client !== null || row.agent !== null
      const throughSubject = namesSoftware && (row.role === null || subjectRoles.includes(row.role))
      const speaks =
        row.effect === 'allow' && mustBeNamed
          ? ownRole || throughSubject
          : row.role === null || ownRole
      if (!speaks || !columnsApply(row, request, facts)) continue
      const effect = effectOf(row, request, facts, answers)
      if (effect !== 'silent' && row.mode === 'shadow') watched = true
      if (effect === 'denies') denied = true
      if (typeof effect === 'number') costs.push(effect)
    }
    return bestOf(costs)
  })
  if (denied) return { refused: 'denied_by_policy', watched }
  const farthest = Math.max(...distances)
  return { refused: farthest === 0 ? null : (LACKING[farthest] ?? 'not_allowed'), watched }
}

/** By how far the farthest pass is from an allow; without any it is `not_allowed`. */
const LACKING: readonly string[] = [
  '',
  'approval_required',
  'insufficient_authentication',
  'task_required',
  'binding_required',
]
