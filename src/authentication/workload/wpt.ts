// A Workload Proof Token (draft-ietf-wimse-wpt-02 §2): shows the key of a WIT, for this request alone.

import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { sha256 } from '../../sha256.ts'
import { ok, type Err, type Result } from '../../result.ts'
import type { ProofUse } from '../binding.ts'
import { isSignedBy } from '../carried-key.ts'
import { CLOCK_AHEAD_SECONDS, CLOCK_BEHIND_SECONDS } from '../claims.ts'
import type { AuthenticationContext } from '../context.ts'
import type { Credentials } from '../credentials.ts'
import { readJws, typeOf } from '../jws.ts'
import { readSegment } from '../payload.ts'
import { workloadProofInvalid, type AuthenticationRefusal } from '../refusal.ts'
import { isSameTarget } from '../target.ts'
import { isIdentifier } from '../text.ts'
import { hashOf, thumbprintOf } from '../thumbprint.ts'
import { readTimes } from './times.ts'
import type { Wit } from './wit.ts'

const MAX_PROOF_LENGTH = 4096

/**
 * How long a proof may live, "on the order of minutes or seconds". Each is used once and remembered
 * until it ends, so this bounds memory as much as what a proof that was made in advance can do.
 */
export const PROOF_LIFE_SECONDS = 300

export async function checkWpt(
  text: string,
  wit: Wit,
  accessToken: string | null,
  credentials: Credentials,
  context: Pick<AuthenticationContext, 'targets' | 'now'>,
): Promise<Result<ProofUse, AuthenticationRefusal>> {
  if (text.includes(',')) return workloadProofInvalid('several', 'more than one workload proof')
  if (text.length > MAX_PROOF_LENGTH) return workloadProofInvalid('spelling', 'longer than 4 KB')
  const proof = readJws(text)
  if (!proof.ok) {
    const { fault, detail } = proof.error
    return workloadProofInvalid(fault === 'not_jwt' ? 'spelling' : fault, detail)
  }
  if (typeOf(proof.value) !== 'wpt+jwt') {
    return workloadProofInvalid('type', 'the `typ` of the workload proof is not wpt+jwt')
  }
  const { algorithm } = wit.key
  // As text: what the WIT names is the only one, under the very name that it gives.
  if (proof.value.header['alg'] !== algorithm) {
    return workloadProofInvalid('algorithm', '`alg` is not that of the key')
  }
  const payload = readSegment(proof.value.payload)
  if (!payload.ok) return workloadProofInvalid('payload', payload.error)
  const { jti, aud, wth } = payload.value
  if (!isIdentifier(jti)) return workloadProofInvalid('claim', '`jti` is not an identifier')
  if (wth !== hashOf(wit.text)) {
    return workloadProofInvalid('token', '`wth` is not the hash of the workload token')
  }
  const unnamed = otherTokens(payload.value, accessToken, credentials)
  if (unnamed !== null) return unnamed
  const called = targetOf(aud, context.targets)
  if (called === null) return workloadProofInvalid('target', '`aud` is not this resource')
  if (!(await isSignedBy(proof.value, wit.key, algorithm))) {
    return workloadProofInvalid('signature', 'the proof is not signed by the key of the workload')
  }
  // A proof needs no `iat`, so its end is measured from now, with what its maker's clock may be ahead.
  const longest = PROOF_LIFE_SECONDS + CLOCK_AHEAD_SECONDS
  const now = context.now()
  const times = readTimes(payload.value, longest, now)
  if (!times.ok) {
    const { fault, detail } = times.error
    return workloadProofInvalid(fault === 'claim' ? 'claim' : 'time', detail)
  }
  const { expiresAt } = times.value
  if (expiresAt > now / 1000 + longest) {
    return workloadProofInvalid('time', '`exp` lies too far ahead')
  }
  const thumbprint = thumbprintOf(wit.key.material)
  return ok({
    kind: 'workload',
    // The address as configured: another spelling of `aud` is another text, but no other proof.
    id: await sha256(JSON.stringify([thumbprint, called, jti])),
    expiresAt: (expiresAt + CLOCK_BEHIND_SECONDS) * 1000,
    thumbprint,
    nonce: null,
  })
}

/** One address. A proof for two of them could be carried from the one to the other. */
function targetOf(aud: JsonValue | undefined, targets: readonly string[]): string | null {
  const [only, ...others] = Array.isArray(aud) ? (aud as readonly JsonValue[]) : [aud]
  if (typeof only !== 'string' || others.length > 0) return null
  return targets.find((address) => isSameTarget(only, address)) ?? null
}

/**
 * `ath`, `tth` and `oth` name the other tokens in the request (§2). Null: as they should.
 *
 * INVARIANT: what the proof names is what came, no more and no less. A token that it does not name
 * was put beside it by somebody else; one that it names and that is missing was taken away.
 */
function otherTokens(
  { ath, tth, oth }: JsonObject,
  accessToken: string | null,
  credentials: Credentials,
): Err<AuthenticationRefusal> | null {
  if (!isHashOf(ath, accessToken)) {
    return workloadProofInvalid('token', '`ath` is not the hash of the access token')
  }
  if (!isHashOf(tth, credentials.transactionToken)) {
    return workloadProofInvalid('token', '`tth` is not the hash of the transaction token')
  }
  if (oth === undefined) return null
  if (!isJsonObject(oth)) return workloadProofInvalid('claim', '`oth` is not an object')
  for (const [header, hash] of Object.entries(oth)) {
    const value = OTHER_TOKENS.get(header)?.(credentials) ?? null
    // An entry that is not understood refuses the proof (§2).
    if (value === null || hash !== hashOf(value)) {
      return workloadProofInvalid('token', '`oth` names a token that is not known or not here')
    }
  }
  return null
}

/** The headers that `oth` may name, in lower case: those that door one looks at. */
const OTHER_TOKENS: ReadonlyMap<string, (credentials: Credentials) => string | null> = new Map([
  ['authorization', ({ authorization }: Credentials) => authorization],
  ['dpop', ({ dpop }: Credentials) => dpop],
  ['txn-token', ({ transactionToken }: Credentials) => transactionToken],
])

const isHashOf = (hash: JsonValue | undefined, token: string | null): boolean =>
  hash === (token === null ? undefined : hashOf(token))
