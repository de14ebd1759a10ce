// Pure. What the subject's token says besides who acts, as the caller tells it.
import { readAuthorizationDetails } from '../authentication/authorization-details.ts'
import { isEpochSeconds, isIdentifier } from '../authentication/text.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import type { KeyBinding } from '../pdp/evaluation.ts'
import type { Credential } from '../question/question.ts'
import { ok, type Result } from '../result.ts'
import { malformed, readName, type Malformed } from './request.ts'

export interface ToldCredential {
  readonly token: Omit<Credential, 'scopes' | 'actorChain'>
  /** null: the caller does not say, and checks scopes by itself. */
  readonly scopes: readonly string[] | null
}

/** How far the caller's clock may run ahead of ours, as for tokens. */
const AHEAD_SECONDS = 60

const PATH = 'subject.properties'

export function readCredential(
  properties: JsonObject,
  nowMs: number,
): Result<ToldCredential, Malformed> {
  const tokenId = readName(properties, 'token_id', PATH)
  if (!tokenId.ok) return tokenId
  const sessionId = readName(properties, 'token_session', PATH)
  if (!sessionId.ok) return sessionId
  const keyId = readName(properties, 'issuer_key', PATH)
  if (!keyId.ok) return keyId
  const transaction = readName(properties, 'txn', PATH)
  if (!transaction.ok) return transaction
  const acr = readName(properties, 'acr', PATH)
  if (!acr.ok) return acr
  const { auth_time: authTime = null } = properties
  // A login in the future would satisfy every demand for a recent one (RFC 9470 §5), and a token of the
  // future would be newer than whatever ends older ones.
  const isPast = (time: JsonValue): time is number =>
    isEpochSeconds(time) && time <= nowMs / 1000 + AHEAD_SECONDS
  if (!isPast(authTime ?? 0) || (authTime === null && 'auth_time' in properties)) {
    return malformed('`subject.properties.auth_time` must be a past time in epoch seconds')
  }
  const { issued_at: issuedAt = null } = properties
  if (issuedAt !== null && !isPast(issuedAt)) {
    return malformed('`subject.properties.issued_at` must be a past time in epoch seconds')
  }
  const bindings = readBindings(properties['bindings'])
  if (!bindings.ok) return bindings
  const { sender_constrained: senderConstrained = bindings.value.length > 0 } = properties
  if (typeof senderConstrained !== 'boolean') {
    return malformed('`subject.properties.sender_constrained` must be true or false')
  }
  const authorizationDetails = readAuthorizationDetails(properties['authorization_details'])
  if (!authorizationDetails.ok) {
    return malformed('`subject.properties.authorization_details` must be a list of typed objects')
  }
  const scopes = readScopes(properties)
  if (!scopes.ok) return scopes
  return ok({
    token: {
      tokenId: tokenId.value,
      // Where nobody says, what was taken back for older tokens counts.
      issuedAt,
      sessionId: sessionId.value,
      keyId: keyId.value,
      bindings: bindings.value,
      // The caller names the agent, and nobody's document beside it.
      agentDocument: null,
      transaction: transaction.value,
      authorizationDetails: authorizationDetails.value,
      acr: acr.value,
      authTime: authTime as number | null,
      senderConstrained,
    },
    scopes: scopes.value,
  })
}

const KINDS = ['dpop', 'certificate', 'workload'] as const satisfies KeyBinding['kind'][]

/** The keys that the caller saw proofs of: what a revocation may name. */
function readBindings(value: JsonValue | undefined): Result<readonly KeyBinding[], Malformed> {
  if (value === undefined) return ok([])
  const read = Array.isArray(value) ? value.map(readBinding) : [null]
  const bindings = read.filter((one) => one !== null)
  return bindings.length === read.length
    ? ok(bindings)
    : malformed('`subject.properties.bindings` must be a list of `kind` and `thumbprint`')
}

function readBinding(value: JsonValue): KeyBinding | null {
  if (!isJsonObject(value)) return null
  const kind = KINDS.find((one) => one === value['kind'])
  const thumbprint = value['thumbprint']
  return kind !== undefined && isIdentifier(thumbprint) ? { kind, thumbprint } : null
}

/** A list, or one text as in a token (RFC 6749 §3.3); one of them. */
function readScopes({ scopes, scope }: JsonObject): Result<readonly string[] | null, Malformed> {
  if (scopes !== undefined && scope !== undefined) {
    return malformed('`subject.properties` has both `scopes` and `scope`')
  }
  if (scope !== undefined) {
    return typeof scope === 'string'
      ? ok(scope.split(' ').filter((one) => one !== ''))
      : malformed('`subject.properties.scope` must be a text')
  }
  if (scopes === undefined) return ok(null)
  return isListOfNames(scopes)
    ? ok(scopes)
    : malformed('`subject.properties.scopes` must be a list of texts')
}

const isListOfNames = (value: JsonValue): value is readonly string[] =>
  Array.isArray(value) && value.every(isIdentifier)
