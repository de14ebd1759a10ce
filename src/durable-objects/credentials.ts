import { DurableObject } from 'cloudflare:workers'
import { parseConfig, type Config } from '../config.ts'
import { createSecrets } from '../secrets.ts'
import { sha256 } from '../sha256.ts'
import { sessionKeyOf } from '../pep/question.ts'
import { PolicyStore } from '../storage/policy-store.ts'
import { standingOf, type EndCause } from '../upstream/credentials/context.ts'
import {
  readSealingKeys,
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

/** While a token lives, D1 is asked so often whether its ground is still there. */
export const LOOK_EVERY_MS = 5_000
/** Not sent when it would end on the way. */
const MARGIN_MS = 2_000
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 5 * 60_000
/** A dead token that its issuer still could not be told of is given up, and that is written down. */
const GIVE_UP_AFTER_MS = 24 * 60 * 60_000
const SHIP_AFTER_MS = 1_000
/** Of one subject. Each is a reading of D1 at every look, so whoever has more loses the oldest. */
export const MOST_LIVE = 64

/**
 * Tokens that issuers gave for one subject's calls (docs/upstream-credentials.md): got once for all calls
 * that may share them, kept sealed, and taken back when the ground of one is gone.
 *
 * INVARIANT: one object for each subject, and a token is found only by everything that it was got for.
 */
export class Credentials extends DurableObject<Env> {
  readonly #store: CredentialsStore
  readonly #parts: EndpointParts
  readonly #policies: PolicyStore
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
  }

  async obtain(request: ObtainRequest): Promise<ObtainAnswer> {
    if (request.version !== CREDENTIALS_PROTOCOL) return unavailable('a Worker of another age asks')
    // INVARIANT: whoever reaches the wrong object gets nothing there, however it was named.
    const own = await sessionKeyOf(request.context.actor)
    if (!this.ctx.id.equals(this.env.CREDENTIALS.idFromName(own))) {
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

  /** Something ended: looked at now, and not at the next turn of the clock. */
  async look(): Promise<void> {
    await this.#look()
  }

  override async alarm(): Promise<void> {
    await this.#look()
  }

  async #known(place: string): Promise<ObtainAnswer | null> {
    const kept = this.#store.live(place, Date.now() + MARGIN_MS)
    if (kept === null) return null
    const token = await this.#open(kept)
    return token === null ? null : { kind: 'token', token, credential: kept.id }
  }

  async #ask(request: ObtainRequest, place: string): Promise<ObtainAnswer> {
    const keys = await this.#sealing()
    if (keys === null) return unavailable('there is no key to keep a token with')
    if (request.until <= Date.now() + MARGIN_MS)
      return unavailable('the token would end on the way')
    const { exchange, context, subjectToken, actorToken } = request
    const { issuer, subject } = context.actor
    const answer = await exchangeToken(
      {
        exchange,
        subjectToken,
        actorToken,
        shown: {
          issuer,
          subject,
          tokenId: context.credential.tokenId,
          texts: actorToken === null ? [subjectToken] : [subjectToken, actorToken],
        },
      },
      this.#parts,
    )
    const id = crypto.randomUUID()
    const about: About = { decision: request.decision, context, giver: exchange.giver }
    const now = Date.now()
    if (!answer.ok) {
      const { detail, given } = answer.error
      if (given !== null) {
        // It exists, and nobody shall have it.
        const sealed = await sealToken(given, place, keys)
        const goneAt = now + exchange.giver.maxLifetimeSeconds * 1000
        this.#store.atomically(() => {
          this.#store.add({ id, place, state: 'ending', sealed, about, usableUntil: 0, goneAt })
          this.#store.tell({ id, about }, { event: 'refused', detail }, now)
        })
        await this.#schedule(now)
      }
      return unavailable(detail)
    }
    const { token, usableUntil, goneAt } = answer.value
    const sealed = await sealToken(token, place, keys)
    const until = Math.min(usableUntil, request.until)
    this.#store.atomically(() => {
      const live = this.#store.all().filter(({ state }) => state === 'live')
      const others = live.filter((one) => one.place !== place)
      for (const one of live) if (one.place === place) this.#end(one, 'expired', now)
      const surplus = Math.max(others.length - MOST_LIVE + 1, 0)
      const oldest = others.toSorted((a, b) => a.usableUntil - b.usableUntil).slice(0, surplus)
      for (const one of oldest) this.#end(one, 'too_many', now)
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
      for (const kept of this.#store.all()) {
        // oxlint-disable-next-line no-await-in-loop
        if (kept.state === 'live' && !(await this.#endIfGone(kept))) break
      }
      for (const kept of this.#store.all()) {
        if (kept.state !== 'ending' || kept.nextAttemptAt > Date.now()) continue
        // oxlint-disable-next-line no-await-in-loop
        await this.#takeBack(kept)
      }
    } finally {
      // INVARIANT: whatever fails here, there is an alarm as long as there is something to do.
      const shipped = await shipEvents(this.#store, this.env.DECISIONS, Date.now())
      await this.#schedule(Date.now(), shipped ? SHIP_AFTER_MS : LOOK_EVERY_MS)
    }
  }

  /** False: nobody says now, and would not of the next one either. */
  async #endIfGone(kept: Kept): Promise<boolean> {
    const now = Date.now()
    if (kept.usableUntil <= now) {
      this.#ended(kept, 'expired', now)
      return true
    }
    const standing = await standingOf(kept.about.context, this.#policies)
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

  async #takeBack(kept: Kept): Promise<void> {
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
          this.#store.tryLater(kept.id, now + retryDelay(attempts, answer.retryAfterMs))
        }
      }
    })
  }

  /** The alarm at the next thing to do. An earlier one stays. */
  async #schedule(now: number, shipAfterMs: number = SHIP_AFTER_MS): Promise<void> {
    const times = this.#store
      .all()
      .map(({ state, usableUntil, nextAttemptAt }) =>
        state === 'live' ? Math.min(now + LOOK_EVERY_MS, usableUntil) : nextAttemptAt,
      )
    if (this.#store.waiting(1).length > 0) times.push(now + shipAfterMs)
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

const sealToken = (token: string, place: string, keys: SealingKeys): Promise<string> =>
  seal('credential', JSON.stringify({ place, token }), keys)

const retryDelay = (attempts: number, asked: number | null): number =>
  Math.max(
    Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS),
    Math.min(asked ?? 0, LONGEST_RETRY_MS),
  )

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
