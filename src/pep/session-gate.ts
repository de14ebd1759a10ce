import type { Session } from '../durable-objects/session.ts'
import {
  SESSION_PROTOCOL,
  type AdmitAnswer,
  type AdmitRequest,
  type DenialAnswer,
  type DenialNote,
  type OutcomeState,
} from '../durable-objects/session-protocol.ts'
import { err, ok, type Result } from '../result.ts'
import { inTime, LATE } from '../in-time.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { UnavailableRefusal } from './refusal.ts'

/** An answer that takes longer counts as lost, and what is lost is not forwarded. */
const ANSWER_BUDGET_MS = 2_000

/** One call's side of its subject's session. Every failure is the same refusal: 503. */
export class SessionGate {
  readonly #namespace: DurableObjectNamespace<Session>
  readonly #id: DurableObjectId

  constructor(namespace: DurableObjectNamespace<Session>, session: string) {
    this.#namespace = namespace
    this.#id = namespace.idFromName(session)
  }

  /** Asks once more with the rules if the session does not have this revision's. */
  async admit(
    request: Omit<AdmitRequest, 'rules'>,
    compiled: CompiledTenant,
  ): Promise<Result<Admission, UnavailableRefusal>> {
    const first = await this.#ask((session) => session.admit({ ...request, rules: null }))
    if (!first.ok || first.value.kind !== 'rules_needed') return settled(first)
    const rules = compiled.sequenceRules
    return settled(await this.#ask((session) => session.admit({ ...request, rules })))
  }

  async noteDenial(note: DenialNote): Promise<Result<DenialAnswer, UnavailableRefusal>> {
    // Not twice: an equal refusal that is counted on another record leaves no event to know it by.
    return this.#ask((session) => session.noteDenial(note), 1)
  }

  /** For the background: a lost outcome leaves the call pending, which counts as its worst case. */
  async settle(
    tenant: string,
    decision: string,
    state: OutcomeState,
    detail: string,
  ): Promise<void> {
    const outcome = { version: SESSION_PROTOCOL, tenant, decision, state, detail } as const
    await this.#ask((session) => session.settle(outcome))
  }

  /** Twice at most: an admission is idempotent by its decision id, and a broken stub stays broken. */
  async #ask<T>(
    call: (session: SessionCalls) => Promise<T>,
    attempts = 2,
  ): Promise<Result<T, UnavailableRefusal>> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      try {
        // A fresh stub each time; its own type hides that all answers are plain data.
        const session = this.#namespace.get(this.#id) as unknown as SessionCalls
        const answer = await inTime(call(session), ANSWER_BUDGET_MS, LATE)
        if (answer !== LATE) return ok(answer)
        console.warn('a session took too long')
      } catch (error) {
        console.warn('a session did not answer', String(error))
      }
    }
    return err({ at: 'decide', reason: 'session_unavailable' })
  }
}

type SessionCalls = Pick<Session, 'admit' | 'noteDenial' | 'settle'>

export type Admission = Exclude<AdmitAnswer, { kind: 'rules_needed' }>

function settled(
  answer: Result<AdmitAnswer, UnavailableRefusal>,
): Result<Admission, UnavailableRefusal> {
  if (!answer.ok) return answer
  return answer.value.kind === 'rules_needed'
    ? err({ at: 'decide', reason: 'session_unavailable' })
    : ok(answer.value)
}
