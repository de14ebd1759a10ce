import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'

/**
 * The decider as one would write it on a whiteboard: no index, no cache, every row looked at for
 * every principal, from the rules in words (docs/decisions/0006). Conditions are a list of known
 * texts with their answers, so that the expression engine is not part of the comparison.
 */
export type Answers = Readonly<Record<string, boolean | 'error'>>

export function referenceDecision(
  request: EvaluationRequest,
  rows: readonly PolicyRow[],
  facts: Facts,
  answers: Answers,
): 'allow' | 'deny' {
  const { client, agent, scopes } = request.subject.properties
  if (facts.revocations.length > 0) return 'deny'
  if (!facts.tenantActive || !facts.server.active) return 'deny'
  if (facts.clientActive !== true) return 'deny'
  if (agent !== null && facts.agentActive !== true) return 'deny'
  const tool = facts.tool
  if (tool === null) return 'deny'
  for (const scope of [...facts.server.requiredScopes, ...tool.requiredScopes]) {
    if (!scopes.includes(scope)) return 'deny'
  }

  const now = request.context.now
  const rolesOf = (held: Facts['subjectRoles']): string[] =>
    held.filter((one) => one.expiresAt === null || now < one.expiresAt).map((one) => one.role)
  const subjectRoles = rolesOf(facts.subjectRoles)
  const actsForItself = request.subject.id === client && agent === null

  const applies = (row: PolicyRow): boolean => {
    if (row.server !== null && row.server !== facts.server.name) return false
    if (row.tool !== null && !matchesPattern(row.tool, tool.name)) return false
    if (row.access !== null && row.access !== tool.access) return false
    if (row.label !== null && !tool.labels.includes(row.label)) return false
    if (row.client !== null && row.client !== client) return false
    if (row.agent !== null && row.agent !== '*' && row.agent !== agent) return false
    return true
  }
  const holds = (row: PolicyRow): boolean => {
    if (row.condition === null) return true
    const answer = answers[row.condition] ?? 'error'
    return answer === 'error' ? row.effect === 'deny' : answer
  }

  /** What a pass finds: its roles, and whether an allow must say that it means software. */
  const pass = (roles: string[], mustBeNamed: boolean): 'allow' | 'deny' => {
    let allowed = false
    for (const row of rows) {
      if (!applies(row)) continue
      const hasRole = row.role === null || roles.includes(row.role)
      if (row.effect === 'deny') {
        if (hasRole && holds(row)) return 'deny'
        continue
      }
      const namesSoftware = row.client !== null || row.agent !== null
      const ownRole = row.role !== null && roles.includes(row.role)
      const speaks = mustBeNamed
        ? ownRole || (namesSoftware && (row.role === null || subjectRoles.includes(row.role)))
        : hasRole
      if (speaks && holds(row)) allowed = true
    }
    return allowed ? 'allow' : 'deny'
  }

  if (actsForItself) return pass(subjectRoles, true)
  const forSubject = pass(subjectRoles, false)
  const forAgent = pass(rolesOf(facts.agentRoles), true)
  return forSubject === 'allow' && forAgent === 'allow' ? 'allow' : 'deny'
}

/** By trying every split: slow and plain. */
function matchesPattern(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] !== '*')
    return text[0] === pattern[0] && matchesPattern(pattern.slice(1), text.slice(1))
  for (let skip = 0; skip <= text.length; skip += 1) {
    if (matchesPattern(pattern.slice(1), text.slice(skip))) return true
  }
  return false
}
