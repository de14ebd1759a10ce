import type { Attack } from './attack.ts'
import { BINDING_ATTACKS } from './attacks-on-bindings.ts'
import { CLAIM_ATTACKS } from './attacks-on-claims.ts'
import { CREDENTIAL_ATTACKS } from './attacks-on-credentials.ts'
import { HEADER_ATTACKS } from './attacks-on-headers.ts'
import { INTROSPECTION_ATTACKS } from './attacks-on-introspection.ts'
import { PAYLOAD_ATTACKS } from './attacks-on-payloads.ts'
import { PROOF_HEADER_ATTACKS } from './attacks-on-proof-headers.ts'
import { PROOF_ATTACKS } from './attacks-on-proofs.ts'
import { SIGNATURE_ATTACKS } from './attacks-on-signatures.ts'
import { SPELLING_ATTACKS } from './attacks-on-spelling.ts'
import { TARGET_ATTACKS } from './attacks-on-targets.ts'
import { TIME_ATTACKS } from './attacks-on-times.ts'

/** Every token and proof that must not pass, and by which cell it is refused. */
export const ATTACKS: readonly Attack[] = [
  ...CREDENTIAL_ATTACKS,
  ...SPELLING_ATTACKS,
  ...HEADER_ATTACKS,
  ...SIGNATURE_ATTACKS,
  ...PAYLOAD_ATTACKS,
  ...TIME_ATTACKS,
  ...CLAIM_ATTACKS,
  ...PROOF_HEADER_ATTACKS,
  ...PROOF_ATTACKS,
  ...TARGET_ATTACKS,
  ...BINDING_ATTACKS,
  ...INTROSPECTION_ATTACKS,
]
