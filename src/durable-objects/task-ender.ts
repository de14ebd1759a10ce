import type { CompiledServer } from '../storage/compiled.ts'
import type { PolicyStore } from '../storage/policy-store.ts'
import { inTime, LATE } from '../in-time.ts'
import { err, ok, type Result } from '../result.ts'
import { CANCEL_BUDGET_MS, cancelTask, type Cancelled } from '../upstream/cancel-task.ts'
import {
  carryEnding,
  type EndingCarried,
  type EndingFault,
  type EndingParts,
} from '../upstream/credentials/ending.ts'
import type { CredentialKind } from '../storage/credential-kinds.ts'
import type { BegunTask } from '../upstream/credentials/running-tasks-protocol.ts'
import type { GroundsLook } from './grounds.ts'
import type { Retry } from './retry.ts'
import type { RunningTask, RunningTasks } from './running-tasks.ts'

/** Whoever could not be told for so long is not told any more, and that is written down. */
export const GIVE_UP_AFTER_MS = 60 * 60_000
/** How many messages to one server are on their way at a time: a Worker has few connections. */
const LANES = 2

export interface TaskEnderParts {
  readonly policies: PolicyStore
  readonly fetch: typeof fetch
  readonly retry: Retry
  /** For this very task: what its call carried. */
  readonly carrying: (begun: BegunTask) => EndingParts
  /** Something came to its end, and may have to be told. */
  readonly moved: () => Promise<void>
}

/**
 * Ends what runs on at servers for one subject when what it was started under is gone: by a word of
 * Sallyport's own, sent until the server answers.
 */
export class TaskEnder {
  readonly #tasks: RunningTasks
  readonly #parts: TaskEnderParts
  /** Servers that are being told, each in one go after the other. */
  readonly #telling = new Map<string, Promise<unknown>>()

  constructor(tasks: RunningTasks, parts: TaskEnderParts) {
    this.#tasks = tasks
    this.#parts = parts
  }

  /**
   * One look at everything that runs. `awaited`: tokens are taken back after it, with which a server might
   * have to be told: then it returns when whoever is told for the first time has been, or could not be in
   * time.
   */
  async look(grounds: GroundsLook, { awaited }: { awaited: boolean }): Promise<void> {
    const hasEnded = await this.#endTheGroundless(grounds)
    const told: Promise<unknown>[] = []
    for (const { server, isNew } of this.#tasks.untold(Date.now())) {
      const telling = this.#tellServer(server)
      // Later attempts hold nobody up: an hour of them would be an hour of late looks.
      if (isNew && (hasEnded || awaited)) told.push(telling)
    }
    if (told.length > 0) await inTime(Promise.all(told), CANCEL_BUDGET_MS, LATE)
  }

  /** When there is something to do, epoch milliseconds. `lookAt`: the next look at what runs. */
  times(lookAt: number): number[] {
    const end = this.#tasks.nextEnd()
    const attempt = this.#tasks.nextAttempt()
    return [
      ...(end === null ? [] : [Math.min(lookAt, end)]),
      ...(attempt === null ? [] : [attempt]),
    ]
  }

  /** Whether the ground of anything was gone. */
  async #endTheGroundless(grounds: GroundsLook): Promise<boolean> {
    let hasEnded = false
    for (const task of this.#tasks.running(Date.now())) {
      // oxlint-disable-next-line no-await-in-loop
      const ground = await grounds.of(task.begun.context)
      // It may have come to its own end meanwhile.
      if (ground.kind !== 'ended' || !this.#tasks.has(task.id)) continue
      this.#tasks.end(task, ground.cause, Date.now())
      hasEnded = true
    }
    return hasEnded
  }

  /** A few at a time, and until it has been told everything or does not listen. */
  #tellServer(server: string): Promise<unknown> {
    const before = this.#telling.get(server) ?? Promise.resolve()
    const telling: Promise<unknown> = before
      // What became known while it was told may have come too late for that.
      .then(() => Promise.all(Array.from({ length: LANES }, () => this.#lane(server))))
      .finally(() => {
        if (this.#telling.get(server) === telling) this.#telling.delete(server)
      })
    this.#telling.set(server, telling)
    return telling
  }

  async #lane(server: string): Promise<void> {
    try {
      for (;;) {
        const task = this.#tasks.nextUntold(server, Date.now())
        // oxlint-disable-next-line no-await-in-loop
        if (task === null || !(await this.#tell(task))) return
      }
    } catch (fault) {
      // Tried again: that was written down before it began.
      console.error('a server could not be told that a task of its ends', String(fault))
    }
  }

  /** False: its server does not listen, or asks to be left alone, so nothing else is said to it now. */
  async #tell(task: RunningTask): Promise<boolean> {
    const { retry, moved } = this.#parts
    const { server } = task.begun.context
    const attempts = task.attempts + 1
    const delay = retry.delayMs(task.attempts, null)
    this.#tasks.trying(task.id, Date.now() + CANCEL_BUDGET_MS + delay)
    const { answer, carried } = await this.#ask(task.begun)
    const isHeard =
      answer.kind !== 'failed' || (answer.status !== null && answer.retryAfterMs === null)
    // The server has said meanwhile that it is over.
    if (!this.#tasks.has(task.id)) return isHeard
    const now = Date.now()
    const said = { status: answer.status, attempts, carried }
    switch (answer.kind) {
      case 'cancelled':
      case 'over':
        this.#tasks.finish(task, { event: answer.kind, ...said }, now)
        break
      case 'lapsed':
        this.#tasks.finish(task, { event: 'lapsed', ...said, detail: answer.detail }, now)
        break
      case 'failed': {
        const { detail } = answer
        const later = now + retry.delayMs(task.attempts, answer.retryAfterMs)
        if (!isHeard) this.#tasks.leaveAlone(server, later)
        if (now > task.endedAt + GIVE_UP_AFTER_MS) {
          this.#tasks.finish(task, { event: 'lapsed', ...said, detail }, now)
          break
        }
        // The first failure is told, and how many there were with what ends them.
        if (attempts === 1) this.#tasks.failed(task, { event: 'failed', ...said, detail }, now)
        this.#tasks.tryLater(task.id, later)
      }
    }
    await moved()
    return isHeard
  }

  async #ask(begun: BegunTask): Promise<{ answer: Cancelled; carried: CredentialKind | null }> {
    const { context, taskId, spoken } = begun
    const server = await this.#serverNow(begun)
    if (!server.ok) return { answer: unsent(server.error), carried: null }
    const { url, credential } = server.value
    const ending = { context, taskId, upstream: url }
    const carried: Result<EndingCarried, EndingFault> = await carryEnding(
      credential,
      ending,
      this.#parts.carrying(begun),
    )
    if (!carried.ok) return { answer: unsent(carried.error), carried: null }
    const { headersFor, kind } = carried.value
    const { fetch: send } = this.#parts
    const answer = await cancelTask({ endpoint: url, taskId, spoken, headersFor, fetch: send })
    return { answer, carried: kind }
  }

  /** INVARIANT: it is sent only where current rows say that this tenant's server of that name is. */
  async #serverNow({ context }: BegunTask): Promise<Result<CompiledServer, EndingFault>> {
    const { policies } = this.#parts
    const { server: name, actor } = context
    const rows = await policies.current(name)
    if (!rows.ok) return UNREADABLE
    const server = rows.value?.tenant === actor.tenant ? rows.value.servers.get(name) : undefined
    if (server === undefined) return GONE
    // What a row must not name is `about:blank` (storage/compiled.ts).
    return server.url.protocol === 'about:'
      ? err({ detail: 'its server has no url that may be called', never: false })
      : ok(server)
  }
}

const UNREADABLE = err({ detail: 'the rows could not be read', never: false })
const GONE = err({ detail: 'its server has no row any more', never: true })

const unsent = ({ detail, never }: EndingFault): Cancelled =>
  never
    ? { kind: 'lapsed', status: null, detail }
    : { kind: 'failed', status: null, detail, retryAfterMs: null }
