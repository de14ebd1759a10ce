import { DurableObject } from 'cloudflare:workers'
import { parseConfig, type Config } from '../config.ts'
import { createSecrets } from '../secrets.ts'
import { sha256 } from '../sha256.ts'
import { sessionKeyOf } from '../pep/question.ts'
import type { Actor } from '../pdp/evaluation.ts'
import { PolicyStore } from '../storage/policy-store.ts'
import { CONTEXT_VERSION, standingOf, type EndCause } from '../upstream/credentials/context.ts'
import {
  readSealingKeys,
  readSigningKeys,
  type OwnKeyTexts,
  type SealingKeys,
} from '../upstream/credentials/own-keys.ts'
import { seal, unseal } from '../upstream/credentials/sealed.ts'
import type { EndpointParts } from '../upstream/exchange/endpoint.ts'
import { exchangeToken } from '../upstream/exchange/exchange.ts'
import { revokeToken, type Revoked } from '../upstream/exchange/revoke.ts'
import {
  CREDENTIALS_PROTOCOL,
  type ObtainAnswer,
  type ObtainRequest,
} from './credentials-protocol.ts'
import { CredentialsStore, type About, type Kept } from './credentials-store.ts'
import { shipEvents } from './credential-log.ts'
import { BACK_OFF } from './retry.ts'
import { RunningTasks } from './running-tasks.ts'
import type { BegunTask, OverTask } from './running-tasks-protocol.ts'
import { TaskEnder } from './task-ender.ts'

/** While a token lives, D1 is asked so often whether its ground is still there. */
export const LOOK_EVERY_MS = 5_000
/** Not sent when it would end on the way. */
const MARGIN_MS = 2_000
/** A dead token that its issuer still could not be told of is given up, and that is written down. */
const GIVE_UP_AFTER_MS = 24 * 60 * 60_000
const SHIP_AFTER_MS = 1_000
/** Of one subject. Each is a reading of D1 at every look, so whoever has more loses what ends first. */
export const MOST_LIVE = 64

/**
 * What calls of one subject left behind that must not outlive their ground. Tokens that issuers gave
 * (docs/upstream-credentials.md): got once for all calls that may share them, kept sealed, and taken back
 * when it is gone. Tasks that run on at servers (docs/tasks.md): their servers are told to end them then.
 *
 * INVARIANT: one object for each subject, and a token is found only by everything that it was got for.
 */
export class Credentials extends DurableObject<Env> {
  readonly #store: CredentialsStore
  readonly #parts: EndpointParts
  readonly #policies: PolicyStore
  readonly #running: RunningTasks
  readonly #ender: TaskEnder
  /** By place: those who ask for the same at the same time share one exchange, and its failure. */
  readonly #asking = new Map<string, Promise<ObtainAnswer>>()
  #looking: Promise<void> = Promise.resolve()
  #keys: Promise<SealingKeys | null> | null = null

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    const config = parseConfig(env)
    this.#store = new CredentialsStore(context.storage)
    this.#policies = storeOf(env, config)
    this.#parts = {
      secrets: createSecrets(env),
      urls: { allowLoopback: config.allowLoopback, ownHosts: config.hosts },
      fetch: (url, init) => fetch(url, init),
      now: () => Date.now(),
    }
    this.#running = new RunningTasks(context.storage)
    this.#ender = new TaskEnder(this.#running, {
      policies: this.#policies,
      fetch: (url, init) => fetch(url, init),
      retry: BACK_OFF,
      carrying: (begun) => ({
        origin: config.publicOrigins[0],
        secrets: this.#parts.secrets,
        signing: () => readSigningKeys(env as OwnKeyTexts),
        sealing: () => readSealingKeys(env as OwnKeyTexts),
        kept: async (audience) => {
          const kept = this.#store.forEnding(begun, audience, Date.now())
          return kept === null ? null : this.#open(kept)
        },
        now: () => Date.now(),
      }),
      moved: () => this.#schedule(Date.now()),
    })
  }

  async obtain(request: ObtainRequest): Promise<ObtainAnswer> {
    if (request.version !== CREDENTIALS_PROTOCOL) return unavailable('a Worker of another age asks')
    if (!(await this.#isOwn(request.context.actor))) {
      return unavailable('these are credentials of another subject')
    }
    const place = await placeOf(request)
    const known = await this.#known(place)
    if (known !== null) return known
    const asking = this.#asking.get(place)
    if (asking !== undefined) return asking
    const asked = this.#ask(request, place).finally(() => this.#asking.delete(place))
    this.#asking.set(place, asked)
    return asked
  }

  /** Whether it is written down that this runs: what is not, nobody would end. */
  async began(task: BegunTask): Promise<boolean> {
    if (task.version !== CREDENTIALS_PROTOCOL) return false
    if (!(await this.#isOwn(task.context.actor))) return false
    const now = Date.now()
    this.#running.add(task, now)
    await this.#schedule(now)
    return true
  }

  /** Its server said that it is at its end: there is nothing left to tell it. */
  async over({ version, actor, server, taskId }: OverTask): Promise<void> {
    if (version !== CREDENTIALS_PROTOCOL || !(await this.#isOwn(actor))) return
    this.#running.over(actor, server, taskId, Date.now())
    await this.#schedule(Date.now())
  }

  /** Something ended: looked at now, and not at the next turn of the clock. */
  async look(): Promise<void> {
    await this.#look()
  }

  override async alarm(): Promise<void> {
    await this.#look()
  }

  /** INVARIANT: whoever reaches the wrong object gets nothing there, however it was named. */
  async #isOwn(actor: Actor): Promise<boolean> {
    const own = await sessionKeyOf(actor)
    return this.ctx.id.equals(this.env.CREDENTIALS.idFromName(own))
  }

  async #known(place: string): Promise<ObtainAnswer | null> {
    const kept = this.#store.find(place, Date.now() + MARGIN_MS)
    if (kept === null) return null
    const token = await this.#open(kept)
    return token === null ? null : { kind: 'token', token, credential: kept.id }
  }

  async #ask(request: ObtainRequest, place: string): Promise<ObtainAnswer> {
    const keys = await this.#sealing()
    if (keys === null) return unavailable('there is no key to keep a token with')
    if (request.until <= Date.now() + MARGIN_MS)
      return unavailable('the token would end on the way')
    // Before there can be a token: if this object dies with it half kept, the alarm is there.
    await this.#schedule(Date.now())
    const { exchange, context, subjectToken, actorToken } = request
    const { giver, audience } = exchange
    const { tenant, issuer, subject, client, agent } = context.actor
    const answer = await exchangeToken(
      {
        exchange,
        subjectToken,
        actorToken,
        shown: {
          tenant,
          issuer,
          subject,
          client,
          agent,
          tokenId: context.credential.tokenId,
          texts: actorToken === null ? [subjectToken] : [subjectToken, actorToken],
        },
      },
      this.#parts,
    )
    const id = crypto.randomUUID()
    const about: About = { decision: request.decision, context, giver, audience }
    const now = Date.now()
    if (!answer.ok) {
      const { detail, given } = answer.error
      if (given !== null) {
        // It exists, and nobody shall have it.
        const { token, giver } = given
        const refused = { ...about, giver }
        const sealed = await sealToken(token, place, keys)
        const goneAt = now + giver.maxLifetimeSeconds * 1000
        this.#store.atomically(() => {
          const kept = { id, place, sealed, about: refused, usableUntil: 0, goneAt }
          this.#store.add({ ...kept, state: 'ending' })
          this.#store.tell({ id, about: refused }, { event: 'refused', detail }, now)
        })
        await this.#schedule(now)
      }
      return unavailable(detail)
    }
    const { token, usableUntil, goneAt } = answer.value
    const sealed = await sealToken(token, place, keys)
    const until = Math.min(usableUntil, request.until)
    this.#store.atomically(() => {
      const live = this.#store.live()
      const others = live.filter((one) => one.place !== place)
      for (const one of live) if (one.place === place) this.#end(one, 'expired', now)
      const surplus = Math.max(others.length - MOST_LIVE + 1, 0)
      const first = others.toSorted((a, b) => a.usableUntil - b.usableUntil).slice(0, surplus)
      for (const one of first) this.#end(one, 'too_many', now)
      this.#store.add({ id, place, state: 'live', sealed, about, usableUntil: until, goneAt })
      this.#store.tell({ id, about }, { event: 'issued' }, now)
    })
    await this.#schedule(now)
    // What is over before it began is taken back by the next look.
    return until <= now + MARGIN_MS
      ? unavailable('the token would end on the way')
      : { kind: 'token', token, credential: id }
  }

  /** One after the other: an alarm and a call of `look` may come together. */
  #look(): Promise<void> {
    const next = this.#looking.then(() => this.#lookOnce())
    // A fault ends this look; the alarm that it leaves begins the next one.
    this.#looking = next.catch(() => undefined)
    return next
  }

  async #lookOnce(): Promise<void> {
    try {
      const live = this.#store.live()
      let isSilent = false
      for (const kept of live) {
        // Where nobody says of one, nobody would of the next one either; but a clock needs no asking.
        if (isSilent && kept.usableUntil > Date.now()) continue
        // oxlint-disable-next-line no-await-in-loop
        isSilent = !(await this.#endIfGone(kept)) || isSilent
      }
      try {
        // INVARIANT: before any token is taken back, with which a server might have to be told.
        await this.#ender.look({
          ended: this.#store.live().length < live.length,
          awaited: this.#store.all().some((one) => isDue(one, Date.now())),
        })
      } finally {
        await this.#takeAllBack()
      }
    } finally {
      // INVARIANT: whatever fails here, there is an alarm as long as there is something to do.
      const { DECISIONS: log } = this.env
      const shipped =
        (await shipEvents(this.#store, 'credential_events', log, Date.now())) &&
        (await shipEvents(this.#running, 'server_task_events', log, Date.now()))
      await this.#schedule(Date.now(), shipped ? SHIP_AFTER_MS : LOOK_EVERY_MS)
    }
  }

  async #takeAllBack(): Promise<void> {
    const silent = new Set<string>()
    // Who waited longest first, so that each of an issuer that fails has its turn.
    for (const kept of this.#store.all().toSorted((a, b) => a.nextAttemptAt - b.nextAttemptAt)) {
      const { url } = kept.about.giver
      if (!isDue(kept, Date.now()) || silent.has(url)) continue
      // Whoever does not answer is asked once: what else there is to look at does not wait for it.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#takeBack(kept))) silent.add(url)
    }
  }

  /** False: nobody says now. */
  async #endIfGone(kept: Kept): Promise<boolean> {
    const now = Date.now()
    if (kept.usableUntil <= now) {
      this.#ended(kept, 'expired', now)
      return true
    }
    const { context } = kept.about
    // What another age wrote down of its ground cannot be asked about any more.
    if (context.version !== CONTEXT_VERSION) {
      this.#ended(kept, 'outdated', now)
      return true
    }
    const standing = await standingOf(context, this.#policies)
    if (standing.kind === 'ended') this.#ended(kept, standing.cause, Date.now())
    return standing.kind !== 'unknown'
  }

  #ended(kept: Kept, cause: EndCause, now: number): void {
    this.#store.atomically(() => this.#end(kept, cause, now))
  }

  #end(kept: Kept, cause: EndCause, now: number): void {
    this.#store.end(kept.id)
    this.#store.tell(kept, { event: 'ended', cause }, now)
  }

  /** False: its issuer did not answer. */
  async #takeBack(kept: Kept): Promise<boolean> {
    const { about, attempts, goneAt } = kept
    const token = await this.#open(kept)
    const answer: Revoked =
      token === null
        ? { kind: 'failed', status: null, detail: 'it cannot be unsealed', retryAfterMs: null }
        : await revokeToken(token, about.giver, about.context.actor.tenant, this.#parts)
    const now = Date.now()
    const tried = attempts + 1
    this.#store.atomically(() => {
      switch (answer.kind) {
        case 'revoked':
          this.#store.tell(kept, { event: 'revoked', status: 200, attempts: tried }, now)
          this.#store.remove(kept.id)
          return
        case 'not_offered':
          this.#store.tell(kept, { event: 'lapsed', detail: 'its issuer takes nothing back' }, now)
          this.#store.remove(kept.id)
          return
        case 'failed': {
          const { status, detail } = answer
          if (now > goneAt + GIVE_UP_AFTER_MS) {
            this.#store.tell(kept, { event: 'lapsed', status, attempts: tried, detail }, now)
            this.#store.remove(kept.id)
            return
          }
          // The first failure is told, and how many there were with what ends them.
          if (attempts === 0) {
            this.#store.tell(kept, { event: 'failed', status, attempts: tried, detail }, now)
          }
          this.#store.tryLater(kept.id, now + BACK_OFF.delayMs(attempts, answer.retryAfterMs))
        }
      }
    })
    return token === null || answer.kind !== 'failed' || answer.status !== null
  }

  /** The alarm at the next thing to do. An earlier one stays. */
  async #schedule(now: number, shipAfterMs: number = SHIP_AFTER_MS): Promise<void> {
    const times = this.#store
      .all()
      .map(({ state, usableUntil, nextAttemptAt }) =>
        state === 'live' ? Math.min(now + LOOK_EVERY_MS, usableUntil) : nextAttemptAt,
      )
    times.push(...this.#ender.times(now + LOOK_EVERY_MS))
    if (this.#store.waiting(1).length + this.#running.waiting(1).length > 0)
      times.push(now + shipAfterMs)
    // Of an exchange under way a token may come.
    if (this.#asking.size > 0) times.push(now + LOOK_EVERY_MS)
    if (times.length === 0) return
    const next = Math.max(Math.min(...times), now + 1)
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > next) await this.ctx.storage.setAlarm(next)
  }

  async #open({ sealed, place }: Pick<Kept, 'sealed' | 'place'>): Promise<string | null> {
    const keys = await this.#sealing()
    const text = keys === null ? null : await unseal('credential', sealed, keys)
    if (text === null) return null
    const kept = JSON.parse(text) as { readonly place: string; readonly token: string }
    // INVARIANT: sealed together with what it was got for: a row that was moved opens nothing.
    return kept.place === place ? kept.token : null
  }

  async #sealing(): Promise<SealingKeys | null> {
    this.#keys ??= readSealingKeys(this.env as OwnKeyTexts).then((read) =>
      read.ok ? read.value : null,
    )
    return this.#keys
  }
}

/** Compiled rows are large, and an isolate holds many of these objects: they read through one store. */
const stores = new WeakMap<D1Database, PolicyStore>()

function storeOf({ DB }: Env, config: Config): PolicyStore {
  const store = stores.get(DB) ?? new PolicyStore(DB, config)
  stores.set(DB, store)
  return store
}

const unavailable = (detail: string): ObtainAnswer => ({ kind: 'unavailable', detail })

/** To be taken back by now. */
const isDue = ({ state, nextAttemptAt }: Kept, now: number): boolean =>
  state === 'ending' && nextAttemptAt <= now

const sealToken = (token: string, place: string, keys: SealingKeys): Promise<string> =>
  seal('credential', JSON.stringify({ place, token }), keys)

/**
 * What two calls must share to share a token: the person, the software that acts, the very token that
 * they came with, the server, the task, and what is asked of whom.
 */
function placeOf({ context, exchange, subjectToken, actorToken }: ObtainRequest): Promise<string> {
  const { actor, server, task, credential } = context
  const { tenant, issuer, subject, client, agent } = actor
  return sha256(
    JSON.stringify([
      [tenant, issuer, subject, client, agent],
      // Its keys too: of two tokens with one text, one may have been shown with another certificate.
      [subjectToken, actorToken, credential.bindings.map(({ thumbprint }) => thumbprint)],
      [server, task?.id ?? null, task?.expiresAt ?? null],
      exchange,
    ]),
  )
}
