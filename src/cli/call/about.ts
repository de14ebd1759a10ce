// What the gates looked at, row by row, in plain words.
import { consentState } from '../../pdp/consent.ts'
import { actorOf, isObserved } from '../../pdp/evaluate.ts'
import { isWorkload, type ConsentFact, type ToolFacts } from '../../pdp/evaluation.ts'
import type { Target } from '../../pdp/resources.ts'
import { openTasks } from '../../pdp/task.ts'
import { because } from './because.ts'
import type { Decision } from './decide.ts'

/** Lines about the call and everything that it touches, before any policy was asked. */
export const aboutCall = (decision: Decision): string[] => [
  ...aboutServer(decision),
  ...aboutTool(decision),
  ...decision.facts.targets.map(aboutTarget),
  ...aboutConsent(decision),
  ...aboutTasks(decision),
]

function aboutServer({ facts, request }: Decision): string[] {
  const { observeUntil, name } = facts.server
  if (observeUntil === null) return []
  return isObserved(facts, request.context.now)
    ? [
        `server \`${name}\` is observed until ${time(observeUntil)}: most of this is only written down`,
      ]
    : [`server \`${name}\` was observed until ${time(observeUntil)}: it enforces`]
}

function aboutTool({ facts: { tool, sighting } }: Decision): string[] {
  if (tool === null) return []
  const pattern = tool.row === tool.name ? '' : `, by its pattern \`${tool.row}\``
  const labels = tool.labels.join(', ') || 'none'
  const { access, environment } = tool
  return [
    `tool \`${tool.name}\`${pattern}: access ${access}, environment ${environment}, labels: ${labels}`,
    `  ${aboutPin(tool, sighting)}`,
  ]
}

function aboutPin({ pin }: ToolFacts, sighting: Decision['facts']['sighting']): string {
  if (pin === null) return 'its definition is not pinned'
  const pinned = `its definition is pinned as ${pin.hash.slice(0, 12)}…`
  if (sighting === null) return `${pinned}, and was not seen lately`
  const { differedAt } = sighting
  return differedAt !== null && differedAt >= pin.pinnedAt
    ? `${pinned}, and was listed otherwise at ${time(differedAt)}`
    : `${pinned}, and was listed so`
}

function aboutTarget(target: Target): string {
  const { type, id, from, row, sensitivity } = target
  const where = from === 'result' ? 'in the result' : 'in the arguments'
  const start = `touches ${nameOf(target)} (${where}): ${sensitivity}`
  // What cannot be read, and what says its class itself, has no name to look a row up by.
  if (type === '' || type.startsWith('class.')) return start
  if (target.foreign) return `${start}, listed by another tenant at the same upstream`
  if (row === null || id === null) return `${start}, unlisted and so nobody's`
  const by = row.pattern ? `, by the pattern \`${row.id}\`` : ''
  const whose = row.owner === null ? "nobody's" : `owner \`${row.owner.id}\` of ${row.owner.issuer}`
  const labels = row.labels.length === 0 ? '' : `, labels: ${row.labels.join(', ')}`
  return `${start}, ${whose}${by}${labels}`
}

function nameOf({ type, id, sensitivity }: Target): string {
  if (type === '') return 'something that cannot be read'
  if (type.startsWith('class.')) return `something that calls itself ${sensitivity}`
  return id === null ? `some ${type} that it does not name` : `${type} \`${id}\``
}

function aboutConsent({ facts, request }: Decision): string[] {
  const { server, tool, consents } = facts
  if (!server.consentRequired || tool === null) return []
  if (isWorkload(actorOf(request))) return ['consent: a workload acts for nobody who could consent']
  const state = consentState(tool, consents, request.context.now)
  const of = consents.map((consent) => `\`${consent.id}\` (${boundsOf(consent)})`).join(', ')
  return [`consent: ${state}; rows that could cover it: ${of || 'none'}`]
}

const boundsOf = ({ tool, access, expiresAt, revokedAt }: ConsentFact): string =>
  [
    ...(tool === null ? [] : [`tool ${tool}`]),
    ...(access === null ? [] : [`access ${access}`]),
    ...(expiresAt === null ? [] : [`until ${time(expiresAt)}`]),
    ...(revokedAt === null ? [] : [`taken back ${time(revokedAt)}`]),
  ].join(', ')

function aboutTasks({ facts, request }: Decision): string[] {
  return openTasks(actorOf(request), request, facts).map((task) => {
    const tools = task.tools === null ? 'any tool' : `tools ${task.tools.join(' ')}`
    const access = task.access === null ? 'any access' : `access ${task.access.join(' ')}`
    const data = task.dataClasses === null ? '' : `, data ${task.dataClasses.join(' ')}`
    const calls = task.maxCalls === null ? '' : `, ${task.maxCalls} calls`
    const end = task.revokedAt === null ? `until ${time(task.expiresAt)}` : 'revoked'
    const approved = task.approved ? 'approved' : 'not approved'
    return `task \`${task.id}\` (${task.purpose}): ${tools}, ${access}${data}${calls}, ${approved}, ${end}`
  })
}

/** What rows that only watch would have made of it. */
export function aboutWouldBe({ wouldBe, refusal }: Decision): string[] {
  if (wouldBe === null) return []
  const what =
    wouldBe.refusal === null
      ? 'allowed'
      : `denied (${wouldBe.refusal.reason}): ${because(wouldBe.refusal)}`
  const when = wouldBe.by === 'observe' ? 'if the server were enforced' : 'with the shadow policies'
  const same = (wouldBe.refusal?.reason ?? null) === (refusal?.reason ?? null)
  return [`${when}: ${same ? 'the same' : what}`]
}

const time = (at: number): string => new Date(at).toISOString()
