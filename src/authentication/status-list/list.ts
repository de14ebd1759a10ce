// Pure. A status list (draft-ietf-oauth-status-list): one to eight bits for each token, packed.
import { isCanonicalBase64url } from '../spelling.ts'
import { isEpochSeconds } from '../text.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'

const BITS = [1, 2, 4, 8] as const
export type Bits = (typeof BITS)[number]

/** What a list's token says, its bytes not inflated yet. */
export interface ListToken {
  readonly bits: Bits
  /** Base64url of a zlib stream (§4.1). */
  readonly packed: string
  /** How long it may be kept, in seconds; null: it does not say. */
  readonly ttl: number | null
  /** Epoch seconds; null: it does not say. */
  readonly expiresAt: number | null
}

export interface StatusList {
  readonly bits: Bits
  readonly bytes: Uint8Array
}

/** §7.1; `unknown` is everything that is not defined here, and refuses like the others. */
export type TokenStatus = 'valid' | 'invalid' | 'suspended' | 'unknown'

const STATUSES: readonly TokenStatus[] = ['valid', 'invalid', 'suspended']

/** Where a token's own status stands: `status.status_list` (§6.2). */
export interface StatusReference {
  readonly uri: string
  readonly index: number
}

const MAX_URI_LENGTH = 2_048

/** null: the token names no list. */
export function readReference(payload: JsonObject): Result<StatusReference | null, 'malformed'> {
  const { status } = payload
  if (status === undefined) return ok(null)
  if (!isJsonObject(status)) return err('malformed')
  const list = status['status_list']
  // Another mechanism of `status`: not this one's.
  if (list === undefined) return ok(null)
  if (!isJsonObject(list)) return err('malformed')
  const { idx: index, uri } = list
  const isRight =
    isEpochSeconds(index) && typeof uri === 'string' && uri !== '' && uri.length <= MAX_URI_LENGTH
  return isRight ? ok({ uri, index }) : err('malformed')
}

/**
 * INVARIANT: whole segments of a path: `https://a.example` would allow `https://a.example.evil` too.
 * One spelling only, so that no `..` leads out of what is allowed.
 */
export function isAllowedUri(uri: string, allowed: string): boolean {
  if (!URL.canParse(uri) || new URL(uri).href !== uri) return false
  return uri === allowed || (allowed.endsWith('/') && uri.startsWith(allowed))
}

/** §5.1. `sub` must be the very uri that was asked for: a list of others says nothing of this token. */
export function readListToken(
  payload: JsonObject,
  issuer: string,
  uri: string,
  now: number,
): Result<ListToken, string> {
  const { iss, sub, iat, exp: expiresAt = null, ttl = null, status_list: list } = payload
  if (sub !== uri) return err('`sub` is not the address of the list')
  if (iss !== undefined && iss !== issuer) return err('`iss` is not the issuer')
  if (!isEpochSeconds(iat) || iat > now / 1000 + AHEAD_SECONDS) return err('`iat` is not past')
  if (expiresAt !== null && !isEpochSeconds(expiresAt)) return err('`exp` is no time')
  if (expiresAt !== null && expiresAt <= now / 1000) return err('the list has expired')
  if (ttl !== null && !(isEpochSeconds(ttl) && ttl > 0)) return err('`ttl` is no duration')
  if (!isJsonObject(list)) return err('`status_list` is not an object')
  const { bits, lst: packed } = list
  const known = BITS.find((one) => one === bits)
  if (known === undefined) return err('`bits` is not 1, 2, 4 or 8')
  if (!isText(packed) || !isCanonicalBase64url(packed)) return err('`lst` is not base64url')
  return ok({ bits: known, packed, ttl, expiresAt })
}

const AHEAD_SECONDS = 60

const isText = (value: JsonValue | undefined): value is string => typeof value === 'string'

/** Least significant bits first (§4.1). null: the list has no such index. */
export function statusAt({ bits, bytes }: StatusList, index: number): TokenStatus | null {
  const perByte = 8 / bits
  const byte = bytes[Math.floor(index / perByte)]
  if (byte === undefined) return null
  const value = (byte >> ((index % perByte) * bits)) & (2 ** bits - 1)
  return STATUSES[value] ?? 'unknown'
}
