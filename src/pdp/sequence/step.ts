// Pure. What a session is told of one call, and what it learns of it later.
import type { Asked } from '../provenance/asked.ts'
import type { Shape } from '../provenance/mentions.ts'

/** Where an event stands in its session: its number, and the session's own clock in epoch ms. */
export interface Moment {
  readonly sequence: number
  readonly at: number
}

/** A value that the arguments name, by the role that its row gives it. */
export interface StepValue {
  readonly role: string
  /** The resource type, where the row names one. */
  readonly type: string | null
  /** Canonical (src/pdp/provenance/canon.ts); never stored. */
  readonly text: string
  /** Keyed, at least 128 bits, made outside of the core. */
  readonly digest: string
  /** Of the text byte for byte; absent where nobody looked. */
  readonly spelled?: string
  /** Of the name that its kind gives it; absent where that is no other text than `text`. */
  readonly named?: string
  /** What it says as a number; null where it says none. */
  readonly amount: number | null
  /** What it looks like as it was written; absent where nobody looked. */
  readonly shape?: Shape
}

/** What of a call is kept in the event log, so that its history can be told anew under other rules. */
export interface LoggedStep {
  /** Who acts within the session: client and agent, as one text. */
  readonly actorKey: string
  readonly taskKey: string | null
  readonly server: string
  readonly tool: string
  readonly access: string
  readonly labels: readonly string[]
  readonly now: Moment
  /** null: the arguments hold more than is read; every rule that would look at them holds. */
  readonly values: readonly LoggedValue[] | null
}

export type LoggedValue = Pick<StepValue, 'role' | 'type' | 'digest' | 'named' | 'amount'>

/** The call that asks to be admitted, as its history sees it. */
export interface Step extends LoggedStep {
  readonly values: readonly StepValue[] | null
  /** What the person asked for, as far as somebody else than the actor said so. */
  readonly asked: Asked
  /** Suffixes of addresses that belong to the tenant. */
  readonly ownDomains: readonly string[]
}

/** A granted step of which something became known later. */
export interface PastStep extends LoggedStep {
  /** Whether its answer was observed before this, so that its rows are no longer unknown. */
  readonly answered: boolean
}

/** A granted step that has ended. */
export interface EndedStep extends PastStep {
  /** Labels that its messages brought: they are over when it is. */
  readonly brought: readonly string[]
}

/** What a result turned out to hold; read before a byte of it is released. */
export interface Observation {
  /** true: this is the call's answer; false: progress, a log, an error on the way. */
  readonly answer: boolean
  /** null: more than can be told, which counts as unbounded. */
  readonly rows: number | null
  /** Labels that what it holds carries, besides those of the call. */
  readonly labels: readonly string[]
  readonly listed: readonly Listed[]
  /** Digests of whole fields. */
  readonly fields: readonly string[]
  /** Digests of addresses found in text. */
  readonly mentions: readonly string[]
  /** Digests of skeletons, by the digests of those found that have another (skeleton.ts). */
  readonly alike?: ReadonlyMap<string, string>
  /** More than is read: counts as containing everything that would make a rule hold. */
  readonly overflow: boolean
}

export interface Listed {
  readonly type: string | null
  readonly authority: 'system' | 'listed' | 'claimed'
  readonly digest: string
}

/** An answer in which nothing was found. */
export const NOTHING_READ: Observation = {
  answer: true,
  rows: 0,
  labels: [],
  listed: [],
  fields: [],
  mentions: [],
  overflow: false,
}
