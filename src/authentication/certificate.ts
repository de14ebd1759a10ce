// Pure. The client's certificate as Cloudflare presents it (`request.cf.tlsClientAuth`).

import { base64url } from 'jose'

/** A certificate whose key the client proved to hold in the TLS handshake. */
export interface ClientCertificate {
  /** `x5t#S256`: base64url of the certificate's SHA-256 (RFC 8705 §3.1). */
  readonly thumbprint: string
}

const SHA256_HEX = /^[0-9a-fA-F]{64}$/

/**
 * Null: none was presented, or one that proves nothing.
 *
 * INVARIANT: all three are asked, and as strings: a revoked certificate still reads as verified, and
 * `"0"` is true to a careless comparison.
 */
export function readCertificate(tlsClientAuth: unknown): ClientCertificate | null {
  if (typeof tlsClientAuth !== 'object' || tlsClientAuth === null) return null
  const { certPresented, certVerified, certRevoked, certFingerprintSHA256 } =
    tlsClientAuth as Readonly<Record<string, unknown>>
  if (certPresented !== '1' || certVerified !== 'SUCCESS' || certRevoked !== '0') return null
  if (typeof certFingerprintSHA256 !== 'string' || !SHA256_HEX.test(certFingerprintSHA256)) {
    return null
  }
  const octets = certFingerprintSHA256.match(/../g) ?? []
  return {
    thumbprint: base64url.encode(Uint8Array.from(octets, (hex) => Number.parseInt(hex, 16))),
  }
}
