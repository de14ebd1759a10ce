// Pure. The verified payload -> claims, checked one by one: a signature says nothing about sanity.

import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { readActors, readMayAct } from './actor.ts'
import type { Binding, ProofUse } from './binding.ts'
import { readAuthorizationDetails } from './authorization-details.ts'
import { readConfirmation, type Confirmation } from './confirmation.ts'
import type { AuthenticationContext } from './context.ts'
import type { Issuer } from './issuer.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { isEpochSeconds, isIdentifier } from './text.ts'

/** What a token says. All of it is verified; nothing of it is a permission. */
export interface TokenClaims {
  readonly issuer: string
  readonly subject: string
  readonly client: string
  /** Null only for an introspected token whose issuer gives it no name. */
  readonly tokenId: string | null
  /** The `kid` of the issuer's key that signed it; null for an opaque token. */
  readonly keyId: string | null
  /** The outermost `act.sub` (RFC 8693 §4.1), never a nested one; or the workload beside the token. */
  readonly agent: string | null
  /** Every `act.sub`, outermost first: for the record only. */
  readonly actorChain: readonly string[]
  /** Who alone may act for the subject (RFC 8693 §4.4); null: the token does not say. */
  readonly mayAct: string | null
  readonly scopes: readonly string[]
  /** RFC 9396 §9.1. Null: no such claim, so no such bound. Empty: bound to nothing. */
  readonly authorizationDetails: readonly JsonObject[] | null
  readonly audience: readonly string[]
  /** Epoch seconds, as everywhere in a token; null only for an introspected one. */
  readonly issuedAt: number | null
  readonly expiresAt: number
  readonly notBefore: number | null
  readonly sessionId: string | null
  readonly authTime: number | null
  readonly acr: string | null
  readonly tenant: string
}

/** Before anybody showed the key. INVARIANT: no caller of door one ever sees claims in this state. */
export interface UnprovenClaims extends TokenClaims {
  readonly confirmation: Confirmation
}

/** By whose word a workload beside the token is the agent: of another issuer than the token. */
export interface AgentDocument {
  readonly issuer: string
  readonly tokenId: string | null
  readonly keyId: string
}

/** What door one found out: who is calling, with which keys in hand. */
export interface Claims extends TokenClaims {
  /** Null: nobody, or nobody but the token itself, names an agent. */
  readonly agentDocument: AgentDocument | null
  /** Every key that was shown in this request: the token's own, and that of a workload beside it. */
  readonly bindings: readonly Binding[]
  /**
   * The credential that names the subject is bound to a key, and the key was shown (RFC 7800). A
   * workload beside a plain bearer token does not make that token any less stealable.
   */
  readonly senderConstrained: boolean
  /** Proofs that count once; the subject's session enforces that. Two, if a workload came beside DPoP. */
  readonly proofs: readonly ProofUse[]
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

/**
 * `keyId` is the key that signed the payload. Null: an issuer told it of an opaque token, and may
 * leave out what RFC 7662 §2.2 leaves to it: `iss`, `iat` and `jti`.
 */
export function readClaims(
  payload: JsonObject,
  issuer: Issuer,
  context: Pick<AuthenticationContext, 'tenant' | 'resources'>,
  nowMs: number,
  keyId: string | null,
): Result<UnprovenClaims, AuthenticationRefusal> {
  const mayLack = (name: string): boolean => keyId === null && payload[name] === undefined
  if (payload['iss'] !== issuer.url && !mayLack('iss')) {
    return tokenInvalid('issuer', '`iss` is not the issuer')
  }
  // INVARIANT: whose user this is, is settled before anything else about the user is believed.
  if (
    issuer.tenant !== context.tenant ||
    (issuer.tenantClaim !== null && payload[issuer.tenantClaim] !== context.tenant)
  ) {
    return err({ at: 'authenticate', reason: 'tenant_mismatch' })
  }
  const confirmation = readConfirmation(payload['cnf'])
  if (!confirmation.ok) return tokenInvalid('bound', confirmation.error)

  const audience = readAudience(payload['aud'])
  if (audience === null) return tokenInvalid('audience', '`aud` is not a string or a list of them')
  // Byte-equal: a prefix would let a token for `/a` open `/a/b` (RFC 9068 §4).
  if (!audience.some((resource) => context.resources.includes(resource))) {
    return tokenInvalid('audience', '`aud` does not name this resource')
  }

  const { exp: expiresAt, iat: issuedAt = null, nbf: notBefore = null } = payload
  if (!isEpochSeconds(expiresAt)) return tokenInvalid('claim', '`exp` is not whole epoch seconds')
  if (!isEpochSeconds(issuedAt) && !(issuedAt === null && mayLack('iat'))) {
    return tokenInvalid('claim', '`iat` is not whole epoch seconds')
  }
  if (!isAbsentOr(isEpochSeconds, notBefore, payload, 'nbf')) {
    return tokenInvalid('claim', '`nbf` is not whole epoch seconds')
  }
  const latest = nowMs / 1000 + CLOCK_AHEAD_SECONDS
  if (issuedAt !== null && issuedAt > latest)
    return tokenInvalid('not_yet_valid', '`iat` lies in the future')
  if (notBefore !== null && notBefore > latest) {
    return tokenInvalid('not_yet_valid', '`nbf` lies in the future')
  }
  if (expiresAt <= nowMs / 1000 - CLOCK_BEHIND_SECONDS) {
    return tokenInvalid('expired', '`exp` has passed')
  }
  // Without `iat` the token is taken to begin now: what is left of it is bounded at least.
  const begunAt = issuedAt ?? nowMs / 1000 - CLOCK_BEHIND_SECONDS
  if (expiresAt <= begunAt) return tokenInvalid('lifetime', '`exp` is not after `iat`')
  if (expiresAt - begunAt > issuer.maxLifetimeSeconds) {
    return tokenInvalid('lifetime', 'the token lives longer than its issuer may grant')
  }

  // RFC 9068 §2.2: all three are required there.
  const { sub: subject, client_id: client, jti: tokenId = null } = payload
  if (!isIdentifier(subject)) return tokenInvalid('claim', '`sub` is not an identifier')
  if (!isIdentifier(client)) return tokenInvalid('claim', '`client_id` is not an identifier')
  if (!isIdentifier(tokenId) && !(tokenId === null && mayLack('jti'))) {
    return tokenInvalid('claim', '`jti` is not an identifier')
  }
  // Two names of the client that differ would bind one request to two clients.
  if (payload['azp'] !== undefined && payload['azp'] !== client) {
    return tokenInvalid('claim', '`azp` is not the client')
  }
  const actors = readActors(payload)
  if (!actors.ok) return tokenInvalid('claim', actors.error)
  const agent = actors.value[0] ?? null
  const mayAct = readMayAct(payload, agent)
  if (!mayAct.ok) return tokenInvalid('claim', mayAct.error)
  const authorizationDetails = readAuthorizationDetails(payload['authorization_details'])
  if (!authorizationDetails.ok) return tokenInvalid('claim', authorizationDetails.error)

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
    keyId,
    agent,
    actorChain: actors.value,
    mayAct: mayAct.value,
    scopes,
    authorizationDetails: authorizationDetails.value,
    audience,
    issuedAt,
    expiresAt,
    notBefore,
    sessionId,
    authTime,
    acr,
    tenant: context.tenant,
    confirmation: confirmation.value,
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
export function readAudience(value: JsonValue | undefined): readonly string[] | null {
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
