// Pure. An issuer's key set: what is accepted, when it is fetched, what is answered. `now` is passed.

import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { readJwk, type PublicJwk } from './jwk.ts'

const MAX_KEYS = 100

export const FRESH_MS = 5 * 60_000
/** How long keys that were good once still serve while the issuer cannot be reached. */
export const LAST_GOOD_MS = 24 * 60 * 60_000
/** A made-up `kid` costs the issuer at most one fetch in this time. */
export const UNKNOWN_KID_COOLDOWN_MS = 30_000
/** Short, so that recovery is quick; long enough that an outage is not made worse. */
export const FAILURE_COOLDOWN_MS = 2_000

/** RFC 7517 §5. Keys that cannot serve are skipped; keys that must not exist refuse the set. */
export function readKeySet(document: JsonObject): Result<readonly PublicJwk[], string> {
  const { keys } = document
  if (!Array.isArray(keys)) return err('`keys` is not an array')
  if (keys.length > MAX_KEYS) return err('more than 100 keys')
  const names = new Set<JsonValue>()
  const usable: PublicJwk[] = []
  for (const value of keys as readonly JsonValue[]) {
    const jwk = readJwk(value)
    if (!jwk.ok) return jwk
    const name = (value as JsonObject)['kid']
    // jose notices this only when that `kid` is used; which of the two was meant is anybody's guess.
    if (name !== undefined && names.has(name)) return err('two keys have one `kid`')
    if (name !== undefined) names.add(name)
    if (jwk.value !== null) usable.push(jwk.value)
  }
  return ok(usable)
}

/** A fetch that brought nothing, or a document that shows the issuer is not to be trusted now. */
export type FetchFault = { readonly kind: 'unreachable' | 'refused'; readonly detail: string }

export interface GoodSet {
  readonly keys: readonly PublicJwk[]
  /** When the fetch began: an age can only be overstated. */
  readonly fetchedAt: number
}

export interface KeySetState {
  readonly good: GoodSet | null
  /** When the latest fetch failed; null once one has succeeded. */
  readonly failedAt: number | null
  /**
   * When a fetch was last made in vain for a `kid`. Other fetches do not count: a key that appeared
   * right after one of them would be called unknown for half a minute.
   */
  readonly missedAt: number | null
}

export const EMPTY: KeySetState = { good: null, failedAt: null, missedAt: null }

/** Durations, not times: the asker's clock is another machine's. */
export type KeySetReply =
  | {
      readonly keys: readonly PublicJwk[]
      readonly fetchedAt: number
      /** How long these keys may be used without asking again. */
      readonly goodForMs: number
      /** What a `kid` outside these keys means, and for how long. */
      readonly miss: 'unknown' | 'unavailable'
      readonly missForMs: number
    }
  | { readonly unavailable: true; readonly missForMs: number }

export function needsFetch(state: KeySetState, kid: string, now: number): boolean {
  if (failureCooldown(state, now) > 0) return false
  const { good } = state
  if (good === null) return true
  const age = now - good.fetchedAt
  // A clock that was set back says nothing about age.
  if (age < 0 || age >= FRESH_MS) return true
  return !hasKid(good, kid) && missCooldown(state, now) === 0
}

export function afterFetch(
  state: KeySetState,
  fetched: Result<readonly PublicJwk[], FetchFault>,
  startedAt: number,
  endedAt: number,
  wantKid: string,
): KeySetState {
  if (fetched.ok) {
    const good = { keys: fetched.value, fetchedAt: startedAt }
    const missedAt = hasKid(good, wantKid) ? state.missedAt : startedAt
    return { good, failedAt: null, missedAt }
  }
  // A set that shows a private key may have given away the very key that we remember as good.
  return {
    good: fetched.error.kind === 'refused' ? null : state.good,
    failedAt: endedAt,
    missedAt: state.missedAt,
  }
}

/**
 * INVARIANT: an unknown `kid` is called unknown only by a set that was fetched: where the latest
 * fetch failed the token may be good, and its client must not be told to throw it away.
 */
export function answer(state: KeySetState, kid: string, now: number): KeySetReply {
  const { good, failedAt } = state
  const cooldown = failureCooldown(state, now)
  const age = good === null ? Infinity : Math.max(0, now - good.fetchedAt)
  const fresh = age < FRESH_MS
  if (
    good === null ||
    age >= LAST_GOOD_MS ||
    !(hasKid(good, kid) || (fresh && failedAt === null))
  ) {
    return { unavailable: true, missForMs: cooldown }
  }
  return {
    keys: good.keys,
    fetchedAt: good.fetchedAt,
    goodForMs: fresh ? FRESH_MS - age : cooldown,
    miss: failedAt === null ? 'unknown' : 'unavailable',
    missForMs: failedAt === null ? missCooldown(state, now) : cooldown,
  }
}

function failureCooldown({ failedAt }: KeySetState, now: number): number {
  if (failedAt === null || now < failedAt) return 0
  return Math.max(0, failedAt + FAILURE_COOLDOWN_MS - now)
}

function missCooldown({ missedAt }: KeySetState, now: number): number {
  if (missedAt === null || now < missedAt) return 0
  return Math.max(0, missedAt + UNKNOWN_KID_COOLDOWN_MS - now)
}

const hasKid = (good: GoodSet, kid: string): boolean => good.keys.some((key) => key.kid === kid)
