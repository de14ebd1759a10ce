// Pure. Whose entitlement is judged: the subject, and again the agent that acts. Privilege is not
// inherited: a user's right is no right of the agent, and the reverse.
import { isWorkload, type Actor, type Facts, type RoleFact } from './evaluation.ts'
import type { PolicyRow } from './policy.ts'
import type { Pass } from './refusal.ts'

export interface Principal {
  readonly pass: Pass
  readonly roles: ReadonlySet<string>
  /**
   * Whether an allow must say that it means an agent. It must wherever software decides what to do
   * next: in the agent's pass, and for a workload that acts for itself.
   */
  readonly mustBeNamed: boolean
}

/** One pass for a workload, judged as itself; two for a user: the user's and the agent's. */
export function principals(actor: Actor, facts: Facts, now: number): Principal[] {
  const subjectRoles = heldRoles(facts.subjectRoles, now)
  if (isWorkload(actor) && actor.agent === null) {
    return [{ pass: 'subject', roles: subjectRoles, mustBeNamed: true }]
  }
  return [
    { pass: 'subject', roles: subjectRoles, mustBeNamed: false },
    { pass: 'agent', roles: heldRoles(facts.agentRoles, now), mustBeNamed: true },
  ]
}

/** Roles lapse by the clock of the decision, not of the reading. */
export const heldRoles = (roles: readonly RoleFact[], now: number): ReadonlySet<string> =>
  new Set(
    roles
      .filter((held) => held.expiresAt === null || held.expiresAt > now)
      .map((held) => held.role),
  )

/**
 * Whether an allow row speaks of this principal.
 *
 * INVARIANT: in a pass that must be named, an allow counts only if it names the client, the agent
 * (`*` for any), or a role that this very principal holds. A row that names client or agent may
 * restrict itself to a role of the subject: "sales, through acme-agent".
 */
export function allowSpeaksOf(
  principal: Principal,
  row: PolicyRow,
  subjectRoles: ReadonlySet<string>,
): boolean {
  if (row.role !== null && principal.roles.has(row.role)) return true
  if (!principal.mustBeNamed) return row.role === null
  const named = row.client !== null || row.agent !== null
  return named && (row.role === null || subjectRoles.has(row.role))
}

/** A deny needs no naming: NULL always means everybody. */
export const denySpeaksOf = (principal: Principal, row: PolicyRow): boolean =>
  row.role === null || principal.roles.has(row.role)
