import type { Refusal } from '../pep/refusal.ts'

/** Which member of a request is not as it must be: one of our own texts. */
export interface Malformed {
  readonly kind: 'malformed'
  readonly detail: string
}

/** Every expected "no" of `/tasks`. */
export type TaskDoorRefusal =
  | Malformed
  /** Refused as at the front door: before the task was looked at. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** No row of `task_openers` reaches this task. */
  | { readonly kind: 'not_permitted' }
  /** Whoever asks is what acts under the task, or came through it. */
  | { readonly kind: 'opener_acts' }
  | { readonly kind: 'beyond_opener'; readonly what: 'approval' | 'lifetime' }
  /** What the task is for is not known to the tenant, or switched off. */
  | { readonly kind: 'actor_unknown'; readonly what: 'issuer' | 'client' | 'agent' }
  /** The key was sent with another body before. */
  | { readonly kind: 'key_reused' }
  /** None that this caller may see: whether there is one is not told. */
  | { readonly kind: 'task_unknown' }

export const refusedWith = (refusal: Refusal): TaskDoorRefusal => ({ kind: 'refused', refusal })

export const UNDECIDED = refusedWith({ at: 'decide', reason: 'facts_unavailable' })
