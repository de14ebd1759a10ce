// What a Worker and a subject's credentials say to each other. Plain data: both may be of another age.
import type { Exchange } from '../../storage/compiled-credentials.ts'
import type { CallContext } from './context.ts'

export const CREDENTIALS_PROTOCOL = 1

export interface ObtainRequest {
  readonly version: typeof CREDENTIALS_PROTOCOL
  readonly decision: string
  readonly exchange: Exchange
  /** For whom and what, and by what it ends. */
  readonly context: CallContext
  readonly subjectToken: string
  readonly actorToken: string | null
  /** Epoch milliseconds: the caller's own token ends, or the task. */
  readonly until: number
}

export type ObtainAnswer =
  | {
      readonly kind: 'token'
      readonly token: string
      /** Our name for it, in records and in the log. */
      readonly credential: string
    }
  /** For the operator: a fixed text. */
  | { readonly kind: 'unavailable'; readonly detail: string }
