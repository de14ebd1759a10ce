import type { EndpointParts } from '../upstream/exchange/endpoint.ts'
import { revokeToken, type Revoked } from '../upstream/exchange/revoke.ts'
import type { CredentialsStore, Kept } from './credentials-store.ts'
import type { GroundsLook } from './grounds.ts'
import type { Retry } from './retry.ts'

/** A dead token that its issuer still could not be told of is given up, and that is written down. */
const GIVE_UP_AFTER_MS = 24 * 60 * 60_000

export interface TokenEnderParts {
  readonly endpoint: EndpointParts
  readonly retry: Retry
  /** The token itself; null: it cannot be unsealed. */
  readonly open: (kept: Kept) => Promise<string | null>
}

/** Ends tokens of one subject when what they were got for is gone: their issuers take them back. */
export class TokenEnder {
  readonly #store: CredentialsStore
  readonly #parts: TokenEnderParts

  constructor(store: CredentialsStore, parts: TokenEnderParts) {
    this.#store = store
    this.#parts = parts
  }

  /** Used no more from here on; whether there was any. */
  async endTheGroundless(grounds: GroundsLook): Promise<boolean> {
    let hasEnded = false
    for (const kept of this.#store.live()) {
      const { about, usableUntil } = kept
      const isOver = usableUntil <= Date.now()
      // oxlint-disable-next-line no-await-in-loop
      const ground = isOver ? OVER : await grounds.of(about.context)
      if (ground.kind !== 'ended') continue
      this.#store.end(kept, ground.cause, Date.now())
      hasEnded = true
    }
    return hasEnded
  }

  /** Whether any is to be taken back by now. */
  isAwaited(): boolean {
    return this.#store.due(Date.now()).length > 0
  }

  async takeAllBack(): Promise<void> {
    const silent = new Set<string>()
    // Who waited longest first, so that each of an issuer that fails has its turn.
    for (const kept of this.#store.due(Date.now())) {
      const { url } = kept.about.giver
      if (silent.has(url)) continue
      // Whoever does not answer is asked once: what else there is to look at does not wait for it.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#takeBack(kept))) silent.add(url)
    }
  }

  /** False: its issuer did not answer. */
  async #takeBack(kept: Kept): Promise<boolean> {
    const { about, attempts, goneAt } = kept
    const { endpoint, open, retry } = this.#parts
    const token = await open(kept)
    const answer: Revoked =
      token === null
        ? { kind: 'failed', status: null, detail: 'it cannot be unsealed', retryAfterMs: null }
        : await revokeToken(token, about.giver, about.context.actor.tenant, endpoint)
    const now = Date.now()
    const tried = attempts + 1
    switch (answer.kind) {
      case 'revoked':
        this.#store.finish(kept, { event: 'revoked', status: 200, attempts: tried }, now)
        break
      case 'not_offered': {
        const detail = 'its issuer takes nothing back'
        this.#store.finish(kept, { event: 'lapsed', detail }, now)
        break
      }
      case 'failed': {
        const { status, detail, retryAfterMs } = answer
        const said = { status, attempts: tried, detail }
        if (now > goneAt + GIVE_UP_AFTER_MS) {
          this.#store.finish(kept, { event: 'lapsed', ...said }, now)
          break
        }
        this.#store.atomically(() => {
          // The first failure is told, and how many there were with what ends them.
          if (attempts === 0) this.#store.tell(kept, { event: 'failed', ...said }, now)
          this.#store.tryLater(kept.id, now + retry.delayMs(attempts, retryAfterMs))
        })
      }
    }
    return token === null || answer.kind !== 'failed' || answer.status !== null
  }
}

/** A clock needs no asking. */
const OVER = { kind: 'ended', cause: 'expired' } as const
