// The status lists of trusted issuers, as one isolate sees them.
import { base64url } from 'jose'
import { readBounded } from '../../bounded-body.ts'
import { inTime, LATE } from '../../in-time.ts'
import { err, ok, type Result } from '../../result.ts'
import { isAlgorithm, type Issuer } from '../issuer.ts'
import { isSigned, readJws, typeOf } from '../jws.ts'
import type { Fetch } from '../key-fetch.ts'
import type { KeySource } from '../keys.ts'
import { readSegment } from '../payload.ts'
import { isIdentifier } from '../text.ts'
import { trustedUrl, type UrlRules } from '../url.ts'
import { inflate } from './inflate.ts'
import { readListToken, statusAt, type StatusList, type TokenStatus } from './list.ts'

export interface StatusSource {
  /** null: the list has no such index. `unavailable`: nobody can say now. */
  status(issuer: Issuer, uri: string, index: number): Promise<TokenStatus | null | 'unavailable'>
}

export interface StatusSourceParts {
  readonly keys: KeySource
  readonly urls: UrlRules
  readonly fetch: Fetch
  readonly now: () => number
  /** Tells the operator why a list could not be had. Fixed texts only. */
  readonly report: (issuer: string, detail: string) => void
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 2_000
/** A million tokens at a bit each are 125 KB before they are packed. */
const MAX_TOKEN_BYTES = 1024 * 1024
const MAX_LIST_BYTES = 8 * 1024 * 1024
/** Of all lists together: an isolate has 128 MB for everything. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024
/** Where a list does not say how long it may be kept, and at most, whatever it says. */
const DEFAULT_TTL_SECONDS = 300
const LONGEST_TTL_SECONDS = 3_600
const FAILURE_COOLDOWN_MS = 2_000
/** While another call of this isolate asks for the same list, it is looked for so often. */
const LOOK_EVERY_MS = 20

interface Kept {
  readonly list: StatusList | null
  readonly until: number
}

/**
 * One per isolate. INVARIANT: only finished values are kept (keys.ts), by issuer and address, and no
 * longer than the list itself allows: HTTP's own caching says nothing here (§5.3 of the draft).
 */
export function createStatusSource(parts: StatusSourceParts): StatusSource {
  const lists = new Map<string, Kept>()
  const asking = new Set<string>()
  const fresh = (name: string): Kept | null => {
    const kept = lists.get(name)
    return kept === undefined || parts.now() >= kept.until ? null : kept
  }

  const ask = async (name: string, issuer: Issuer, uri: string): Promise<Kept> => {
    asking.add(name)
    try {
      const loaded = await loadInTime(parts, issuer, uri)
      if (!loaded.ok) parts.report(issuer.url, loaded.error)
      const kept = loaded.ok
        ? loaded.value
        : { list: null, until: parts.now() + FAILURE_COOLDOWN_MS }
      remember(lists, name, kept)
      return kept
    } finally {
      asking.delete(name)
    }
  }

  return {
    async status(issuer, uri, index) {
      const name = JSON.stringify([issuer.tenant, issuer.url, uri])
      // However many calls come at once, one of them asks: the others look whether it has finished. If
      // it was cancelled without a word, they ask for themselves in the end.
      const looks = (parts.timeoutMs ?? TIMEOUT_MS) / LOOK_EVERY_MS
      for (let look = 0; look < looks && fresh(name) === null && asking.has(name); look += 1) {
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      }
      const { list } = fresh(name) ?? (await ask(name, issuer, uri))
      return list === null ? 'unavailable' : statusAt(list, index)
    },
  }
}

async function loadInTime(
  parts: StatusSourceParts,
  issuer: Issuer,
  uri: string,
): Promise<Result<Kept, string>> {
  const abort = new AbortController()
  try {
    const work = load(parts, issuer, uri, abort.signal)
    const kept = await inTime(work, parts.timeoutMs ?? TIMEOUT_MS, LATE)
    return kept === LATE ? err('no status list in time') : kept
  } catch {
    // What the network says about its failures may quote the address and more: not kept.
    return err('the connection for a status list failed')
  } finally {
    abort.abort()
  }
}

async function load(
  parts: StatusSourceParts,
  issuer: Issuer,
  uri: string,
  signal: AbortSignal,
): Promise<Result<Kept, string>> {
  const url = trustedUrl(uri, parts.urls)
  if (!url.ok) return url
  // The age counts from before the question: a slow answer can only shorten it.
  const askedAt = parts.now()
  const response = await parts.fetch(url.value.href, {
    headers: { accept: 'application/statuslist+jwt' },
    // A redirect would let a web server name another list.
    redirect: 'manual',
    cache: 'no-store',
    signal,
  })
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (response.status !== 200 || type !== 'application/statuslist+jwt') {
    await response.body?.cancel()
    return err(`the answer for a status list was status ${response.status}, or of another type`)
  }
  const bytes = await readBounded(response.body, MAX_TOKEN_BYTES)
  if (bytes === null) return err('a status list was larger than 1 MiB')
  return verify(parts, issuer, uri, new TextDecoder().decode(bytes), askedAt)
}

/** Signed by a key of the issuer whose token names it, and made for that address (§8.3). */
async function verify(
  { keys, now }: StatusSourceParts,
  issuer: Issuer,
  uri: string,
  text: string,
  askedAt: number,
): Promise<Result<Kept, string>> {
  const jws = readJws(text, MAX_TOKEN_BYTES)
  if (!jws.ok || typeOf(jws.value) !== 'statuslist+jwt') return err('a status list is no such JWT')
  const { alg, kid } = jws.value.header
  if (!isAlgorithm(alg) || !issuer.algorithms.includes(alg) || !isIdentifier(kid)) {
    return err('a status list names no algorithm and key of its issuer')
  }
  const key = await keys.find(issuer, kid, alg)
  if (typeof key === 'string') return err('the key of a status list cannot be had')
  if (!(await isSigned(jws.value, key, alg))) return err('a status list does not verify')
  const payload = readSegment(jws.value.payload)
  if (!payload.ok) return err('a status list is not strict JSON')
  const token = readListToken(payload.value, issuer.url, uri, now())
  if (!token.ok) return token
  const { bits, packed, ttl, expiresAt } = token.value
  const list = await inflate(base64url.decode(packed) as Uint8Array<ArrayBuffer>, MAX_LIST_BYTES)
  if (list === null) return err('a status list is not one zlib stream of at most 8 MiB')
  const kept = Math.min(ttl ?? DEFAULT_TTL_SECONDS, LONGEST_TTL_SECONDS) * 1000
  const until = Math.min(askedAt + kept, (expiresAt ?? Infinity) * 1000)
  return ok({ list: { bits, bytes: list }, until })
}

/** The list that was asked for longest ago goes, until the others fit. */
function remember(lists: Map<string, Kept>, name: string, kept: Kept): void {
  lists.delete(name)
  lists.set(name, kept)
  let size = 0
  for (const { list } of lists.values()) size += (list?.bytes.length ?? 0) + name.length
  for (const [oldest, { list }] of lists) {
    if (size <= MAX_KEPT_BYTES && lists.size <= MOST_LISTS) return
    if (oldest === name) return
    lists.delete(oldest)
    size -= list?.bytes.length ?? 0
  }
}

const MOST_LISTS = 256
