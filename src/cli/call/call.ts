import type { JsonObject } from '../../mcp/value.ts'
import type { Network } from '../../pdp/evaluation.ts'
import type { TokenWords } from './credential.ts'
import type { Told } from './told.ts'

/** One call to be decided, with all that a request and its token would say. */
export interface Call {
  readonly tenant: string
  readonly server: string
  readonly tool: string
  readonly arguments: JsonObject
  readonly subject: string
  /** null: as role_assignments say. */
  readonly roles: readonly string[] | null
  /** How the person logged in; null: the token does not say. */
  readonly acr: string | null
  readonly loggedInSecondsAgo: number | null
  readonly client: string
  readonly senderConstrained: boolean
  /** Absent: the token says no more. */
  readonly token?: TokenWords
  readonly agent: string | null
  /** What streams told of the subject; absent or null: as rows say. */
  readonly signals?: Told | null
  /** The row of `tasks` whose handle the request shows; absent or null: it shows none. */
  readonly task?: string | null
  /** null: all that the call needs, so that the question is about policies. */
  readonly scopes: readonly string[] | null
  readonly network: Network
  /** Epoch milliseconds; null: now. */
  readonly at: number | null
  /** How a pinned tool looked when it was last listed. */
  readonly definition: 'pinned' | 'changed' | 'unseen'
  readonly history: readonly PastCall[]
  /** What the tool answered: then it is the result that is decided. null: the call itself. */
  readonly result: JsonObject | null
}

/** An earlier call of the same actor, on the same server unless it says otherwise. */
export interface PastCall {
  readonly tool: string
  readonly server: string | null
  readonly arguments: JsonObject
  /** null: one second before the next one. */
  readonly secondsAgo: number | null
  /** What became of it; `denied`: it was refused. */
  readonly outcome: 'committed' | 'pending' | 'failed' | 'withheld' | 'denied'
  /** Labels besides those that its rows give it: of what its result named, of an approval. */
  readonly labels: readonly string[]
  /** How many rows its result had; null: as `result` says, and without bound where that is null. */
  readonly resultRows: number | null
  /** What it answered, read as the Worker reads it. */
  readonly result: JsonObject | null
}
