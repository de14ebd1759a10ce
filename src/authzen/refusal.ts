import type { Refusal } from '../pep/refusal.ts'
import type { Malformed } from './request.ts'

/** Every "no" of these doors that is no answer to the question: an HTTP status of its own. */
export type DoorRefusal =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | Malformed
  /**
   * A good token whose holder may not ask this. One refusal for all of it, so that nobody learns
   * which callers, servers or subjects there are.
   */
  | { readonly kind: 'not_permitted' }

export const refusedWith = (refusal: Refusal): DoorRefusal => ({ kind: 'refused', refusal })
