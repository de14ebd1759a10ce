// Why a call gets its decision, in plain words that name the rows.
import { acrValues } from '../../pdp/assurance.ts'
import { actorOf } from '../../pdp/evaluate.ts'
import type { Need, PolicyMatch } from '../../pdp/evaluation.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import { principals } from '../../pdp/principals.ts'
import type { DecisionRefusal } from '../../pdp/refusal.ts'
import { aboutCall, aboutWouldBe } from './about.ts'
import { because, WHO } from './because.ts'
import type { Decision } from './decide.ts'
import { nearestAllows } from './nearest.ts'

/**
 * What holds once the gate that says no with this has been passed, in the order of the core (GATES in
 * src/pdp/gates.ts); null: said after the gates, by policies, the history, or of what came back.
 */
const GATES: Readonly<Record<DecisionRefusal['reason'], string | null>> = {
  revoked: 'nothing is revoked',
  tenant_inactive: 'the tenant is active',
  server_inactive: 'the server is active',
  client_unknown: 'the client is registered',
  client_inactive: 'the client is registered',
  client_not_delegate: 'the client may act for the subject',
  agent_unknown: 'the agent may act',
  agent_inactive: 'the agent may act',
  tool_unknown: 'the tool has a row',
  tool_changed: 'the definition stands',
  tool_unverified: 'the definition stands',
  target_unreadable: 'what it touches is named readably',
  consent_required: 'consent is not lacking',
  insufficient_scope: 'the scopes suffice',
  workload_without_scopes: 'the scopes suffice',
  signals_silent: 'no signal stands against it',
  signal_raised: 'no signal stands against it',
  login_outdated: 'no signal stands against it',
  outside_authorization: 'the token was granted for it',
  task_invalid: 'no task is overstepped',
  task_unknown: 'no task is overstepped',
  task_conflict: 'no task is overstepped',
  task_ambiguous: 'no task is overstepped',
  task_ended: 'no task is overstepped',
  outside_task: 'no task is overstepped',
  target_of_another_tenant: null,
  not_allowed: null,
  denied_by_policy: null,
  task_required: null,
  insufficient_authentication: null,
  binding_required: null,
  approval_required: null,
  denied_by_sequence: null,
  task_spent: null,
  rate_limited: null,
  result_withheld: null,
  server_task_unknown: null,
  request_state_invalid: null,
  input_unreadable: null,
  session_unknown: null,
  session_missing: null,
  event_unknown: null,
  response_unasked: null,
}

const NEAREST = 3

export function explain(decision: Decision): string[] {
  const { refusal, wouldBe } = decision
  const first = (wouldBe?.by === 'observe' ? wouldBe.refusal : null) ?? refusal
  const reason = first?.reason === 'result_withheld' ? first.because.reason : first?.reason
  const failed = reason === undefined ? null : GATES[reason]
  const gates = [...new Set(Object.values(GATES).filter((gate) => gate !== null))]
  const passed = failed === null ? gates : gates.slice(0, gates.indexOf(failed))
  const lines = [verdict(decision), ...aboutWouldBe(decision)]
  lines.push(`gates passed: ${passed.join(', ') || 'none'}`, ...aboutCall(decision))
  if (failed !== null && refusal !== null) return [...lines, 'policies were not asked']
  return [...lines, ...aboutPasses(decision), ...aboutRules(decision)]
}

function verdict({ refusal, decision }: Decision): string {
  if (refusal === null) return 'allowed'
  const word = decision === 'approve' ? 'to be approved' : 'denied'
  return `${word} (${refusal.reason}): ${because(refusal)}`
}

function aboutPasses(decision: Decision): string[] {
  const { request, facts, matches, rows } = decision
  const rowOf = new Map(rows.tables.policies.map((row) => [row.id, row]))
  return principals(actorOf(request), facts, request.context.now).flatMap(({ pass, roles }) => {
    const own = matches.filter((match) => match.pass === pass)
    const held = [...roles].join(', ') || 'none'
    const lines = [`for ${WHO[pass]} (roles: ${held}):`]
    lines.push(...own.map((match) => `  ${aboutMatch(match, rowOf.get(match.id))}`))
    // One that only asks for something more is as near as can be.
    const open = own.some(
      ({ effect, mode, counted, needs }) =>
        effect === 'allow' && mode === 'enforce' && (counted || needs.length > 0),
    )
    if (open) return lines
    lines.push('  no allow counts; the nearest:')
    for (const { id, misses } of nearestAllows(decision, pass, NEAREST)) {
      lines.push(`    \`${id}\`: ${misses.join('; ')}`)
    }
    return lines
  })
}

function aboutMatch(match: PolicyMatch, row: PolicyRow | undefined): string {
  const { id, effect, mode, counted, error, needs } = match
  const shadow = mode === 'shadow'
  const name = `${shadow ? 'shadow policy' : 'policy'} \`${id}\``
  const does = shadow ? `would ${effect}` : `${effect === 'allow' ? 'allows' : 'denies'}`
  if (error !== null) {
    return counted
      ? `${name} ${does}, because its condition failed: ${error}`
      : `${name} does not count, because its condition failed: ${error}`
  }
  if (needs.length === 0) return `${name} ${does}`
  const wanted = needs.map((need) => NEED[need](row)).join(' and ')
  return `${name} ${shadow ? 'would allow' : 'allows'} it only with ${wanted}`
}

const NEED: Readonly<Record<Need, (row: PolicyRow | undefined) => string>> = {
  acr: (row) => `acr ${acrValues({ requireAcr: row?.requireAcr ?? null }).join(' or ')}`,
  recent_login: (row) => `a login at most ${row?.maxAuthAgeSeconds ?? 0} s ago`,
  sender_constrained: () => 'a token that is bound to a key of the client',
  task: (row) => (row?.requireTask === 'approved' ? 'an approved task' : 'a task'),
  approved_task: () => 'a task that somebody approved',
  approval: () => 'the approval of a person',
}

function aboutRules({ asked, hits }: Decision): string[] {
  if (asked.length === 0) return ['sequence rules: none is about the labels of this call']
  const names = asked.map((id) => `\`${id}\``).join(', ')
  if (hits === null) return [`sequence rules that would be asked: ${names}`]
  const lines = [`sequence rules asked: ${names}`]
  for (const { rule, effect, reason } of hits) {
    lines.push(`  \`${rule}\` holds (${effect}, ${reason})`)
  }
  return hits.length === 0 ? [...lines, '  none of them holds'] : lines
}
