// The keys of trusted issuers, as one isolate sees them.

import { importJWK } from 'jose'
import { inTime } from '../in-time.ts'
import type { Algorithm, Issuer } from './issuer.ts'
import { importable, isForAlgorithm, type KeyUse, type PublicJwk } from './jwk.ts'
import type { KeySetRequest } from './key-holder.ts'
import { FRESH_MS, type KeySetReply } from './key-set.ts'

export interface KeySource {
  /**
   * `unknown`: the issuer has no such key (401). `unavailable`: nobody can say now (503). Without a
   * `use` it is `sig`, for everything but the documents of a SPIFFE trust domain.
   */
  find(
    issuer: Pick<Issuer, 'url' | 'jwksUri' | 'algorithms'>,
    kid: string,
    algorithm: Algorithm,
    use?: KeyUse,
  ): Promise<CryptoKey | KeyMiss>
}

export type KeyMiss = 'unknown' | 'unavailable'

export interface KeySourceParts {
  /** Asks the Durable Object that holds this set, through a stub made for this request. */
  readonly ask: (request: KeySetRequest) => Promise<KeySetReply>
  readonly allowLoopback: boolean
  readonly now: () => number
  /** Longer than the object's own fetch may take, so that its answer is heard. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 3_000
const MAX_SETS = 256

interface KeySet {
  readonly keys: ReadonlyMap<string, PublicJwk>
  readonly imported: Map<string, CryptoKey>
  readonly goodUntil: number
  readonly miss: KeyMiss
  readonly missUntil: number
}

/**
 * One per isolate, kept across requests.
 *
 * INVARIANT: only finished values are kept here. A promise that two requests of a Worker isolate
 * share never settles for the second of them.
 */
export function createKeySource(parts: KeySourceParts): KeySource {
  const sets = new Map<string, KeySet>()

  const refresh = async (uri: string, kid: string): Promise<KeySet | null> => {
    // Durations count from before the question: a slow answer can only shorten them.
    const askedAt = parts.now()
    const reply = await askInTime(parts, { uri, allowLoopback: parts.allowLoopback, wantKid: kid })
    if (reply === null) return null
    const known = sets.get(uri)
    const set: KeySet =
      'unavailable' in reply
        ? {
            keys: known?.keys ?? new Map<string, PublicJwk>(),
            imported: known?.imported ?? new Map<string, CryptoKey>(),
            // A `kid` that nobody can speak for says nothing about the keys that are known.
            goodUntil: known?.goodUntil ?? 0,
            miss: 'unavailable',
            missUntil: askedAt + reply.missForMs,
          }
        : {
            keys: new Map(reply.keys.map((jwk) => [jwk.kid, jwk])),
            imported: new Map(),
            goodUntil: askedAt + Math.min(reply.goodForMs, FRESH_MS),
            miss: reply.miss,
            missUntil: askedAt + reply.missForMs,
          }
    remember(sets, uri, set)
    return 'unavailable' in reply ? null : set
  }

  return {
    async find(issuer, kid, algorithm, use = 'sig') {
      const at = parts.now()
      let set = sets.get(issuer.jwksUri)
      if (set !== undefined && !set.keys.has(kid) && at < set.missUntil) return set.miss
      if (set === undefined || !set.keys.has(kid) || at >= set.goodUntil) {
        const refreshed = await refresh(issuer.jwksUri, kid)
        if (refreshed === null) return 'unavailable'
        set = refreshed
      }
      const jwk = set.keys.get(kid)
      if (jwk === undefined) return set.miss
      if (jwk.use !== use) return 'unknown'
      if (!isForAlgorithm(jwk, algorithm, issuer.algorithms)) return 'unknown'
      return set.imported.get(`${algorithm} ${kid}`) ?? importKey(set, jwk, algorithm)
    },
  }
}

async function importKey(
  set: KeySet,
  jwk: PublicJwk,
  algorithm: Algorithm,
): Promise<CryptoKey | 'unknown'> {
  try {
    const key = await importJWK(importable(jwk), algorithm)
    if (key instanceof Uint8Array) return 'unknown'
    set.imported.set(`${algorithm} ${jwk.kid}`, key)
    return key
  } catch {
    // A point that is not on its curve: no signature can come from such a key.
    return 'unknown'
  }
}

/** Null: no answer. The object is another machine's, so anything it throws is an outage. */
async function askInTime(
  { ask, timeoutMs = TIMEOUT_MS }: KeySourceParts,
  request: KeySetRequest,
): Promise<KeySetReply | null> {
  try {
    return await inTime(ask(request), timeoutMs, null)
  } catch {
    return null
  }
}

/** A tenant that left must not hold memory for ever: the set that was written longest ago goes. */
function remember(sets: Map<string, KeySet>, uri: string, set: KeySet): void {
  sets.delete(uri)
  sets.set(uri, set)
  if (sets.size <= MAX_SETS) return
  for (const oldest of sets.keys()) {
    sets.delete(oldest)
    return
  }
}
