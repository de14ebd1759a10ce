// Pure. What the ids of revocations look like, where their kind alone says so.
import type { RevocationKind } from './refusal.ts'

/** SHA-256 as a thumbprint: 43 characters of base64url (RFC 7638 §3, RFC 8705 §3.1). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/
const SESSION_KEY = /^[0-9a-f]{64}$/
const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** Why nothing is ever called by such an id. */
export type IdFault = 'is_a_token' | 'no_thumbprint' | 'no_session_key'

const FAULTS: Partial<Record<RevocationKind, (id: string) => IdFault | null>> = {
  // INVARIANT: a text of the same token that nobody listed would pass, and this one is a credential.
  token: (id) => (JWT.test(id) ? 'is_a_token' : null),
  proof_key: (id) => (THUMBPRINT.test(id) ? null : 'no_thumbprint'),
  session: (id) => (SESSION_KEY.test(id) ? null : 'no_session_key'),
}

export const idFault = (kind: RevocationKind, id: string): IdFault | null =>
  FAULTS[kind]?.(id) ?? null
