// What an issuer signs for our own pages: ID tokens, and the documents of Cloudflare Access.
import { isAlgorithm, type Issuer } from '../authentication/issuer.ts'
import { isSigned, readJws, typeOf } from '../authentication/jws.ts'
import type { KeySource } from '../authentication/keys.ts'
import { readSegment } from '../authentication/payload.ts'
import { isEpochSeconds, isIdentifier } from '../authentication/text.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'

export type SignedFault = 'invalid' | 'unavailable'

export interface Signed {
  readonly claims: JsonObject
  /** Which of the issuer's keys signed it: that one may be revoked. */
  readonly keyId: string
}

/** How far clocks may differ, either way: nothing here lives for so short a time that it matters. */
const CLOCK_SECONDS = 60

/**
 * INVARIANT: verified by the very issuer that the page's server trusts, with its own list of
 * algorithms. An access token (`at+jwt`) or any other kind is no proof of a login (RFC 8725 §3.11).
 */
export async function readSigned(
  text: string,
  issuer: Issuer,
  keys: KeySource,
): Promise<Result<Signed, SignedFault>> {
  const jws = readJws(text)
  if (!jws.ok) return err('invalid')
  const { alg, kid, typ } = jws.value.header
  if (typ !== undefined && typeOf(jws.value) !== 'jwt') return err('invalid')
  if (!isAlgorithm(alg) || !issuer.algorithms.includes(alg) || !isIdentifier(kid)) {
    return err('invalid')
  }
  const key = await keys.find(issuer, kid, alg)
  if (key === 'unavailable') return err('unavailable')
  if (key === 'unknown' || !(await isSigned(jws.value, key, alg))) return err('invalid')
  const payload = readSegment(jws.value.payload)
  return payload.ok && payload.value['iss'] === issuer.url
    ? ok({ claims: payload.value, keyId: kid })
    : err('invalid')
}

/** Signed lately enough, and good now. */
export function isCurrent({ iat, exp, nbf }: JsonObject, longestMs: number, now: number): boolean {
  if (!isEpochSeconds(iat) || !isEpochSeconds(exp)) return false
  const seconds = now / 1000
  return (
    iat <= seconds + CLOCK_SECONDS &&
    exp > seconds - CLOCK_SECONDS &&
    exp > iat &&
    (exp - iat) * 1000 <= longestMs &&
    (nbf === undefined || (isEpochSeconds(nbf) && nbf <= seconds + CLOCK_SECONDS))
  )
}

/** For us and nobody else: an audience of several would let another of them show it here. */
export function isFor(audience: JsonValue | undefined, client: string): boolean {
  return (
    audience === client ||
    (Array.isArray(audience) && audience.length === 1 && audience[0] === client)
  )
}

/** Whose user this is: by the row alone, or by the claim that the row names. */
export const isOfTenant = (payload: JsonObject, { tenant, tenantClaim }: Issuer): boolean =>
  tenantClaim === null || payload[tenantClaim] === tenant
