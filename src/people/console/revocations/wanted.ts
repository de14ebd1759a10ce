// Pure. What an administrator asks to revoke, read from an address or a form.
import { declaredTaskId } from '../../../pdp/declared-task.ts'
import type { RevocationKind } from '../../../pdp/refusal.ts'
import { idFault } from '../../../pdp/revocation-id.ts'
import { err, ok, type Result } from '../../../result.ts'
import { isKind, KINDS } from './kinds.ts'

export interface WantedRevocation {
  readonly kind: RevocationKind
  readonly id: string
  /** Of the tenant's issuers one, or `*`. */
  readonly issuer: string
}

/** As it was typed or linked, before anything was made of it. */
export interface Typed {
  readonly kind: string
  readonly id: string
  readonly issuer: string
}

export type WantedProblem =
  | 'kind_unknown'
  | 'id_missing'
  | 'id_too_long'
  | 'id_unprintable'
  | 'id_is_a_token'
  | 'issuer_unknown'
  | 'other_tenant'

/** As much of an id as a page shows, so that nobody revokes what they cannot see whole. */
export const LONGEST_TYPED = 512
/** No verified identifier holds one of these (src/authentication/text.ts). */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u

/** A task without a row: only tokens name it. */
export const isDeclared = ({ kind, id }: Pick<WantedRevocation, 'kind' | 'id'>): boolean =>
  kind === 'task' && id.startsWith(declaredTaskId(''))

interface Members {
  get(name: string): string | null | undefined
}

/** null: nothing is asked for. In a form `id` is the name of its seal. */
export function typedIn(members: Members, idName: 'id' | 'named' = 'id'): Typed | null {
  const read = (name: string): string => members.get(name) ?? ''
  const [kind, id] = [read('kind'), read(idName)]
  return kind === '' && id === '' ? null : { kind, id, issuer: read('issuer') || '*' }
}

/**
 * INVARIANT: the id is taken byte for byte, spaces at its ends included: what only looks like it is
 * another one, and the page says so.
 */
export function readTyped(
  { kind, id, issuer }: Typed,
  tenant: string,
  issuers: ReadonlySet<string>,
): Result<WantedRevocation, WantedProblem> {
  if (!isKind(kind)) return err('kind_unknown')
  if (id === '') return err('id_missing')
  if (idFault(kind, id) === 'is_a_token') return err('id_is_a_token')
  if (id.length > LONGEST_TYPED) return err('id_too_long')
  if (UNPRINTABLE.test(id) || !id.isWellFormed()) return err('id_unprintable')
  if (kind === 'tenant' && id !== tenant) return err('other_tenant')
  if (!KINDS[kind].ofIssuer) return ok({ kind, id, issuer: '*' })
  return issuer === '*' || issuers.has(issuer) ? ok({ kind, id, issuer }) : err('issuer_unknown')
}
