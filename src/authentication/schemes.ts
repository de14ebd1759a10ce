// The ways to present credentials, one row each. A new way is a row here; the compiler then asks for
// its challenge (challenge.ts).

import { err, type Result } from '../result.ts'
import type { Claims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import type { Credentials } from './credentials.ts'
import { checkProof } from './dpop.ts'
import { proven } from './possession.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { verifyToken } from './token-kinds.ts'
import { workloadAlone } from './workload-scheme.ts'

interface Scheme {
  /** A scheme of the Authorization header, or a credential in headers of its own. */
  readonly inAuthorization: boolean
  readonly verify: (
    token: string,
    credentials: Credentials,
    context: AuthenticationContext,
  ) => Promise<Result<Claims, AuthenticationRefusal>>
}

/** By name in lower case; absent = not an accepted credential. */
export const SCHEMES = {
  bearer: {
    inAuthorization: true,
    verify: async (token, credentials, context) => {
      // Ignoring the proof would turn a token that its client meant to bind into a plain one.
      if (credentials.dpop !== null) {
        return tokenInvalid('bound', 'a proof of possession came with a bearer token')
      }
      const claims = await verifyToken(token, context)
      return claims.ok ? proven(claims.value, null, token, credentials, context) : claims
    },
  },
  dpop: {
    inAuthorization: true,
    verify: async (token, credentials, context) => {
      if (credentials.dpop === null) return NO_PROOF
      const claims = await verifyToken(token, context)
      if (!claims.ok) return claims
      const { jkt } = claims.value.confirmation
      // RFC 9449 §7.1: this scheme is for bound tokens. A plain one gains nothing from a proof that
      // whoever stole it could have made.
      if (jkt === null) return tokenInvalid('bound', 'the token is not bound to a DPoP key')
      const proof = await checkProof(credentials.dpop, { token, jkt }, credentials, context)
      return proof.ok ? proven(claims.value, proof.value, token, credentials, context) : proof
    },
  },
  workload: {
    inAuthorization: false,
    verify: workloadAlone,
  },
} as const satisfies Record<string, Scheme>

export type SchemeName = keyof typeof SCHEMES

/** The Authorization scheme of this name, whatever its case (RFC 9110 §11.1). */
export function schemeNamed(name: string): SchemeName | null {
  const known = name.toLowerCase()
  // Own members only: `__proto__` and `constructor` are no schemes.
  if (!Object.hasOwn(SCHEMES, known)) return null
  return SCHEMES[known as SchemeName].inAuthorization ? (known as SchemeName) : null
}

const NO_PROOF = err({
  at: 'authenticate',
  reason: 'proof_invalid',
  fault: 'missing',
  detail: 'a DPoP token came without a proof',
} as const)
