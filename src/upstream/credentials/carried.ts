import type { CredentialKind } from '../../storage/credential-kinds.ts'

/** Headers of the request to the server, and what the record says of them. */
export interface Carried {
  readonly headers: Readonly<Record<string, string>>
  readonly record: CarriedRecord
}

/** Names only. `id`: of a signed token its `jti`, of one in exchange our name for it (docs/records.md). */
export interface CarriedRecord {
  readonly kind: CredentialKind
  readonly id?: string
}
