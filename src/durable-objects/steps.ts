import { ended, takenBack, type RuleSet } from '../pdp/sequence/advance.ts'
import { digestedValues } from '../pdp/sequence/digested.ts'
import type { Change } from '../pdp/sequence/memory.ts'
import type { LoggedStep, Moment, Step } from '../pdp/sequence/step.ts'
import type { Digests } from './digests.ts'
import type { StoredEvent } from './event-log.ts'
import type { AdmitRequest, Outcome, SessionStep } from './session-protocol.ts'
import type { SessionStore } from './session-store.ts'

/** A call as the rules look at it. */
export function stepOfCall(
  { flow, columns, actorKey }: AdmitRequest,
  now: Moment,
  digests: Digests,
): Step {
  const { tool, access, labels, task, values, asked, ownDomains } = flow
  return {
    actorKey,
    taskKey: task,
    server: columns.server,
    tool,
    access,
    labels,
    now,
    values: digestedValues(values, (text) => digests.of(text)),
    asked,
    ownDomains,
  }
}

/** What the history learns from how a call ended. */
export function learntFromEnd(
  { memory, log }: SessionStore,
  rules: RuleSet,
  event: StoredEvent,
  { state, unread, erred = false }: Outcome,
): readonly Change[] {
  if (state === 'failed') return takenBack(rules, memory, event)
  const happened = state === 'committed' && !erred
  const step = { ...event, brought: log.broughtBy(event) }
  const changes = ended(rules, memory, step, log.lastSequence, happened)
  const flags = memory.flags()
  // INVARIANT: nothing is concluded from a value not being known once a result went by unread.
  return unread && rules.reads.origins && !flags.forgotSeen
    ? [...changes, { kind: 'flag', key: {}, value: { ...flags, forgotSeen: true } }]
    : changes
}

/** What a step asked of the history. */
export type Flow = Pick<LoggedStep, 'taskKey' | 'server' | 'tool' | 'access' | 'labels' | 'values'>

/** Of a step that was refused before it came to the history. */
export const unseen = ({ columns: { server, tool } }: SessionStep): Flow => ({
  taskKey: null,
  server,
  tool: tool ?? '',
  access: '',
  labels: [],
  values: [],
})
