import { readState } from '../storage/freshness.ts'
import type { CompiledServer } from '../storage/compiled.ts'
import type { PolicyStore } from '../storage/policy-store.ts'
import { inTime, LATE } from '../in-time.ts'
import { err, ok, type Result } from '../result.ts'
import { CANCEL_BUDGET_MS, cancelTask, type Cancelled } from '../upstream/cancel-task.ts'
import {
  CONTEXT_VERSION,
  standingOf,
  type CallContext,
  type Standing,
} from '../upstream/credentials/context.ts'
import {
  carryEnding,
  type EndingCarried,
  type EndingFault,
  type EndingParts,
} from '../upstream/credentials/ending.ts'
import type { CredentialKind } from '../upstream/credentials/kinds.ts'
import type { Retry } from './retry.ts'
import type { RunningTask, RunningTasks } from './running-tasks.ts'
import type { BegunTask } from './running-tasks-protocol.ts'

/** However little moves: consents and the silence of a stream come with the clock. */
const AT_LEAST_EVERY_MS = 30_000
/** Whoever could not be told for so long is not told any more, and that is written down. */
export const GIVE_UP_AFTER_MS = 60 * 60_000
/** How many messages to one server are on their way at a time: a Worker has few connections. */
const LANES = 2

/** What a task was last found to stand on. */
interface Seen {
  readonly state: string
  /** Epoch milliseconds: then it is asked again, whatever the rows say. */
  readonly until: number
}

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
  /** Only what this object found since it woke. */
  readonly #seen = new Map<string, Seen>()
  /** Servers that are being told, each in one go after the other. */
  readonly #telling = new Map<string, Promise<unknown>>()

  constructor(tasks: RunningTasks, parts: TaskEnderParts) {
    this.#tasks = tasks
    this.#parts = parts
  }

  /**
   * One look at everything that runs. `ended`: something else has, by this look, so nothing is taken for
   * granted. `awaited`: tokens are taken back after it, with which a server might have to be told: then it
   * returns when whoever is told for the first time has been, or could not be in time.
   */
  async look({ ended, awaited }: { ended: boolean; awaited: boolean }): Promise<void> {
    const hasEnded = await this.#endTheGroundless(ended)
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
  async #endTheGroundless(asked: boolean): Promise<boolean> {
    const running = this.#tasks.running(Date.now())
    const ids = new Set(running.map(({ id }) => id))
    // Nobody asks any more about what came to its own end, or was forgotten.
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id)
    const [first] = running
    if (first === undefined) return false
    // One object has one subject, and a subject one tenant.
    const state = await this.#state(first.begun.context.actor.tenant)
    // Many calls stand on the same: that is asked once.
    const known = new Map<string, Standing>()
    let hasEnded = false
    let isSilent = false
    for (const task of running) {
      const now = Date.now()
      const seen = this.#seen.get(task.id)
      // INVARIANT: nothing that a ground hangs on changes without moving the state, but by the clock.
      if (!asked && seen !== undefined && seen.state === state && now < seen.until) continue
      const { context } = task.begun
      const ground = JSON.stringify(context)
      const unasked = endedUnasked(context, now) ?? known.get(ground) ?? null
      // Where nobody says of one, nobody would of the next one either.
      if (unasked === null && isSilent) continue
      // oxlint-disable-next-line no-await-in-loop
      const standing = unasked ?? (await standingOf(context, this.#parts.policies))
      known.set(ground, standing)
      isSilent ||= standing.kind === 'unknown'
      // It may have come to its own end meanwhile.
      if (standing.kind === 'ended' && this.#tasks.has(task.id)) {
        this.#tasks.end(task, standing.cause, Date.now())
        hasEnded = true
      }
      if (standing.kind === 'holds' && state !== null) {
        const until = Math.min(now + AT_LEAST_EVERY_MS, context.task?.expiresAt ?? Infinity)
        this.#seen.set(task.id, { state, until })
      } else {
        this.#seen.delete(task.id)
      }
    }
    return hasEnded
  }

  /** Read before anything is asked about it: what moves meanwhile is found by the next look. */
  async #state(tenant: string): Promise<string | null> {
    const read = await this.#parts.policies.read((database) => readState(database, tenant))
    return read.ok ? read.value : null
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

/** What another age wrote down of its ground cannot be asked about; and a clock needs no asking. */
function endedUnasked({ version, task }: CallContext, now: number): Standing | null {
  if (version !== CONTEXT_VERSION) return { kind: 'ended', cause: 'outdated' }
  return task !== null && task.expiresAt <= now ? { kind: 'ended', cause: 'task_ended' } : null
}

const UNREADABLE = err({ detail: 'the rows could not be read', never: false })
const GONE = err({ detail: 'its server has no row any more', never: true })

const unsent = ({ detail, never }: EndingFault): Cancelled =>
  never
    ? { kind: 'lapsed', status: null, detail }
    : { kind: 'failed', status: null, detail, retryAfterMs: null }
