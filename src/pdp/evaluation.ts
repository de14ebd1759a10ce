// Pure. The question, what is known besides it, and the answer: the words of AuthZEN 1.0 where it
// has them. Everything here is plain data, because all of it is stored in the decision record.
import type { JsonObject } from '../mcp/value.ts'
import type { Method } from '../mcp/operation.ts'
import type { DecisionRefusal, Pass, RevocationKind } from './refusal.ts'

/** Classes of what a tool does, from harmless to irreversible: the order counts. */
export const ACCESS = ['read', 'write', 'export', 'admin', 'destructive'] as const
export type Access = (typeof ACCESS)[number]

/** Who acts: every part verified by door one. `agent` is the outermost `act.sub` (RFC 8693 §4.1). */
export interface Actor {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
}

/** A client that holds a token for itself is a workload: there is no user to speak of (RFC 9068 §5). */
export const isWorkload = (actor: Actor): boolean => actor.subject === actor.client

/** AuthZEN's question, with the actor's verified parts as the subject's properties. */
export interface EvaluationRequest {
  readonly subject: {
    readonly type: 'user' | 'workload'
    readonly id: string
    readonly properties: {
      readonly tenant: string
      readonly issuer: string
      readonly client: string
      readonly agent: string | null
      /** All `act.sub`, outermost first: for the reader, never for the decision. */
      readonly actorChain: readonly string[]
      readonly tokenId: string
      readonly scopes: readonly string[]
    }
  }
  readonly action: { readonly name: Method }
  readonly resource: {
    readonly type: 'tool' | 'mcp_server'
    readonly id: string
    readonly properties: { readonly server: string }
  }
  readonly context: {
    /** null where the operation has none, or where they may not be looked at (listings). */
    readonly arguments: JsonObject | null
    /** Epoch milliseconds of the reading of the facts. */
    readonly now: number
  }
}

export interface ServerFacts {
  readonly name: string
  readonly active: boolean
  readonly internal: boolean
  readonly requiredScopes: readonly string[]
}

/** A tool as its row describes it. `row` is the row's own name, which may be a pattern. */
export interface ToolFacts {
  readonly name: string
  readonly row: string
  readonly access: Access
  readonly labels: readonly string[]
  readonly requiredScopes: readonly string[]
}

export interface RoleFact {
  readonly role: string
  readonly expiresAt: number | null
}

export interface RevocationFact {
  readonly kind: RevocationKind
  readonly id: string
  readonly issuer: string
  readonly revokedAt: number
}

/** What the decision is told beyond the question. History is not among it (docs/architecture.md). */
export interface Facts {
  /** Of the compiled rows that the decision used: `counter:nonce`. */
  readonly revision: string
  readonly tenantActive: boolean
  readonly callsPerMinute: number
  readonly server: ServerFacts
  /** null: no row. */
  readonly clientActive: boolean | null
  /** null: no row, or no agent. */
  readonly agentActive: boolean | null
  readonly subjectRoles: readonly RoleFact[]
  readonly agentRoles: readonly RoleFact[]
  readonly revocations: readonly RevocationFact[]
  /** null: the operation names no tool, or none that has a row. */
  readonly tool: ToolFacts | null
}

/** One policy that took part, and how. An erring deny counts as matched, an erring allow does not. */
export interface PolicyMatch {
  readonly id: string
  readonly effect: 'allow' | 'deny'
  readonly pass: Pass
  readonly counted: boolean
  readonly error: string | null
}

export interface Evaluation {
  /** null: allowed as far as policies go; the session has the last word. */
  readonly refusal: DecisionRefusal | null
  readonly matches: readonly PolicyMatch[]
}
