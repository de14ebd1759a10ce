import { proofInvalid, workloadProofInvalid, type ProofRefusal } from '../authentication/refusal.ts'
import type { Digests } from './digests.ts'
import type { Possession, ShownProof } from './session-protocol.ts'

const MINUTE_MS = 60_000
/**
 * Door one looked at the proof's age by another machine's clock, and before it read the facts. So a
 * proof is remembered for this long after its end, and beyond that refused here as well.
 */
const REMEMBERED_AFTER_MS = MINUTE_MS
/** Deleted with each new one, so that the table stays as long as what may still come again. */
const DELETED_AT_ONCE = 4

/**
 * Proofs of possession that were used (RFC 9449 §11.1). A proof names its token and a token its
 * subject, so that subject's session sees every use of it, and no other place has to be asked.
 *
 * INVARIANT: a proof is good for one request, also where door two refuses that request. It is forgotten
 * only when this object itself, by its own clock, would refuse it for its age alone.
 */
export class UsedProofs {
  readonly #sql: SqlStorage
  readonly #digests: Digests

  constructor(sql: SqlStorage, digests: Digests) {
    this.#sql = sql
    this.#digests = digests
  }

  /** Null: each was new, or this very request showed it before. Nothing is awaited in here. */
  use({ request, proofs }: Possession, now: number): ProofRefusal | null {
    for (const proof of proofs) {
      if (forgotten(proof.expiresAt, now)) return LATE[proof.kind]
      // Before it is used up: with the nonce the client makes another.
      if (proof.nonceNeeded && !this.#nonces(proof, now).includes(proof.nonce ?? '')) {
        return { at: 'authenticate', reason: 'proof_nonce', nonce: this.#nonce(proof, now) }
      }
      const known = this.#sql
        .exec<{ request: string }>('SELECT request FROM used_proofs WHERE id = ?', proof.id)
        .toArray()[0]
      if (known !== undefined && known.request !== request) return USED[proof.kind]
    }
    for (const { id, expiresAt } of proofs) this.#add(id, request, expiresAt, now)
    return null
  }

  /** For the answer, where the next proof with the old nonce would come too late (RFC 9449 §8.2). */
  nextNonce(proofs: readonly ShownProof[], now: number): string | null {
    const [proof] = proofs.filter(({ nonceNeeded }) => nonceNeeded)
    if (proof === undefined) return null
    const current = this.#nonce(proof, now)
    return proof.nonce === current ? null : current
  }

  #add(id: string, request: string, expiresAt: number, now: number): void {
    this.#sql.exec(
      'DELETE FROM used_proofs WHERE id IN (SELECT id FROM used_proofs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
      now - REMEMBERED_AFTER_MS,
      DELETED_AT_ONCE,
    )
    this.#sql.exec(
      'INSERT INTO used_proofs (id, request, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      id,
      request,
      expiresAt,
    )
  }

  /** This minute's and the last one's: whoever was given one has time to use it. */
  #nonces(proof: ShownProof, now: number): readonly string[] {
    return [this.#nonce(proof, now), this.#nonce(proof, now - MINUTE_MS)]
  }

  /** Kept nowhere: the session's key, the minute and the client's key make it (RFC 9449 §8). */
  #nonce({ thumbprint }: ShownProof, at: number): string {
    return this.#digests.of(`dpop-nonce\n${Math.floor(at / MINUTE_MS)}\n${thumbprint}`)
  }
}

const forgotten = (expiresAt: number, now: number): boolean =>
  expiresAt <= now - REMEMBERED_AFTER_MS

const LATE = {
  dpop: proofInvalid('time', '`iat` lies too far back').error,
  workload: workloadProofInvalid('time', '`exp` has passed').error,
} as const satisfies Record<ShownProof['kind'], ProofRefusal>

const USED = {
  dpop: proofInvalid('used', 'the proof was used before').error,
  workload: workloadProofInvalid('used', 'the proof was used before').error,
} as const satisfies Record<ShownProof['kind'], ProofRefusal>
