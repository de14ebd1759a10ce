// Pure. What the matched rows come to: deny overrides, every pass needs an allow, and an allow that
// asks for something more than the call has says what.
import { acrValues } from './assurance.ts'
import type { Need, PolicyMatch } from './evaluation.ts'
import type { PolicyRow } from './policy.ts'
import type { Principal } from './principals.ts'
import type { DecisionRefusal } from './refusal.ts'

/** `matches` in the order of passes and ids, so that the verdict names the same rows each time. */
export function verdictOf(
  passes: readonly Principal[],
  matches: readonly PolicyMatch[],
  rows: ReadonlyMap<string, PolicyRow>,
  scopes: readonly string[],
): DecisionRefusal | null {
  const deny = matches.find((match) => match.effect === 'deny' && match.counted)
  if (deny !== undefined) {
    return { at: 'decide', reason: 'denied_by_policy', pass: deny.pass, policy: deny.id }
  }
  const open = passes.map(({ pass }) => best(matches.filter((match) => match.pass === pass)))
  const lacking = open.findIndex((match) => match === null)
  const pass = passes[lacking]?.pass
  if (pass !== undefined) return { at: 'decide', reason: 'not_allowed', pass }
  const allows = open.filter((match) => match !== null)
  return (
    bindingNeeded(allows) ??
    taskNeeded(allows) ??
    loginNeeded(allows, rows, scopes) ??
    approvalNeeded(allows.filter(({ needs }) => needs.includes('approval')))
  )
}

/** The allow that is nearest to counting: one that asks for nothing, or only for an approval. */
function best(matches: readonly PolicyMatch[]): PolicyMatch | null {
  const allows = matches.filter(({ effect, error }) => effect === 'allow' && error === null)
  return (
    allows.find(({ needs }) => needs.length === 0) ??
    allows.find(({ needs }) => needs.every((need) => need === 'approval')) ??
    allows.find(({ needs }) => !needs.some((need) => NO_LOGIN_HELPS.has(need))) ??
    allows.find(({ needs }) => !needs.includes('sender_constrained')) ??
    allows[0] ??
    null
  )
}

const NO_LOGIN_HELPS: ReadonlySet<Need> = new Set(['sender_constrained', 'task', 'approved_task'])

/** Whoever may open tasks has to: the caller cannot. */
function taskNeeded(allows: readonly PolicyMatch[]): DecisionRefusal | null {
  const match = allows.find(({ needs }) => needs.some((need) => OF_TASKS.has(need)))
  return match === undefined
    ? null
    : {
        at: 'decide',
        reason: 'task_required',
        pass: match.pass,
        policy: match.id,
        approved: match.needs.includes('approved_task'),
      }
}

const OF_TASKS: ReadonlySet<Need> = new Set(['task', 'approved_task'])

/** No login helps with it: the client has to ask for tokens of another kind. */
function bindingNeeded(allows: readonly PolicyMatch[]): DecisionRefusal | null {
  const match = allows.find(({ needs }) => needs.includes('sender_constrained'))
  return match === undefined
    ? null
    : { at: 'decide', reason: 'binding_required', pass: match.pass, policy: match.id }
}

function loginNeeded(
  allows: readonly PolicyMatch[],
  rows: ReadonlyMap<string, PolicyRow>,
  scopes: readonly string[],
): DecisionRefusal | null {
  const match = allows.find(({ needs }) => needs.includes('acr') || needs.includes('recent_login'))
  const row = rows.get(match?.id ?? '')
  if (match === undefined || row === undefined) return null
  return {
    at: 'decide',
    reason: 'insufficient_authentication',
    pass: match.pass,
    policy: match.id,
    // Both at once, whichever is missing: one login must be enough (RFC 9470 §3).
    acrValues: acrValues(row),
    maxAgeSeconds: row.maxAuthAgeSeconds,
    scopes,
  }
}

function approvalNeeded(allows: readonly PolicyMatch[]): DecisionRefusal | null {
  const policies = [...new Set(allows.map(({ id }) => id))]
  return policies.length === 0 ? null : { at: 'decide', reason: 'approval_required', policies }
}
