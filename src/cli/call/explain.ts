// Why a call gets its decision, in plain words that name the rows.
import { principals } from '../../pdp/principals.ts'
import { actorOf } from '../../pdp/evaluate.ts'
import type { PolicyMatch } from '../../pdp/evaluation.ts'
import type { DecisionRefusal, Pass } from '../../pdp/refusal.ts'
import type { Decision } from './decide.ts'
import { nearestAllows } from './nearest.ts'

interface Gate {
  readonly passed: string
  readonly refusals: readonly DecisionRefusal['reason'][]
}

/** In the order of the core. */
const GATES: readonly Gate[] = [
  { passed: 'nothing is revoked', refusals: ['revoked'] },
  { passed: 'the tenant is active', refusals: ['tenant_inactive'] },
  { passed: 'the server is active', refusals: ['server_inactive'] },
  { passed: 'the client is registered', refusals: ['client_unknown', 'client_inactive'] },
  { passed: 'the agent may act', refusals: ['agent_unknown', 'agent_inactive'] },
  { passed: 'the tool has a row', refusals: ['tool_unknown'] },
  { passed: 'the scopes suffice', refusals: ['insufficient_scope'] },
]

const WHO: Readonly<Record<Pass, string>> = { subject: 'the subject', agent: 'the agent' }
const NEAREST = 3

export function explain(decision: Decision): string[] {
  const { refusal } = decision
  const failed = GATES.findIndex(({ refusals }) => refusals.some((one) => one === refusal?.reason))
  const passed = GATES.slice(0, failed < 0 ? GATES.length : failed).map((gate) => gate.passed)
  const lines = [verdict(decision), `gates passed: ${passed.join(', ') || 'none'}`]
  lines.push(...aboutTool(decision))
  if (failed >= 0) return [...lines, 'policies were not asked']
  return [...lines, ...aboutPasses(decision), ...aboutRules(decision)]
}

function verdict({ refusal }: Decision): string {
  if (refusal === null) return 'allowed'
  return `denied (${refusal.reason}): ${because(refusal)}`
}

function because(refusal: DecisionRefusal): string {
  switch (refusal.reason) {
    case 'revoked':
      return `the ${refusal.kind} is revoked`
    case 'tenant_inactive':
      return 'the tenant is switched off'
    case 'server_inactive':
      return 'the server is switched off'
    case 'client_unknown':
      return 'no row of `clients` speaks of this client'
    case 'client_inactive':
      return 'the client is switched off'
    case 'agent_unknown':
      return 'no row of `agents` speaks of this agent'
    case 'agent_inactive':
      return 'the agent is switched off'
    case 'tool_unknown':
      return `no row of \`tools\` speaks of \`${refusal.tool}\``
    case 'insufficient_scope':
      return `it needs the scopes ${refusal.scopes.join(' ')}`
    case 'not_allowed':
      return `no allow counts for ${WHO[refusal.pass]}`
    case 'denied_by_policy':
      return `policy \`${refusal.policy}\` denies it for ${WHO[refusal.pass]}`
    case 'denied_by_sequence':
      return `sequence rule \`${refusal.rule}\` holds after what was done before`
    case 'rate_limited':
      return 'too many calls'
  }
}

function aboutTool({ facts: { tool } }: Decision): string[] {
  if (tool === null) return []
  const pattern = tool.row === tool.name ? '' : `, by its pattern \`${tool.row}\``
  const labels = tool.labels.join(', ') || 'none'
  return [`tool \`${tool.name}\`${pattern}: access ${tool.access}, labels: ${labels}`]
}

function aboutPasses(decision: Decision): string[] {
  const { request, facts, matches } = decision
  return principals(actorOf(request), facts, request.context.now).flatMap(({ pass, roles }) => {
    const own = matches.filter((match) => match.pass === pass)
    const held = [...roles].join(', ') || 'none'
    const lines = [`for ${WHO[pass]} (roles: ${held}):`]
    lines.push(...own.map((match) => `  ${aboutMatch(match)}`))
    if (own.some(({ effect, counted }) => effect === 'allow' && counted)) return lines
    lines.push('  no allow counts; the nearest:')
    for (const { id, misses } of nearestAllows(decision, pass, NEAREST)) {
      lines.push(`    \`${id}\`: ${misses.join('; ')}`)
    }
    return lines
  })
}

function aboutMatch({ id, effect, counted, error }: PolicyMatch): string {
  if (error === null) return `policy \`${id}\` ${effect === 'allow' ? 'allows' : 'denies'}`
  return counted
    ? `policy \`${id}\` denies, because its condition failed: ${error}`
    : `policy \`${id}\` does not count, because its condition failed: ${error}`
}

function aboutRules({ asked, hits }: Decision): string[] {
  if (asked.length === 0) return ['sequence rules: none is about the labels of this tool']
  const names = asked.map((id) => `\`${id}\``).join(', ')
  if (hits === null) return [`sequence rules that would be asked: ${names}`]
  const lines = [`sequence rules asked: ${names}`]
  for (const { rule, effect, reason } of hits) {
    lines.push(`  \`${rule}\` holds (${effect}, ${reason})`)
  }
  return hits.length === 0 ? [...lines, '  none of them holds'] : lines
}
