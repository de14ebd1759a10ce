import { DurableObject } from 'cloudflare:workers'
import { parseConfig, type Config } from '../config.ts'
import { createSecrets } from '../secrets.ts'
import { sessionKeyOf } from '../question/history-keys.ts'
import type { Actor } from '../pdp/evaluation.ts'
import { PolicyStore } from '../storage/policy-store.ts'
import {
  readSealingKeys,
  readSigningKeys,
  type OwnKeyTexts,
  type SealingKeys,
} from '../upstream/credentials/own-keys.ts'
import type { EndpointParts } from '../upstream/exchange/endpoint.ts'
import { exchangeToken } from '../upstream/exchange/exchange.ts'
import {
  CREDENTIALS_PROTOCOL,
  type ObtainAnswer,
  type ObtainRequest,
} from '../upstream/credentials/credentials-protocol.ts'
import type { BegunTask, OverTask } from '../upstream/credentials/running-tasks-protocol.ts'
import { CredentialsStore, type About, type Kept } from './credentials-store.ts'
import { shipEvents } from './credential-log.ts'
import { Grounds } from './grounds.ts'
import { BACK_OFF } from './retry.ts'
import { RunningTasks } from './running-tasks.ts'
import { openToken, placeOf, sealToken } from './sealed-tokens.ts'
import { TaskEnder } from './task-ender.ts'
import { TokenEnder } from './token-ender.ts'

/** While anything lives, it is looked so often whether its ground is still there. */
const LOOK_EVERY_MS = 5_000
/** Not sent when it would end on the way. */
const MARGIN_MS = 2_000
const SHIP_AFTER_MS = 1_000
/** Of one subject. Each is a reading of D1 whenever a row moves; whoever has more loses what ends first. */
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
  readonly #running: RunningTasks
  readonly #grounds: Grounds
  readonly #tokens: TokenEnder
  readonly #tasks: TaskEnder
  /** By place: those who ask for the same at the same time share one exchange, and its failure. */
  readonly #asking = new Map<string, Promise<ObtainAnswer>>()
  #looking: Promise<void> = Promise.resolve()
  #keys: Promise<SealingKeys | null> | null = null

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    const config = parseConfig(env)
    this.#store = new CredentialsStore(context.storage)
    this.#running = new RunningTasks(context.storage)
    const policies = storeOf(env, config)
    this.#grounds = new Grounds(policies)
    this.#parts = {
      secrets: createSecrets(env),
      urls: { allowLoopback: config.allowLoopback, ownHosts: config.hosts },
      fetch: (url, init) => fetch(url, init),
      now: () => Date.now(),
    }
    this.#tokens = new TokenEnder(this.#store, {
      endpoint: this.#parts,
      retry: BACK_OFF,
      open: (kept) => this.#open(kept),
    })
    this.#tasks = new TaskEnder(this.#running, {
      policies,
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
    const keys = kept === null ? null : await this.#sealing()
    if (kept === null || keys === null) return null
    const token = await openToken(kept, keys)
    if (token !== null) return { kind: 'token', token, credential: kept.id }
    this.#store.end(kept, 'unsealable', Date.now())
    return null
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
        const { token, giver } = given
        const sealed = await sealToken(token, place, keys)
        const goneAt = now + giver.maxLifetimeSeconds * 1000
        this.#store.refuse({ id, place, sealed, about: { ...about, giver }, goneAt }, detail, now)
        await this.#schedule(now)
      }
      return unavailable(detail)
    }
    const { token, usableUntil, goneAt } = answer.value
    const sealed = await sealToken(token, place, keys)
    const until = Math.min(usableUntil, request.until)
    this.#store.keep({ id, place, sealed, about, usableUntil: until, goneAt }, MOST_LIVE, now)
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
      const grounds = this.#grounds.look()
      // With what is taken back now a server may have to be told: its tasks do not wait for another look.
      if (await this.#tokens.endTheGroundless(grounds)) grounds.doubt()
      try {
        // INVARIANT: before any token is taken back, with which a server might have to be told.
        await this.#tasks.look(grounds, { awaited: this.#tokens.isAwaited() })
      } finally {
        await this.#tokens.takeAllBack()
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

  /** The alarm at the next thing to do. An earlier one stays. */
  async #schedule(now: number, shipAfterMs: number = SHIP_AFTER_MS): Promise<void> {
    const times = this.#store
      .all()
      .map(({ state, usableUntil, nextAttemptAt }) =>
        state === 'live' ? Math.min(now + LOOK_EVERY_MS, usableUntil) : nextAttemptAt,
      )
    times.push(...this.#tasks.times(now + LOOK_EVERY_MS))
    if (this.#store.waiting(1).length + this.#running.waiting(1).length > 0)
      times.push(now + shipAfterMs)
    // Of an exchange under way a token may come.
    if (this.#asking.size > 0) times.push(now + LOOK_EVERY_MS)
    if (times.length === 0) return
    const next = Math.max(Math.min(...times), now + 1)
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > next) await this.ctx.storage.setAlarm(next)
  }

  async #open(kept: Kept): Promise<string | null> {
    const keys = await this.#sealing()
    return keys === null ? null : openToken(kept, keys)
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
