// A JWT-SVID (SPIFFE): a bearer token that names a workload.

import type { JsonObject } from '../../mcp/value.ts'
import { err, ok, type Err, type Result } from '../../result.ts'
import { readAudience } from '../claims.ts'
import type { AuthenticationContext } from '../context.ts'
import type { Jws } from '../jws.ts'
import { readSegment } from '../payload.ts'
import { tokenInvalid, type AuthenticationRefusal } from '../refusal.ts'
import { isIdentifier } from '../text.ts'
import type { VerifiedWorkload } from '../workload-claims.ts'
import { readTimes } from './times.ts'
import { vouchedBy, type VouchingFault } from './trust-domain.ts'
import { readWorkloadId } from './workload-id.ts'

/** JWT-SVID §2: any other header, registered or private, must not be there. */
const HEADERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ'])

/** `document` is a compact JWS in its only spelling, without `crit` (§5.1). */
export async function verifyJwtSvid(
  document: Jws,
  context: AuthenticationContext,
): Promise<Result<VerifiedWorkload, AuthenticationRefusal>> {
  const payload = readSegment(document.payload)
  if (!payload.ok) return tokenInvalid('payload', payload.error)
  // Nothing in the header tells a JWT-SVID from an ID token; the subject does.
  const { sub } = payload.value
  if (typeof sub !== 'string' || !sub.startsWith('spiffe://')) {
    return tokenInvalid('type', '`typ` is not that of an access token')
  }
  const workload = readWorkloadId(sub)
  if (workload === null) return tokenInvalid('claim', '`sub` is not a SPIFFE id of a workload')
  const { typ } = document.header
  // §2.3. Not a media type that is compared as such, but one of two words.
  if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE') {
    return tokenInvalid('type', '`typ` is not that of a JWT-SVID')
  }
  if (Object.keys(document.header).some((name) => !HEADERS.has(name))) {
    return tokenInvalid('header', 'a JWT-SVID has no such header')
  }
  const voucher = await vouchedBy(document, payload.value, workload, 'jwt-svid', context)
  if (!voucher.ok) return notVouched(voucher.error)
  const { issuer, keyId } = voucher.value
  const claims = readSvidClaims(payload.value, issuer.maxLifetimeSeconds, context)
  return claims.ok
    ? ok({
        issuer: issuer.url,
        id: workload.id,
        keyId,
        ...claims.value,
        binding: null,
        proof: null,
      })
    : claims
}

/** INVARIANT: called after the signature was verified, so that the clock is read after the await. */
function readSvidClaims(
  payload: JsonObject,
  longest: number,
  context: Pick<AuthenticationContext, 'resources' | 'now'>,
) {
  // A bound document that comes as a bearer token is what a thief can send.
  if (payload['cnf'] !== undefined) {
    return tokenInvalid('bound', 'a JWT-SVID cannot be bound to a key')
  }
  const audience = readAudience(payload['aud'])
  if (audience === null) return tokenInvalid('audience', '`aud` is not a string or a list of them')
  if (!audience.some((resource) => context.resources.includes(resource))) {
    return tokenInvalid('audience', '`aud` does not name this resource')
  }
  const times = readTimes(payload, longest, context.now())
  if (!times.ok) return tokenInvalid(times.error.fault, times.error.detail)
  const { jti } = payload
  if (jti !== undefined && !isIdentifier(jti)) {
    return tokenInvalid('claim', '`jti` is not an identifier')
  }
  return ok({ tokenId: jti ?? null, audience, ...times.value })
}

function notVouched(fault: VouchingFault): Err<AuthenticationRefusal> {
  switch (fault) {
    case 'domain_unknown':
      return err({ at: 'authenticate', reason: 'issuer_unknown' })
    case 'tenant_mismatch':
      return err({ at: 'authenticate', reason: 'tenant_mismatch' })
    case 'unavailable':
      return err({ at: 'authenticate', reason: 'issuer_unavailable' })
    case 'header':
      return tokenInvalid('header', '`kid` is not an identifier')
    case 'algorithm':
      return tokenInvalid('algorithm', '`alg` is not accepted from this trust domain')
    case 'key_unknown':
      return tokenInvalid('key_unknown', '`kid` names no such key of the trust domain')
    case 'signature':
      return tokenInvalid('signature', 'the signature does not verify')
  }
}
