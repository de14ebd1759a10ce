// Texts that only Sallyport can read and nobody can change: AES-GCM as a compact JWE (RFC 7516).
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, errors } from 'jose'
import { isIdentifier } from '../../authentication/text.ts'
import type { SealingKeys } from './own-keys.ts'

/** What a text is for: one that was sealed for another purpose does not open. */
export type SealPurpose = 'context' | 'ending' | 'credential'

export const seal = (
  purpose: SealPurpose,
  text: string,
  { sealer }: SealingKeys,
): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(text))
    // The protected header is authenticated with the text (RFC 7516 §5.1).
    .setProtectedHeader({
      alg: 'dir',
      enc: 'A256GCM',
      kid: sealer.kid,
      typ: `sallyport-${purpose}`,
    })
    .encrypt(sealer.key)

/** null: not ours, not for this purpose, or changed. */
export async function unseal(
  purpose: SealPurpose,
  sealed: string,
  keys: SealingKeys,
): Promise<string | null> {
  try {
    const { kid, typ } = decodeProtectedHeader(sealed)
    const key = isIdentifier(kid) ? keys.find(kid) : null
    if (key === null || typ !== `sallyport-${purpose}`) return null
    const { plaintext } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext)
  } catch (cause) {
    // jose says its expected no with its own errors, and with a TypeError for what is no JWE at all.
    if (cause instanceof errors.JOSEError || cause instanceof TypeError) return null
    throw cause
  }
}
