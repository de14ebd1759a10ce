// Pure. The question, what is known besides it, and the answer: the words of AuthZEN 1.0 where it
// has them. Everything here is plain data, because all of it is stored in the decision record.
import type { JsonObject } from '../mcp/value.ts'
import type { Action } from '../mcp/operation.ts'
import type { DecisionRefusal, Pass, RevocationKind } from './refusal.ts'
import type { Target } from './resources.ts'
import type { SignalFacts } from './signals.ts'

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
      /** null: the issuer gives its tokens no names. */
      readonly tokenId: string | null
      /** The issuer's name for the login that the token came from (`sid`). */
      readonly tokenSession: string | null
      /** The `kid` of the issuer's key that signed the token; null for an opaque one. */
      readonly issuerKey: string | null
      /** The keys that were shown in this request. */
      readonly bindings: readonly KeyBinding[]
      /** By whose word a workload beside the token is the agent; absent where there is none. */
      readonly agentDocument?: {
        readonly issuer: string
        readonly tokenId: string | null
        readonly keyId: string
      }
      readonly scopes: readonly string[]
      /** An upper bound on what the token may do (RFC 9396); null: none. */
      readonly authorizationDetails: readonly JsonObject[] | null
      /** How the person logged in (`acr`), and when: epoch seconds (RFC 9470 §4). */
      readonly acr: string | null
      readonly authTime: number | null
      /** When the token was made (`iat`), epoch seconds; absent: nobody says. */
      readonly tokenIssuedAt?: number
      /** The token is bound to a key that the client proved to hold (RFC 7800). */
      readonly senderConstrained: boolean
      /** What the call says of its task; absent where it says nothing. */
      readonly task?: TaskNamed
    }
  }
  readonly action: { readonly name: Action }
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
    readonly network: Network
  }
}

/** Whether these name a task of this actor, the facts tell. */
export interface TaskNamed {
  /** The token's `txn`; null: it has none. */
  readonly transaction: string | null
  /** The request showed a handle. What it was is in no record: whoever reads it could show it. */
  readonly handle: boolean
  /** Of a result: the id of the task of its call, or that it had none. Absent where a call is decided. */
  readonly under?: string | null
}

/** A key that the caller proved to hold, by its thumbprint (RFC 7638, RFC 8705 §3.1). */
export interface KeyBinding {
  readonly kind: 'dpop' | 'certificate' | 'workload'
  readonly thumbprint: string
}

/** Where the request came from, as the platform saw it; null where it does not say. */
export interface Network {
  readonly ip: string | null
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null
  readonly asn: number | null
}

export interface ServerFacts {
  readonly name: string
  /** Its resource identifier under each public origin (RFC 8707). */
  readonly resources: readonly string[]
  readonly active: boolean
  readonly internal: boolean
  readonly requiredScopes: readonly string[]
  /** A client acts for a person only with that person's consent. */
  readonly consentRequired: boolean
  /** Epoch milliseconds until which most of door two is only written down. */
  readonly observeUntil: number | null
}

/** A tool as its row describes it. `row` is the row's own name, which may be a pattern. */
export interface ToolFacts {
  readonly name: string
  readonly row: string
  /** Of this call; in a listing, which has no arguments, the most dangerous of all calls. */
  readonly access: Access
  readonly labels: readonly string[]
  /** In a listing: what holds for some calls only. null where the call is known. */
  readonly depends: Depending | null
  readonly environment: string
  readonly requiredScopes: readonly string[]
  /** null: nobody has pinned its definition. */
  readonly pin: Pin | null
}

/** What the arguments of a call decide. */
export interface Depending {
  readonly access: readonly Access[]
  readonly labels: readonly string[]
  /** Arguments name resources, and those may bring any label. */
  readonly anyLabel: boolean
}

export interface Pin {
  readonly hash: string
  /** Epoch milliseconds. */
  readonly pinnedAt: number
}

/** What the listings of the upstream said of a pinned tool, whoever asked for them. */
export interface Sighting {
  /** The pin that they were compared with. */
  readonly hash: string
  readonly matchedAt: number | null
  readonly differedAt: number | null
}

/** As what somebody holds a right of their own: a role, or that of opening tasks. */
export const HOLDER_KINDS = ['user', 'client', 'agent'] as const
export type HolderKind = (typeof HOLDER_KINDS)[number]

export interface RoleFact {
  readonly role: string
  readonly expiresAt: number | null
}

export interface RevocationFact {
  readonly kind: RevocationKind
  readonly id: string
  readonly issuer: string
  readonly revokedAt: number
  /** Tokens that were issued later, epoch milliseconds, are not meant; absent: all are. */
  readonly issuedBefore?: number
}

/** A row of `consents` of this subject, client and server. */
export interface ConsentFact {
  readonly id: string
  readonly tool: string | null
  readonly access: Access | null
  readonly definitionHash: string | null
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

/**
 * A task of this actor: one that is open, or whichever the call names. null in a bound: the task does
 * not narrow that.
 */
export interface TaskFact {
  /** `txn:…` where the token declares it. */
  readonly id: string
  readonly agent: string | null
  readonly purpose: string
  /** `server/tool`, with `*`. */
  readonly tools: readonly string[] | null
  readonly access: readonly string[] | null
  /** Classes of sensitivity of what its calls may touch. */
  readonly dataClasses: readonly string[] | null
  /** How many calls may be admitted under it: counted in the session. */
  readonly maxCalls: number | null
  readonly approved: boolean
  readonly expiresAt: number
  readonly closedAt: number | null
  readonly revokedAt: number | null
  /** The handle that the call shows is this one's. */
  readonly shown: boolean
}

/** What an allow can ask for: a task, or one that somebody approved. */
export const REQUIRED_TASKS = ['any', 'approved'] as const
export type RequiredTask = (typeof REQUIRED_TASKS)[number]

/** What the decision is told beyond the question. History is not among it (docs/architecture.md). */
export interface Facts {
  /** Of the compiled rows that the decision used: `counter:nonce:shape`. */
  readonly revision: string
  readonly tenantActive: boolean
  readonly callsPerMinute: number
  readonly server: ServerFacts
  /** null: no row. */
  readonly clientActive: boolean | null
  /** It may act for a person, and its issuer knows people: not so for a trust domain of workloads. */
  readonly clientActsForUsers: boolean
  /** null: no row, or no agent. */
  readonly agentActive: boolean | null
  readonly subjectRoles: readonly RoleFact[]
  readonly agentRoles: readonly RoleFact[]
  readonly revocations: readonly RevocationFact[]
  /** null: the operation names no tool, or none that has a row. */
  readonly tool: ToolFacts | null
  /** null: never listed since it was pinned, or not pinned. */
  readonly sighting: Sighting | null
  readonly targets: readonly Target[]
  /** Why the targets are not known, if they are not. */
  readonly unreadable: Unreadable | null
  readonly consents: readonly ConsentFact[]
  readonly tasks: readonly TaskFact[]
  /** A row of `tasks` has the token's `txn` for its id, whoever's it is. */
  readonly transactionIsTask: boolean
  /** The token's issuer may declare tasks in its tokens (issuers.opens_tasks). */
  readonly issuerOpensTasks: boolean
  /** What the issuer's streams say of this token; absent: nothing. */
  readonly signals?: SignalFacts
}

export type Unreadable =
  | { readonly kind: 'not_a_name'; readonly pointer: string }
  | { readonly kind: 'too_many' }

/** What an allow asks for and this call does not have. */
export type Need =
  | 'acr'
  | 'recent_login'
  | 'sender_constrained'
  | 'task'
  | 'approved_task'
  | 'approval'

/** One policy that took part, and how. An erring deny counts as matched, an erring allow does not. */
export interface PolicyMatch {
  readonly id: string
  readonly effect: 'allow' | 'deny'
  readonly pass: Pass
  readonly mode: 'enforce' | 'shadow'
  /** It took effect, or would have if it were enforced. */
  readonly counted: boolean
  /** Why an allow that fits does not count. */
  readonly needs: readonly Need[]
  readonly error: string | null
}

/** What the decision would have been if something that only watches were enforced. */
export interface WouldBe {
  readonly by: 'observe' | 'shadow'
  /** null: allowed. */
  readonly refusal: DecisionRefusal | null
}

export interface Evaluation {
  /** null: allowed as far as policies go; the session has the last word. */
  readonly refusal: DecisionRefusal | null
  readonly matches: readonly PolicyMatch[]
  /** null: nothing that only watches took part. */
  readonly wouldBe: WouldBe | null
}
