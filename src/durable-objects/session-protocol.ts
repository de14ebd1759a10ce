import type { McpSession, SessionClaim } from './mcp-protocol.ts'
import type { ProofUse } from '../authentication/binding.ts'
import type { ProofRefusal } from '../authentication/refusal.ts'
import type { WouldBe } from '../pdp/evaluation.ts'
import type { ArgumentValue } from '../pdp/provenance/arguments.ts'
import type { Asked } from '../pdp/provenance/asked.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { Found } from '../pdp/provenance/fields.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'

/**
 * What the Worker and a session say to each other. Plain data, and versioned, because Worker and
 * objects roll out seconds to minutes apart.
 */
export const SESSION_PROTOCOL = 4

/** Columns of the decision log that are known before the session speaks. */
export interface DecisionColumns {
  readonly tenant: string
  readonly session: string
  readonly issuer: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
  readonly server: string
  readonly method: string
  readonly tool: string | null
}

export interface SessionStep {
  readonly version: typeof SESSION_PROTOCOL
  /** Idempotency key: the same id twice is the same step, answered alike. */
  readonly decision: string
  readonly columns: DecisionColumns
  /** Client and agent as one text: whose lock-outs these are. */
  readonly actorKey: string
  /** The inputs of the decision as JSON text, stored as they are. */
  readonly inputs: string
  /** The arguments in canonical form, or a digest where that is long: what makes refusals equal. */
  readonly argumentsKey: string
  /** The actor's bound: decisions in a minute. */
  readonly callsPerMinute: number
  /** What rows that only watch would have made of it; absent in what an older Worker sends. */
  readonly wouldBe?: WouldBe | null
  /** What the caller showed to prove its keys; null where nothing was to be shown. */
  readonly possession: Possession | null
}

/** The proofs of one request. However often it is decided, it shows them once. */
export interface Possession {
  readonly request: string
  readonly proofs: readonly ShownProof[]
}

export interface ShownProof extends ProofUse {
  /** The server wants a nonce of ours in it (servers.dpop_nonce). */
  readonly nonceNeeded: boolean
}

/** What the history is told of a call besides its record. */
export interface FlowOfCall {
  /** '' where no tool is called. */
  readonly tool: string
  readonly access: string
  readonly labels: readonly string[]
  /** Of these, what the touched resources brought: no row of the tool says so. */
  readonly ofResources: readonly string[]
  /** The task that the call belongs to. */
  readonly task: string | null
  /** How many calls that task allows (null: any number), and how long it can last; absent: no task. */
  readonly budget?: { readonly maxCalls: number | null; readonly expiresAt: number }
  /** null: the arguments hold more than is read. */
  readonly values: readonly ArgumentValue[] | null
  readonly asked: Asked
  readonly ownDomains: readonly string[]
}

export interface AdmitRequest extends SessionStep {
  readonly flow: FlowOfCall
  /** The server is observed: a rule that would refuse is only written down. */
  readonly observed: boolean
  /** What the rules and the labels of tools are at the revision that the facts came with. */
  readonly rulesKey: string
  readonly labelsKey: string
  /** Sent only after `rules_needed`. */
  readonly rows: SessionRows | null
  /** Absent: a modern message, which belongs to no MCP session, or a question without one. */
  readonly mcp?: SessionClaim
}

/** What a session needs of the tenant's rows. */
export interface SessionRows {
  readonly rules: readonly SequenceRuleRow[]
  /** Of the tools that the session has seen: what their calls carry now. */
  readonly tools: readonly ToolLabels[]
}

export type SeenTool = readonly [server: string, tool: string]

export interface ToolLabels {
  readonly tool: SeenTool
  /** Every call carries these. */
  readonly certain: readonly string[]
  /** It hangs on arguments that nobody kept: these count as carried, and clear nothing. */
  readonly possible: readonly string[]
  /** The tool has no row any more: what its calls carried before, they may have carried. */
  readonly gone: boolean
}

export interface DenialNote extends SessionStep {
  readonly refusal: DecisionRefusal
}

/** `decision` is the record to quote: a repeated refusal is counted on the first one's. */
/** Of an observation: false where no admitted call of this name is known. */
export interface ObserveAnswer {
  readonly stored: boolean
}

export type AdmitAnswer =
  | {
      readonly kind: 'admitted'
      readonly decision: string
      readonly sequence: number
      /** The nonce for the caller's next proof; absent: the one that it has will do. */
      readonly nonce?: string
      /** Where the request said something of one. */
      readonly mcp?: McpSession
    }
  | { readonly kind: 'refused'; readonly decision: string; readonly refusal: DecisionRefusal }
  /** With the rules, and with the labels of these tools. */
  | { readonly kind: 'rules_needed'; readonly tools: readonly SeenTool[] }

/** The caller's keys were not proven after all. Nothing was decided or recorded. */
export interface Unproven {
  readonly kind: 'unproven'
  readonly refusal: ProofRefusal
}

/** The note may come back with another refusal: the actor may have asked too often. */
export type DenialAnswer = Extract<AdmitAnswer, { kind: 'refused' }>

/** One message of an upstream about an admitted call, told before a byte of it is released. */
export interface ObservedMessage extends Found {
  readonly version: typeof SESSION_PROTOCOL
  readonly decision: string
  /** false: progress, a log: the answer is still to come. */
  readonly answer: boolean
  /** null: more than can be told. */
  readonly rows: number | null
  /** Of what it holds, besides those of the call. */
  readonly labels: readonly string[]
}

/**
 * committed: the upstream acted, or may have. failed: no byte ever left for it. withheld: it acted
 * and the client did not get to see the result.
 */
export type OutcomeState = 'committed' | 'failed' | 'withheld'

export interface Outcome {
  readonly version: typeof SESSION_PROTOCOL
  readonly tenant: string
  readonly decision: string
  readonly state: OutcomeState
  readonly detail: string
  /** Its result may have reached somebody without having been observed. */
  readonly unread: boolean
  /** The upstream answered with an error: what it was asked for did not come about. */
  readonly erred?: boolean
}

/** What an actor asks its session for before a message is decided that goes back to an earlier one. */
export interface RecallRequest {
  readonly version: typeof SESSION_PROTOCOL
  readonly actorKey: string
  readonly server: string
  /** null: all that this actor has made at this server. */
  readonly taskIds: readonly string[] | null
  /** As the client sent it; null: none. */
  readonly requestState: string | null
}

export interface Recalled {
  /** Of those that were asked for, the ones that are this actor's. */
  readonly tasks: readonly ServerTask[]
  /** What was sealed; null: nothing was asked for, or this session never sealed it. */
  readonly state: string | null
}

/** A task of a server, by what made it. */
export interface ServerTask {
  readonly taskId: string
  /** In the catalogue. */
  readonly entry: string
  /** The arguments of that call, as JSON. */
  readonly arguments: string
  /** The declared task that it belonged to; null: to none. */
  readonly underTask: string | null
}

export interface TaskNote extends ServerTask {
  readonly version: typeof SESSION_PROTOCOL
  readonly actorKey: string
  readonly server: string
}

export interface SealRequest {
  readonly version: typeof SESSION_PROTOCOL
  readonly text: string
}

/** Whether the rows have moved since a call was decided. */
export interface ChangeQuestion {
  readonly version: typeof SESSION_PROTOCOL
  readonly tenant: string
  /** Whose open call or stream it is. */
  readonly actorKey: string
  /** Of the facts that it was decided by (FreshFacts). */
  readonly state: string
  /** Answered when they have, or after a while; else at once. */
  readonly wait: boolean
}

/** changed: or it cannot be told. crowded: this actor has too much open for that. */
export type ChangeAnswer = 'same' | 'changed' | 'crowded'
