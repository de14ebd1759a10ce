// Pure. The verified payload -> claims, checked one by one: a signature says nothing about sanity.

import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { readActors } from './actor.ts'
import type { AuthenticationContext } from './context.ts'
import type { Issuer } from './issuer.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { isEpochSeconds, isIdentifier } from './text.ts'

/** What door one found out. All of it is verified; nothing of it is a permission. */
export interface Claims {
  readonly issuer: string
  readonly subject: string
  readonly client: string
  readonly tokenId: string
  /** The outermost `act.sub` (RFC 8693 §4.1), never a nested one. */
  readonly agent: string | null
  /** Every `act.sub`, outermost first: for the record only. */
  readonly actorChain: readonly string[]
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  /** Epoch seconds, as everywhere in a token. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly notBefore: number | null
  readonly sessionId: string | null
  readonly authTime: number | null
  readonly acr: string | null
  /** The client proved to hold the key that the token is bound to (RFC 7800). */
  readonly senderConstrained: boolean
  readonly tenant: string
}

/** How far an issuer's clock may run ahead of ours: RFC 7519 §4.1.5 "usually a few minutes". */
export const CLOCK_AHEAD_SECONDS = 60

/**
 * How long after `exp` a token still passes. Less than the other way: this leeway extends every
 * token's life, and with it what a thief can do, while clocks kept by NTP differ by far less.
 */
export const CLOCK_BEHIND_SECONDS = 5

/** RFC 6749 §3.3. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

export function readClaims(
  payload: JsonObject,
  issuer: Issuer,
  context: Pick<AuthenticationContext, 'tenant' | 'resources'>,
  nowMs: number,
): Result<Claims, AuthenticationRefusal> {
  if (payload['iss'] !== issuer.url) return tokenInvalid('issuer', '`iss` is not the issuer')
  // INVARIANT: whose user this is, is settled before anything else about the user is believed.
  if (
    issuer.tenant !== context.tenant ||
    (issuer.tenantClaim !== null && payload[issuer.tenantClaim] !== context.tenant)
  ) {
    return err({ at: 'authenticate', reason: 'tenant_mismatch' })
  }
  // Proof of possession (RFC 7800 §3.1) that nobody checked proves nothing.
  if (payload['cnf'] !== undefined) {
    return tokenInvalid('bound', 'a token bound to a key came as a bearer token')
  }

  const audience = readAudience(payload['aud'])
  if (audience === null) return tokenInvalid('audience', '`aud` is not a string or a list of them')
  // Byte-equal: a prefix would let a token for `/a` open `/a/b` (RFC 9068 §4).
  if (!audience.some((resource) => context.resources.includes(resource))) {
    return tokenInvalid('audience', '`aud` does not name this resource')
  }

  const { exp: expiresAt, iat: issuedAt, nbf: notBefore = null } = payload
  if (!isEpochSeconds(expiresAt)) return tokenInvalid('claim', '`exp` is not whole epoch seconds')
  if (!isEpochSeconds(issuedAt)) return tokenInvalid('claim', '`iat` is not whole epoch seconds')
  if (!isAbsentOr(isEpochSeconds, notBefore, payload, 'nbf')) {
    return tokenInvalid('claim', '`nbf` is not whole epoch seconds')
  }
  const latest = nowMs / 1000 + CLOCK_AHEAD_SECONDS
  if (issuedAt > latest) return tokenInvalid('not_yet_valid', '`iat` lies in the future')
  if (notBefore !== null && notBefore > latest) {
    return tokenInvalid('not_yet_valid', '`nbf` lies in the future')
  }
  if (expiresAt <= nowMs / 1000 - CLOCK_BEHIND_SECONDS) {
    return tokenInvalid('expired', '`exp` has passed')
  }
  if (expiresAt <= issuedAt) return tokenInvalid('lifetime', '`exp` is not after `iat`')
  if (expiresAt - issuedAt > issuer.maxLifetimeSeconds) {
    return tokenInvalid('lifetime', 'the token lives longer than its issuer may grant')
  }

  // RFC 9068 §2.2: all three are required there.
  const { sub: subject, client_id: client, jti: tokenId } = payload
  if (!isIdentifier(subject)) return tokenInvalid('claim', '`sub` is not an identifier')
  if (!isIdentifier(client)) return tokenInvalid('claim', '`client_id` is not an identifier')
  if (!isIdentifier(tokenId)) return tokenInvalid('claim', '`jti` is not an identifier')
  // Two names of the client that differ would bind one request to two clients.
  if (payload['azp'] !== undefined && payload['azp'] !== client) {
    return tokenInvalid('claim', '`azp` is not the client')
  }
  const actors = readActors(payload)
  if (!actors.ok) return tokenInvalid('claim', actors.error)

  const scopes = readScopes(payload['scope'])
  if (scopes === null) return tokenInvalid('claim', '`scope` is not a space-separated string')
  const { sid: sessionId = null, auth_time: authTime = null, acr = null } = payload
  if (!isAbsentOr(isIdentifier, sessionId, payload, 'sid')) {
    return tokenInvalid('claim', '`sid` is not an identifier')
  }
  if (!isAbsentOr(isIdentifier, acr, payload, 'acr')) {
    return tokenInvalid('claim', '`acr` is not an identifier')
  }
  // A login in the future would satisfy every demand for a recent one (RFC 9470 §5).
  if (
    !isAbsentOr(isEpochSeconds, authTime, payload, 'auth_time') ||
    (authTime !== null && authTime > latest)
  ) {
    return tokenInvalid('claim', '`auth_time` is not a past time in whole epoch seconds')
  }

  return ok({
    issuer: issuer.url,
    subject,
    client,
    tokenId,
    agent: actors.value[0] ?? null,
    actorChain: actors.value,
    scopes,
    audience,
    issuedAt,
    expiresAt,
    notBefore,
    sessionId,
    authTime,
    acr,
    // A bound token was refused above: no proof of possession is checked yet.
    senderConstrained: false,
    tenant: context.tenant,
  })
}

/** An optional claim: either not there at all, or right. An explicit null is neither. */
function isAbsentOr<T extends JsonValue>(
  isRight: (value: JsonValue | undefined) => value is T,
  value: JsonValue,
  payload: JsonObject,
  name: string,
): value is T | null {
  return payload[name] === undefined || isRight(value)
}

/** RFC 7519 §4.1.3: one string or an array of strings; anything else in it is refused, not skipped. */
function readAudience(value: JsonValue | undefined): readonly string[] | null {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return null
  const members = value as readonly JsonValue[]
  return members.every((member) => typeof member === 'string') ? members : null
}

/** Absent and empty grant nothing; an array is not a scope, whoever sends one (RFC 8693 §4.2). */
function readScopes(value: JsonValue | undefined): readonly string[] | null {
  if (value === undefined || value === '') return []
  return typeof value === 'string' && SCOPES.test(value) ? value.split(' ') : null
}
