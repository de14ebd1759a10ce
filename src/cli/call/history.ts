// What a session would remember of earlier calls, folded by the core's own functions.
import { afterGrant, ended, type FactChange } from '../../pdp/sequence/advance.ts'
import type { FactKey, FactView, LabelFact } from '../../pdp/sequence/facts.ts'
import { actorKeyOf, type Question } from '../../pep/question.ts'
import type { PastCall } from './call.ts'

export function remembered(
  question: Question,
  history: readonly PastCall[],
  labelsOf: (past: Question) => readonly string[],
  now: number,
): FactView {
  const actorKey = actorKeyOf(question.actor)
  const facts = new Map<string, LabelFact>()
  const view: FactView = { get: (key) => facts.get(nameOf(key)) }
  const keep = (changes: readonly FactChange[]): void => {
    for (const { key, fact } of changes) facts.set(nameOf(key), fact)
  }
  for (const [at, past] of history.entries()) {
    const { tool, arguments: given } = past
    const server = past.server ?? question.server
    const labels = labelsOf({ ...question, server, tool, arguments: given })
    const sequence = at + 1
    const when = now - (past.secondsAgo ?? history.length - at) * 1000
    keep(afterGrant(view, { actorKey, labels, now: { sequence, at: when } }))
    // It was answered before the next one began: only what has happened can clear what was before.
    keep(ended(view, { actorKey, labels, sequence, at: when }, sequence, true))
  }
  return view
}

const nameOf = ({ scope, key, label }: FactKey): string => JSON.stringify([scope, key, label])
