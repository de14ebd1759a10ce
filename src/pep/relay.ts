import type { OutcomeState } from '../durable-objects/session-protocol.ts'
import type { Refused } from './decide.ts'
import type { Background } from './doors.ts'
import type { Handshake } from './streams/handshake.ts'
import type { OpenPermit } from './streams/open.ts'
import type { Watch } from './streams/watch.ts'

/**
 * Records what became of the call, once.
 *
 * INVARIANT: `happened` only where the upstream answered and said that it did what it was asked for.
 * Whatever else ends a call (an error, silence, a client that left) may have acted, so it counts, and
 * is not known to have, so it permits nothing and clears nothing.
 */
export type Settle = (state: OutcomeState, detail: string, happened?: boolean) => void

/** One answer, or one stream, on its way from the upstream to the client. */
export interface Relay {
  readonly permit: OpenPermit
  readonly background: Background
  /** Ends the upstream's side. */
  readonly upstream: AbortController
  readonly settle: Settle
  /** Nobody waits for its outcome any more, and none is recorded: it comes with another stream. */
  readonly leaveOpen: () => void
  readonly watch: Watch
  /** What becomes of it when it is no longer allowed. */
  onRefused: (refused: Refused) => void
  /** What an `initialize` began; null for everything else. */
  handshake: Handshake | null
  /** What the server has asked in this stream: the id that the client was given, by the server's own. */
  readonly asked: Map<string, string>
  /** How many of the server's requests were answered by us in the client's place. */
  declined: number
}

/** How much of one message is held while it is read. */
export const MAX_HELD_BYTES = 4 * 1024 * 1024

/** For the operator, in the outcome. */
export const withheldBecause = ({ refusal }: Refused): string =>
  refusal.reason === 'result_withheld' ? `result: ${refusal.because.reason}` : refusal.reason

/** What may become of one message that an upstream sent. */
export type Passage =
  /** As it came, or as it was rewritten. `last`: this was the answer. */
  | {
      readonly kind: 'pass'
      readonly text: string
      readonly last: boolean
      /** For the outcome, if there is something to say. */
      readonly remark?: string
      /** The answer does not say that it came to nothing. */
      readonly happened?: boolean
    }
  | { readonly kind: 'drop' }
  /** The answer is there, and this client may not have it. */
  | { readonly kind: 'withhold'; readonly refused: Refused }

/** The stream of a session, which answers nothing of itself. */
export const isSessionStream = ({ permit }: Pick<Relay, 'permit'>): boolean =>
  permit.operation.kind === 'session'

/** Why a request that was sent must not be answered, where that is why it was ended; null: it is not. */
export const refusedBy = (reason: unknown): Refused | null =>
  typeof reason === 'object' && reason !== null && 'refusal' in reason ? (reason as Refused) : null
