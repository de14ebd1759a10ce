import type { Access, EvaluationRequest, Facts, ToolFacts } from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'
import { ownTask } from './tasks.ts'

/**
 * Conditions are a list of known texts with their answers, so that the expression engine is no part
 * of the comparison.
 */
export type Answers = Readonly<Record<string, Answer>>

export interface Answer {
  readonly answer: (request: EvaluationRequest, facts: Facts) => boolean | 'error'
  /** What a listing, which has no call, cannot know of it. */
  readonly about: 'call' | 'tool' | 'neither'
}

/** A call is of one class; a tool that is only listed may be of several. */
export const classesOf = (tool: ToolFacts): readonly Access[] =>
  tool.depends === null ? [tool.access] : tool.depends.access

/** In a listing an allow is for what some calls are, and a deny for what all of them are. */
export function columnsApply(row: PolicyRow, request: EvaluationRequest, facts: Facts): boolean {
  const { client, agent } = request.subject.properties
  const { tool, server } = facts
  if (tool === null) return false
  const carried = [...tool.labels, ...facts.targets.flatMap((target) => target.row?.labels ?? [])]
  const surelyCarried = carried.filter((label) => !tool.depends?.labels.includes(label))
  const classes = classesOf(tool)
  const deny = row.effect === 'deny'
  if (row.server !== null && row.server !== server.name) return false
  if (row.tool !== null && !matchesPattern(row.tool, tool.name)) return false
  if (row.environment !== null && row.environment !== tool.environment) return false
  if (row.client !== null && row.client !== client) return false
  if (row.agent !== null && row.agent !== '*' && row.agent !== agent) return false
  if (row.access !== null) {
    if (deny ? classes.some((one) => one !== row.access) : !classes.includes(row.access)) {
      return false
    }
  }
  // What the arguments of another call name may bring the label along.
  const broughtAlong = !deny && tool.depends?.anyLabel === true
  return row.label === null || broughtAlong || (deny ? surelyCarried : carried).includes(row.label)
}

/** A number: it allows, and what it still asks for costs so much (0: nothing). */
export type Effect = 'silent' | 'errs' | 'denies' | number

/** An error in an allow is no allow, an error in a deny is a deny. */
export function effectOf(
  row: PolicyRow,
  request: EvaluationRequest,
  facts: Facts,
  answers: Answers,
): Effect {
  const deny = row.effect === 'deny'
  const listing = request.context.arguments === null
  const applies = (): Effect => (deny ? 'denies' : listing ? 0 : costOf(row, request, facts))
  if (row.condition === null) return applies()
  const known = answers[row.condition]
  if (known === undefined) throw new Error(`nobody knows \`${row.condition}\``)
  const unknowable =
    known.about === 'call' || (known.about === 'tool' && (facts.tool?.depends ?? null) !== null)
  if (listing && unknowable) return deny ? 'silent' : 0
  const answer = known.answer(request, facts)
  if (answer === 'error') return deny ? 'denies' : 'errs'
  return answer ? applies() : 'silent'
}

/** An approval can be given at once, a login takes the person, a task somebody else, a bound token another client. */
function costOf(row: PolicyRow, request: EvaluationRequest, facts: Facts): number {
  const { acr, authTime, senderConstrained } = request.subject.properties
  const seconds = request.context.now / 1000
  if (row.requireSenderConstrained && !senderConstrained) return 4
  const task = ownTask(request, facts)
  if (row.requireTask !== null && task === undefined) return 3
  if (row.requireTask === 'approved' && task?.approved !== true) return 3
  if (row.requireAcr !== null && !row.requireAcr.split(' ').some((one) => one === acr)) return 2
  if (row.maxAuthAgeSeconds !== null) {
    if (authTime === null || seconds > authTime + row.maxAuthAgeSeconds) return 2
  }
  return row.requireApproval ? 1 : 0
}

/** Of all allows that speak of a pass the nearest counts; without one it is infinitely far. */
export const bestOf = (costs: readonly number[]): number => Math.min(...costs, Infinity)

/** By trying every split: slow and plain. */
export function matchesPattern(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] !== '*') {
    return text[0] === pattern[0] && matchesPattern(pattern.slice(1), text.slice(1))
  }
  for (let skip = 0; skip <= text.length; skip += 1) {
    if (matchesPattern(pattern.slice(1), text.slice(skip))) return true
  }
  return false
}
