// Fetches an issuer's key set under bounds that `createRemoteJWKSet` does not have.

import { readBounded } from '../bounded-body.ts'
import { readDocument } from '../exact-json.ts'
import { err, ok, type Result } from '../result.ts'
import { inTime } from '../in-time.ts'
import type { PublicJwk } from './jwk.ts'
import { readKeySet, type FetchFault } from './key-set.ts'
import { trustedUrl } from './url.ts'

const MAX_BYTES = 256 * 1024
const TIMEOUT_MS = 2_000

/** All of the network that this folder knows; a test passes its own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface KeySetAddress {
  readonly uri: string
  readonly allowLoopback: boolean
}

export async function fetchKeySet(
  address: KeySetAddress,
  fetch: Fetch,
  timeoutMs = TIMEOUT_MS,
): Promise<Result<readonly PublicJwk[], FetchFault>> {
  const { uri, allowLoopback } = address
  const url = trustedUrl(uri, { allowLoopback, ownHosts: new Set() })
  if (!url.ok) return unreachable(url.error)
  const body = await downloadInTime(url.value.href, fetch, timeoutMs)
  if (!body.ok) return body
  const document = readDocument(body.value)
  // A page of HTML with status 200 is an outage, not a statement about keys.
  if (!document.ok) return unreachable(document.error)
  const keys = readKeySet(document.value)
  return keys.ok ? keys : err({ kind: 'refused', detail: keys.error })
}

async function download(
  url: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Result<Uint8Array, FetchFault>> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // A redirect would let the issuer's web server name another host as the root of trust.
    redirect: 'manual',
    // A shared cache on the way would add its own age to ours.
    cache: 'no-store',
    signal,
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    return unreachable(`the answer was status ${response.status}`)
  }
  if (response.body === null) return unreachable('the answer was empty')
  const bytes = await readBounded(response.body, MAX_BYTES)
  return bytes === null ? unreachable('the answer was larger than 256 KiB') : ok(bytes)
}

/** The signal ends a fetch that listens; the clock ends the wait for one that does not. */
async function downloadInTime(
  url: string,
  fetch: Fetch,
  timeoutMs: number,
): Promise<Result<Uint8Array, FetchFault>> {
  const abort = new AbortController()
  try {
    const body = await inTime(download(url, fetch, abort.signal), timeoutMs, null)
    return body ?? unreachable('no answer in time')
  } catch {
    // What the network says about its failures may quote the address and more: not kept.
    return unreachable('the connection failed')
  } finally {
    abort.abort()
  }
}

const unreachable = (detail: string) => err<FetchFault>({ kind: 'unreachable', detail })
