import type { Operation } from '../mcp/operation.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { evaluate } from '../pdp/evaluate.ts'
import type { Sighting } from '../pdp/evaluation.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { Carried } from '../upstream/credentials/carried.ts'
import type { Background, Doors } from './doors.ts'
import type { Judged } from './judge.ts'
import { observationOf, type Sent } from './observe.ts'
import { comparePins, noteListing } from './pins.ts'
import { listingRequest, type Question } from './question.ts'
import { decideResult, type ResultAnswer } from './result.ts'
import type { SessionGate } from './session-gate.ts'

/** Leave for one operation, given now and good for nothing else. */
export interface Permit {
  readonly decision: string
  readonly tenant: string
  readonly operation: Operation
  readonly upstream: URL
  /** What we show the upstream, made for this call. */
  readonly credential: Carried['headers']
  /** For the client's next proof of possession; null: it needs no other. */
  readonly nonce: string | null
  readonly session: SessionGate
  /** Which tools of a listing may be shown: the same gates, up to the policies. */
  readonly showing: (listed: readonly JsonValue[]) => Promise<Showing>
  /** Whether the client may see this result; null where no row speaks of results of this tool. */
  readonly mayReturn: ((result: JsonObject | null) => Promise<ResultAnswer>) | null
  /** Tells the session of one message, and whether it knows now; null where no rule would ask. */
  readonly observe: ((sent: Sent) => Promise<boolean>) | null
}

export interface Showing {
  readonly maySee: (tool: string) => boolean
  /** Tells all others what this listing showed; for the background. */
  readonly note: () => Promise<void>
}

/** What a permit is made from. */
export interface Admitted {
  readonly operation: Operation
  readonly doors: Doors
  readonly background: Background
  readonly question: Question
  readonly session: SessionGate
  readonly argumentsKey: string
  readonly nonce: string | null
  readonly carried: Carried
}

export function permitOf(
  call: Admitted,
  decision: string,
  judged: Judged,
  labels: readonly string[],
): Permit {
  const { operation, doors, question, session, nonce } = call
  const { tenant } = question.actor
  const { server } = judged
  const { origins } = server.flows(question.tool ?? '')
  const results = question.tool === null ? [] : server.tools.fields(question.tool).results
  return {
    decision,
    tenant,
    operation,
    upstream: server.url,
    credential: call.carried.headers,
    nonce,
    session,
    showing: (listed) => showing(listed, judged, doors, tenant),
    mayReturn:
      results.length === 0 ? null : (result) => decideResult(call, decision, judged, result),
    observe: observing(judged.compiled.rules, labels, results.length > 0, (sent) =>
      session.observe(observationOf(decision, sent, origins)),
    ),
  }
}

type Tell = (sent: Sent) => Promise<boolean>

/**
 * What the history is told of what comes back: all of it where some rule asks, else what resources in
 * it are labelled.
 *
 * INVARIANT: labels are told whether a rule asks or not: one that is added later finds them.
 */
function observing(
  { reads }: CompiledTenant['rules'],
  labels: readonly string[],
  mayBring: boolean,
  tell: Tell,
): Tell | null {
  if (reads.origins || labels.some((label) => reads.rowsOf.has(label))) return tell
  return mayBring ? async (sent) => !bringsLabels(sent) || tell(sent) : null
}

const bringsLabels = (sent: Sent): boolean => sent.kind === 'result' && sent.labels.length > 0

async function showing(
  listed: readonly JsonValue[],
  judged: Judged,
  doors: Doors,
  tenant: string,
): Promise<Showing> {
  const { request, facts, fresh, compiled, server, readAt } = judged
  const { name } = server.facts
  const sighted = await comparePins(listed, server)
  const seen = new Map(sighted.map((one) => [one.tool, one]))
  return {
    maySee: (tool) => {
      if (fresh.revokedTools.has(`${name}/${tool}`)) return false
      const earlier = fresh.sightings.get(tool) ?? null
      const here = seen.get(tool)
      const sighting: Sighting | null =
        here === undefined
          ? earlier
          : {
              hash: here.hash,
              // Right here and wrong elsewhere is wrong.
              matchedAt: here.asPinned ? readAt : null,
              differedAt: here.asPinned ? (earlier?.differedAt ?? null) : Infinity,
            }
      const asListed = { ...facts, tool: server.tools.find(tool, null), sighting }
      const { refusal } = evaluate(listingRequest(request, tool), compiled.policies, asListed)
      return refusal === null
    },
    note: () => noteListing(doors, tenant, name, sighted, fresh.sightings),
  }
}
