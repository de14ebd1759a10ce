// Holds one issuer's key set for the whole deployment: one fetch at a time, whoever asks.

import type { Result } from '../result.ts'
import type { PublicJwk } from './jwk.ts'
import type { KeySetAddress } from './key-fetch.ts'
import {
  afterFetch,
  answer,
  EMPTY,
  needsFetch,
  type FetchFault,
  type GoodSet,
  type KeySetReply,
  type KeySetState,
} from './key-set.ts'

export interface KeySetRequest extends KeySetAddress {
  readonly wantKid: string
}

export interface KeyHolderParts {
  readonly fetchSet: (address: KeySetAddress) => Promise<Result<readonly PublicJwk[], FetchFault>>
  /** Keeps the last good set across restarts; null forgets it. */
  readonly save: (good: GoodSet | null) => Promise<void>
  /** Tells the operator why an issuer's keys cannot be had. */
  readonly report: (address: KeySetAddress, fault: FetchFault) => void
  readonly now: () => number
}

/** After this a fetch is held for lost: its request may have been cancelled without a word. */
const FLIGHT_LOST_MS = 6_000

/** Lives in a Durable Object: there, unlike in a Worker isolate, requests may share a promise. */
export class KeyHolder {
  readonly #parts: KeyHolderParts
  #state: KeySetState = EMPTY
  #flight: { readonly startedAt: number; readonly landed: Promise<void> } | null = null

  constructor(parts: KeyHolderParts) {
    this.#parts = parts
  }

  restore(good: GoodSet): void {
    this.#state = { ...EMPTY, good }
  }

  async keys(request: KeySetRequest): Promise<KeySetReply> {
    const { now } = this.#parts
    if (needsFetch(this.#state, request.wantKid, now())) await this.#refresh(request)
    return answer(this.#state, request.wantKid, now())
  }

  async #refresh(request: KeySetRequest): Promise<void> {
    const startedAt = this.#parts.now()
    if (this.#flight === null || startedAt - this.#flight.startedAt > FLIGHT_LOST_MS) {
      this.#flight = { startedAt, landed: this.#fetch(request, startedAt) }
    }
    const flight = this.#flight
    try {
      await flight.landed
    } finally {
      if (this.#flight === flight) this.#flight = null
    }
  }

  async #fetch(request: KeySetRequest, startedAt: number): Promise<void> {
    const fetched = await this.#parts.fetchSet(request)
    const before = this.#state
    // A fetch held for lost came back after its successor: a withdrawn key must not return with it.
    if (before.good !== null && before.good.fetchedAt > startedAt) return
    this.#state = afterFetch(before, fetched, startedAt, this.#parts.now(), request.wantKid)
    if (!fetched.ok) this.#parts.report(request, fetched.error)
    if (this.#state.good !== before.good) await this.#parts.save(this.#state.good)
  }
}
