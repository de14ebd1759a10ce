// Pure. The WWW-Authenticate value of a protected resource (RFC 6750 §3, RFC 9449 §7.1, RFC 9728
// §5.1, RFC 9470 §3).

import { PROOF_ALGORITHMS } from './dpop.ts'
import type { SchemeName } from './schemes.ts'

/** Absent `error` means that no credential was sent: RFC 6750 §3.1 wants no error code then. */
const CHALLENGES = {
  credentials_missing: { error: null, description: null },
  invalid_request: {
    error: 'invalid_request',
    description: 'send one access token, in the Authorization header only',
  },
  invalid_token: {
    error: 'invalid_token',
    description: 'the access token is not valid for this resource',
  },
  invalid_dpop_proof: {
    error: 'invalid_dpop_proof',
    description: 'the proof is not valid for this request and token',
  },
  use_dpop_nonce: {
    error: 'use_dpop_nonce',
    description: 'repeat the request with this nonce in the proof',
  },
  insufficient_scope: {
    error: 'insufficient_scope',
    description: 'the operation needs every scope named here',
  },
  insufficient_user_authentication: {
    error: 'insufficient_user_authentication',
    description: 'the operation needs another login of the person',
  },
} as const

export type ChallengeKind = keyof typeof CHALLENGES

type ChallengeScheme = 'Bearer' | 'DPoP'

/** How each way to present credentials is challenged. A workload is told to bring a token as well. */
const SCHEME: Readonly<Record<SchemeName, ChallengeScheme>> = {
  bearer: 'Bearer',
  dpop: 'DPoP',
  workload: 'Bearer',
}

/** Refusals for which the other scheme would do as well, or is the one that does. */
const BOTH_SCHEMES: ReadonlySet<ChallengeKind> = new Set(['credentials_missing', 'invalid_token'])

export interface ChallengeParameters {
  /** How the credentials came; null: there were none. */
  readonly scheme: SchemeName | null
  /** Where the protected resource metadata is (RFC 9728 §5.1). */
  readonly resourceMetadata: string
  /** All scopes of the operation at once, so that one step-up is enough; may be empty. */
  readonly scopes: readonly string[]
  /** Which login will do (RFC 9470 §3); empty and null where it does not matter. */
  readonly acrValues: readonly string[]
  readonly maxAgeSeconds: number | null
}

/**
 * A client that came with a proof is challenged for one again. To one that came without, or with
 * nothing, both are offered: first Bearer, because many clients read no further than the first.
 *
 * INVARIANT: descriptions are fixed texts: why a token failed is told to the operator only.
 */
export function challenge(kind: ChallengeKind, parameters: ChallengeParameters): string {
  const { scheme } = parameters
  const first = scheme === null ? 'Bearer' : SCHEME[scheme]
  const value = challengeOf(first, kind, parameters)
  if (first === 'DPoP' || !BOTH_SCHEMES.has(kind)) return value
  // No error here: what was presented was no proof.
  return `${value}, ${challengeOf('DPoP', 'credentials_missing', parameters)}`
}

function challengeOf(
  scheme: ChallengeScheme,
  kind: ChallengeKind,
  parameters: ChallengeParameters,
): string {
  const { error, description } = CHALLENGES[kind]
  const scopes = parameters.scopes.filter((scope) => SCOPE_TOKEN.test(scope))
  const members: string[] = []
  if (error !== null) members.push(`error=${quoted(error)}`)
  if (scheme === 'DPoP') members.push(`algs=${quoted(PROOF_ALGORITHMS.join(' '))}`)
  members.push(`resource_metadata=${quoted(parameters.resourceMetadata)}`)
  if (scopes.length > 0) members.push(`scope=${quoted(scopes.join(' '))}`)
  const { acrValues, maxAgeSeconds } = parameters
  if (acrValues.length > 0) members.push(`acr_values=${quoted(acrValues.join(' '))}`)
  if (maxAgeSeconds !== null) members.push(`max_age=${maxAgeSeconds}`)
  if (description !== null) members.push(`error_description=${quoted(description)}`)
  return `${scheme} ${members.join(', ')}`
}

/** RFC 6749 §3.3. What is no scope cannot be asked for, so naming it would help nobody. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** A quoted-string (RFC 9110 §5.6.4) of printable ASCII; nothing can end it or begin a new line. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`
}
