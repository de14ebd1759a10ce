import type { McpNote, McpNoteAnswer } from '../durable-objects/mcp-protocol.ts'
import type { Session } from '../durable-objects/session.ts'
import {
  SESSION_PROTOCOL,
  type AdmitAnswer,
  type AdmitRequest,
  type ChangeAnswer,
  type ChangeQuestion,
  type DenialAnswer,
  type ObservedMessage,
  type Possession,
  type Recalled,
  type RecallRequest,
  type SeenTool,
  type SessionRows,
  type TaskNote,
  type ToolLabels,
  type Unproven,
  type DenialNote,
  type OutcomeState,
} from '../durable-objects/session-protocol.ts'
import type { ProofRefusal } from '../authentication/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import { inTime, LATE } from '../in-time.ts'
import { labelsOfCall, UNKNOWN_TOOL_LABELS } from '../pdp/tool-class.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { UnavailableRefusal } from './refusal.ts'

/** An answer that takes longer counts as lost, and what is lost is not forwarded. */
const ANSWER_BUDGET_MS = 2_000
/** Longer than a session holds a question that waits. */
const WAIT_BUDGET_MS = 10_000

/** One call's side of its subject's session. Every failure is the same refusal: 503. */
export class SessionGate {
  readonly #namespace: DurableObjectNamespace<Session>
  readonly #id: DurableObjectId

  constructor(namespace: DurableObjectNamespace<Session>, session: string) {
    this.#namespace = namespace
    this.#id = namespace.idFromName(session)
  }

  /** Asks once more with the rows that the session does not have, or has not for all of its tools. */
  async admit(
    request: Omit<AdmitRequest, 'rows' | 'rulesKey' | 'labelsKey'>,
    compiled: CompiledTenant,
  ): Promise<Result<Admission, UnavailableRefusal | ProofRefusal>> {
    const { rulesKey, labelsKey } = compiled
    let rows: SessionRows | null = null
    for (let attempt = 0; attempt < MAX_ADMIT_ATTEMPTS; attempt += 1) {
      const whole = { ...request, rulesKey, labelsKey, rows }
      // Each with what the one before it asked for.
      // oxlint-disable-next-line no-await-in-loop
      const answer = await this.#ask((session) => session.admit(whole))
      if (!answer.ok) return answer
      if (answer.value.kind === 'unproven') return err(answer.value.refusal)
      if (answer.value.kind !== 'rules_needed') return ok(answer.value)
      rows = rowsFor(answer.value.tools, compiled)
    }
    return err({ at: 'decide', reason: 'session_unavailable' })
  }

  /** Whether it is stored: what is not must not be released. */
  async observe(message: ObservedMessage): Promise<boolean> {
    const answer = await this.#ask((session) => session.observe(message))
    return answer.ok && answer.value.stored
  }

  async noteDenial(
    note: DenialNote,
  ): Promise<Result<DenialAnswer, UnavailableRefusal | ProofRefusal>> {
    // Not twice: an equal refusal that is counted on another record leaves no event to know it by.
    const answer = await this.#ask((session) => session.noteDenial(note), 1)
    if (!answer.ok) return answer
    return answer.value.kind === 'unproven' ? err(answer.value.refusal) : ok(answer.value)
  }

  /** null: it did not answer. */
  async recall(request: Omit<RecallRequest, 'version'>): Promise<Recalled | null> {
    const whole = { version: SESSION_PROTOCOL, ...request } as const
    const answer = await this.#ask((session) => session.recall(whole))
    return answer.ok ? answer.value : null
  }

  /** Whether it is kept: a task that is not would be nobody's. */
  async keepTask(note: Omit<TaskNote, 'version'>): Promise<boolean> {
    const whole = { version: SESSION_PROTOCOL, ...note } as const
    const answer = await this.#ask((session) => session.keepTask(whole))
    return answer.ok && answer.value
  }

  /** null: it did not answer. */
  async seal(text: string): Promise<string | null> {
    const answer = await this.#ask((session) => session.seal({ version: SESSION_PROTOCOL, text }))
    return answer.ok ? answer.value : null
  }

  /** What became of a legacy MCP session, or in it; null: it is not stored. */
  async noteMcp(note: Unversioned<McpNote>): Promise<McpNoteAnswer | null> {
    const whole = { version: SESSION_PROTOCOL, ...note } as const
    const answer = await this.#ask((session) => session.noteMcp(whole))
    return answer.ok && answer.value.stored ? answer.value : null
  }

  /** Whether the rows have moved since they were in that state; null: it does not say. */
  async changes(question: Omit<ChangeQuestion, 'version'>): Promise<ChangeAnswer | null> {
    const { wait } = question
    const whole = { version: SESSION_PROTOCOL, ...question } as const
    const budget = wait ? WAIT_BUDGET_MS : ANSWER_BUDGET_MS
    const answer = await this.#ask((session) => session.changes(whole), 1, budget)
    return answer.ok ? answer.value : null
  }

  /** For a caller who asks nothing of this history but was proven by what it holds. */
  async useProofs(
    possession: Possession,
  ): Promise<Result<null, UnavailableRefusal | ProofRefusal>> {
    const answer = await this.#ask<Unproven | null>((session) => session.useProofs(possession))
    if (!answer.ok) return answer
    return answer.value === null ? ok(null) : err(answer.value.refusal)
  }

  /** For the background: a lost outcome leaves the call pending, which counts as its worst case. */
  async settle(
    tenant: string,
    decision: string,
    state: OutcomeState,
    detail: string,
    unread = false,
    erred = false,
  ): Promise<void> {
    const outcome = {
      version: SESSION_PROTOCOL,
      tenant,
      decision,
      state,
      detail,
      unread,
      erred,
    } as const
    await this.#ask((session) => session.settle(outcome))
  }

  /** Twice at most: an admission is idempotent by its decision id, and a broken stub stays broken. */
  async #ask<T>(
    call: (session: SessionCalls) => Promise<T>,
    attempts = 2,
    budget = ANSWER_BUDGET_MS,
  ): Promise<Result<T, UnavailableRefusal>> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      try {
        // A fresh stub each time; its own type hides that all answers are plain data.
        const session = this.#namespace.get(this.#id) as unknown as SessionCalls
        const answer = await inTime(call(session), budget, LATE)
        if (answer !== LATE) return ok(answer)
        console.warn('a session took too long')
      } catch (error) {
        console.warn('a session did not answer', String(error))
      }
    }
    return err({ at: 'decide', reason: 'session_unavailable' })
  }
}

type SessionCalls = Pick<
  Session,
  | 'admit'
  | 'noteDenial'
  | 'observe'
  | 'settle'
  | 'useProofs'
  | 'recall'
  | 'keepTask'
  | 'seal'
  | 'noteMcp'
  | 'changes'
>

/** Of each kind of note. */
type Unversioned<Note> = Note extends unknown ? Omit<Note, 'version'> : never

export type Admission = Exclude<AdmitAnswer, { kind: 'rules_needed' }>

/** While other calls bring tools that the session had not seen when it was asked. */
const MAX_ADMIT_ATTEMPTS = 4

/** What calls of these tools carry now, whatever their arguments were. */
function rowsFor(
  seen: readonly SeenTool[],
  { sequenceRules, servers }: CompiledTenant,
): SessionRows {
  const tools = seen.map((tool): ToolLabels => {
    const server = servers.get(tool[0])
    if (server === undefined) return { tool, ...GONE }
    if (tool[1] === '') {
      const certain = labelsOfCall({ tool: null, server: server.facts, targets: [] })
      return { tool, certain, possible: [], gone: false }
    }
    const facts = server.tools.find(tool[1], null)
    if (facts === null) return { tool, ...GONE }
    const possible = facts.depends?.labels ?? []
    const certain = facts.labels.filter((label) => !possible.includes(label))
    return { tool, certain, possible, gone: false }
  })
  return { rules: sequenceRules, tools }
}

/** What has no row any more may have been anything, and what it was before. */
const GONE = { certain: [], possible: UNKNOWN_TOOL_LABELS, gone: true } as const
