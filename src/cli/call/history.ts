// What a session would remember of earlier calls, folded by the core's own functions.
import type { Actor, ToolFacts } from '../../pdp/evaluation.ts'
import {
  afterGrant,
  compileRules,
  ended,
  type FactChange,
  type RuleSet,
} from '../../pdp/sequence/advance.ts'
import type { FactKey, FactView, LabelFact } from '../../pdp/sequence/facts.ts'
import type { Step } from '../../pdp/sequence/rule.ts'
import { Mistake } from '../mistake.ts'
import type { ServerRows, TenantRows } from '../scratch/tenant-rows.ts'

/** A call that was granted before, on the same server unless it says otherwise. */
export interface PastCall {
  readonly tool: string
  readonly server: string | null
  /** null: one second before the next one. */
  readonly secondsAgo: number | null
}

export interface Remembered {
  readonly rules: RuleSet
  readonly view: FactView
  /** The call in question. */
  readonly step: Step
}

export function remembered(
  rows: TenantRows,
  server: ServerRows,
  actor: Actor,
  history: readonly PastCall[],
  tool: ToolFacts | null,
  now: number,
): Remembered {
  // As the session names who acts within it: `actorKeyOf` in src/pep/question.ts.
  const actorKey = JSON.stringify([actor.client, actor.agent])
  const facts = new Map<string, LabelFact>()
  const view: FactView = { get: (key) => facts.get(nameOf(key)) }
  const keep = (changes: readonly FactChange[]): void => {
    for (const { key, fact } of changes) facts.set(nameOf(key), fact)
  }
  for (const [at, past] of history.entries()) {
    const sequence = at + 1
    const labels = labelsOf(rows, server, past)
    const secondsAgo = past.secondsAgo ?? history.length - at
    const when = now - secondsAgo * 1000
    keep(afterGrant(view, { actorKey, labels, now: { sequence, at: when } }))
    // It was answered before the next one began: only what has happened can clear what was before.
    keep(ended(view, { actorKey, labels, sequence, at: when }, sequence, true))
  }
  const step: Step = {
    actorKey,
    labels: tool?.labels ?? [],
    now: { sequence: history.length + 1, at: now },
  }
  return { rules: compileRules('', rows.rules), view, step }
}

function labelsOf(rows: TenantRows, server: ServerRows, past: PastCall): readonly string[] {
  const where = past.server === null ? server : rows.servers.get(past.server)
  const tool = where?.tools.find(past.tool)
  if (tool === undefined || tool === null) {
    throw new Mistake(`history: no row of \`tools\` speaks of \`${past.tool}\``)
  }
  return tool.labels
}

const nameOf = ({ scope, key, label }: FactKey): string => JSON.stringify([scope, key, label])
