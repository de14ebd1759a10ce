// Pure. To which keys a credential is bound, and which proofs were used up to show it.

/** A key that the caller proved to hold in this very request (RFC 7800). */
export interface Binding {
  /** `workload`: the key in a WIT's `cnf`. */
  readonly kind: 'dpop' | 'certificate' | 'workload'
  /** RFC 7638 thumbprint of the key, or RFC 8705 thumbprint of the certificate; base64url, SHA-256. */
  readonly thumbprint: string
}

/**
 * A proof that was found right and may be used once. Door one does not know whether it was used
 * before: the subject's session does, because a proof names its token and a token its subject.
 */
export interface ProofUse {
  readonly kind: 'dpop' | 'workload'
  /** SHA-256 (hex) over the key's thumbprint, the address and the proof's own id. Never the proof's text. */
  readonly id: string
  /** Epoch milliseconds: from then on the proof is refused for its age alone, so it may be forgotten. */
  readonly expiresAt: number
  /** RFC 7638 thumbprint of the key, as in the binding. */
  readonly thumbprint: string
  readonly nonce: string | null
}
