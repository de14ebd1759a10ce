import { evaluate } from '../pdp/evaluate.ts'
import { DEFINITION_SEEN_WITHIN_MS } from '../pdp/gates.ts'
import type { Evaluation, EvaluationRequest, Facts } from '../pdp/evaluation.ts'
import type { FieldReading, NamedResource } from '../pdp/resources.ts'
import { argumentsRead, factKeysOf } from '../question/fact-keys.ts'
import { factsOf } from '../question/facts.ts'
import type { Question } from '../question/question.ts'
import { requestOf } from '../question/request.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledServer, CompiledTenant } from '../storage/compiled.ts'
import type { FreshFacts } from '../storage/facts.ts'
import type { PolicyStore } from '../storage/policy-store.ts'
import type { Background, Doors } from './doors.ts'
import { unavailable } from './identify.ts'
import { lookAgain, lookAhead } from './pins.ts'
import type { Refusal } from './refusal.ts'

/** A question with everything that its answer rests on, all of one revision. */
export interface Judged extends Evaluation {
  readonly request: EvaluationRequest
  readonly facts: Facts
  readonly fresh: FreshFacts
  readonly compiled: CompiledTenant
  readonly server: CompiledServer
  /** Epoch milliseconds, before the reading of the facts began. */
  readonly readAt: number
}

/**
 * Door two without its history: facts from one reading, then the gates and the policies. Whoever
 * asks, Worker or AuthZEN, is answered from here.
 */
export async function judge(
  question: Question,
  known: CompiledTenant,
  policies: PolicyStore,
  inResult: readonly NamedResource[] = [],
): Promise<Result<Judged, Refusal>> {
  const named = (compiled: CompiledTenant): FieldReading => {
    const read = argumentsRead(question, compiled)
    return read.kind === 'named' && inResult.length > 0
      ? { kind: 'named', resources: [...read.resources, ...inResult] }
      : read
  }
  const gathered = await policies.gather((compiled) => {
    const read = named(compiled)
    return factKeysOf(question, read.kind === 'named' ? read.resources : [], compiled)
  }, known)
  if (!gathered.ok) return err(unavailable(gathered.error))
  const { compiled, facts: fresh, readAt } = gathered.value
  const server = compiled.servers.get(question.server)
  if (server === undefined) return err({ at: 'receive', reason: 'server_unknown' })
  const tool = question.tool === null ? null : server.tools.find(question.tool, question.arguments)
  const facts = factsOf(fresh, server, tool, named(compiled), question.actor, compiled.issuers)
  const request = requestOf(question, readAt)
  const evaluation = evaluate(request, compiled.policies, facts)
  return ok({ ...evaluation, request, facts, fresh, compiled, server, readAt })
}

/**
 * Where nobody has seen the tool's definition lately, Sallyport looks first: once for each call, or
 * the call waits for those who look already.
 */
export async function judgeSeen(
  question: Question,
  known: CompiledTenant,
  doors: Doors,
  background: Background,
  inResult: readonly NamedResource[] = [],
): Promise<Result<Judged, Refusal>> {
  let judged = await judge(question, known, doors.policies, inResult)
  let looked = false
  for (let wait = 0; wait < MAX_WAITS && !looked && judged.ok; wait += 1) {
    const { refusal, server, compiled } = judged.value
    if (refusal?.reason !== 'tool_unverified') break
    looked = await lookAgain(doors, question.actor.tenant, server)
    // Others are looking: what they see is read with the facts.
    if (!looked) await pause(WAIT_MS)
    judged = await judge(question, compiled, doors.policies, inResult)
  }
  if (judged.ok && !looked && wantsLook(judged.value)) {
    // What is still good, or only watched, waits for nobody.
    background(lookAhead(doors, question.actor.tenant, judged.value.server))
  }
  return judged
}

const MAX_WAITS = 4
const WAIT_MS = 250

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** In the second half of the time for which a sighting counts. */
const wantsLook = ({ facts, wouldBe, readAt }: Judged): boolean =>
  wouldBe?.refusal?.reason === 'tool_unverified' ||
  (facts.sighting !== null &&
    readAt - (facts.sighting.matchedAt ?? 0) > DEFINITION_SEEN_WITHIN_MS / 2)
