// Whatever in a request claims to say who is calling. Read once, from the request alone; judged later.

import { readCertificate, type ClientCertificate } from './certificate.ts'

export interface Credentials {
  readonly authorization: string | null
  /** The DPoP header (RFC 9449 §4.1). Two of them arrive as one text, joined by a comma. */
  readonly dpop: string | null
  /** `Workload-Identity-Token` and `Workload-Proof-Token` (WIMSE). */
  readonly workloadToken: string | null
  readonly workloadProof: string | null
  /** `Txn-Token`: never accepted as a credential, but a workload's proof must name it. */
  readonly transactionToken: string | null
  readonly tokenInQuery: boolean
  /** What the TLS layer presented and verified; null: nothing that counts. */
  readonly certificate: ClientCertificate | null
  /** The HTTP method, for proofs that name it. */
  readonly method: string
}

/** A request as the platform hands it over; its types elsewhere know nothing of `cf`. */
type PlatformRequest = Request & { readonly cf?: Readonly<Record<string, unknown>> | undefined }

export const credentialsOf = (request: PlatformRequest): Credentials => ({
  authorization: request.headers.get('authorization'),
  dpop: request.headers.get('dpop'),
  workloadToken: request.headers.get('workload-identity-token'),
  workloadProof: request.headers.get('workload-proof-token'),
  transactionToken: request.headers.get('txn-token'),
  tokenInQuery: new URL(request.url).searchParams.has('access_token'),
  // INVARIANT: from `cf` alone, which only the platform writes. A header of the same meaning is text
  // that anybody can send.
  certificate: readCertificate(request.cf?.['tlsClientAuth']),
  method: request.method,
})
