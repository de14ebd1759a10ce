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

interface Gate {
  readonly passed: string
  readonly refusals: readonly DecisionRefusal['reason'][]
}

/** In the order of the core (GATES in src/pdp/gates.ts). */
const GATES: readonly Gate[] = [
  { passed: 'nothing is revoked', refusals: ['revoked'] },
  { passed: 'the tenant is active', refusals: ['tenant_inactive'] },
  { passed: 'the server is active', refusals: ['server_inactive'] },
  { passed: 'the client is registered', refusals: ['client_unknown', 'client_inactive'] },
  { passed: 'the client may act for the subject', refusals: ['client_not_delegate'] },
  { passed: 'the agent may act', refusals: ['agent_unknown', 'agent_inactive'] },
  { passed: 'the tool has a row', refusals: ['tool_unknown'] },
  { passed: 'the definition stands', refusals: ['tool_changed', 'tool_unverified'] },
  { passed: 'what it touches is named readably', refusals: ['target_unreadable'] },
  { passed: 'consent is not lacking', refusals: ['consent_required'] },
  { passed: 'the scopes suffice', refusals: ['insufficient_scope', 'workload_without_scopes'] },
  { passed: 'the token was granted for it', refusals: ['outside_authorization'] },
  { passed: 'no task is overstepped', refusals: ['task_ambiguous', 'outside_task'] },
]

const NEAREST = 3

export function explain(decision: Decision): string[] {
  const { refusal, wouldBe } = decision
  const first = (wouldBe?.by === 'observe' ? wouldBe.refusal : null) ?? refusal
  const reason = first?.reason === 'result_withheld' ? first.because.reason : first?.reason
  const failed = GATES.findIndex(({ refusals }) => refusals.some((one) => one === reason))
  const passed = GATES.slice(0, failed < 0 ? GATES.length : failed).map((gate) => gate.passed)
  const lines = [verdict(decision), ...aboutWouldBe(decision)]
  lines.push(`gates passed: ${passed.join(', ') || 'none'}`, ...aboutCall(decision))
  if (failed >= 0 && refusal !== null) return [...lines, 'policies were not asked']
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
