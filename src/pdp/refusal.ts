// Pure. Door two's own refusals, in the order of its gates (docs/architecture.md).
import type { Access } from './evaluation.ts'
import type { SignalTopic } from './signals.ts'

/** The kinds of thing that a revocation row can name. One list serves SQL, facts and records. */
export const REVOCATION_KINDS = [
  'token',
  'token_session',
  'proof_key',
  'session',
  'client',
  'subject',
  'agent',
  'server',
  'tool',
  'issuer_key',
  'issuer',
  'tenant',
  'consent',
  'task',
] as const
export type RevocationKind = (typeof REVOCATION_KINDS)[number]

/** Why there is no consent that covers a call: what would help differs. */
export type ConsentState = 'missing' | 'expired' | 'withdrawn' | 'outdated'

export type TaskBound = 'tools' | 'access' | 'data_classes'

/** Whose entitlement a pass of the policies judged. */
export type Pass = 'subject' | 'agent'

export type DecisionRefusal =
  | {
      readonly at: 'decide'
      readonly reason: 'revoked'
      readonly kind: RevocationKind
      /** Only what was issued before is meant: another token helps. */
      readonly olderTokens?: true
    }
  | { readonly at: 'decide'; readonly reason: 'tenant_inactive' }
  | { readonly at: 'decide'; readonly reason: 'server_inactive' }
  | { readonly at: 'decide'; readonly reason: 'client_unknown' }
  | { readonly at: 'decide'; readonly reason: 'client_inactive' }
  /** It is trusted as itself only, and the subject is somebody else. */
  | { readonly at: 'decide'; readonly reason: 'client_not_delegate' }
  | { readonly at: 'decide'; readonly reason: 'agent_unknown' }
  | { readonly at: 'decide'; readonly reason: 'agent_inactive' }
  | { readonly at: 'decide'; readonly reason: 'tool_unknown'; readonly tool: string }
  /** Its definition is not the one that was pinned. */
  | { readonly at: 'decide'; readonly reason: 'tool_changed'; readonly tool: string }
  /** Nobody has seen its definition lately, so it may have changed. */
  | { readonly at: 'decide'; readonly reason: 'tool_unverified'; readonly tool: string }
  /** An argument that must name a resource does not, or names too many: `pointer` is null then. */
  | {
      readonly at: 'decide'
      readonly reason: 'target_unreadable'
      readonly pointer: string | null
    }
  | { readonly at: 'decide'; readonly reason: 'target_of_another_tenant' }
  | {
      readonly at: 'decide'
      readonly reason: 'consent_required'
      readonly state: ConsentState
      /** What to ask the person for. */
      readonly client: string
      readonly server: string
      readonly tool: string
      readonly access: Access
    }
  | {
      readonly at: 'decide'
      readonly reason: 'insufficient_scope'
      /** Every scope that the operation needs, granted ones included (RFC 6750 §3.1). */
      readonly scopes: readonly string[]
    }
  /** The same of a workload's own document: it carries no scopes, so asking for them would not help. */
  | {
      readonly at: 'decide'
      readonly reason: 'workload_without_scopes'
      readonly scopes: readonly string[]
    }
  /** The issuer said something since the login: another one helps (RFC 9470). */
  | {
      readonly at: 'decide'
      readonly reason: 'login_outdated'
      readonly topic: SignalTopic
      readonly acrValues: readonly string[]
      readonly maxAgeSeconds: number
      readonly scopes: readonly string[]
    }
  /** The same, and no login helps while it stands. */
  | { readonly at: 'decide'; readonly reason: 'signal_raised'; readonly topic: SignalTopic }
  /** A stream that tells of revocations has not been heard for longer than its row allows. */
  | { readonly at: 'decide'; readonly reason: 'signals_silent' }
  /** What the token was granted for in detail (RFC 9396) does not cover the call, or cannot be read. */
  | {
      readonly at: 'decide'
      readonly reason: 'outside_authorization'
      readonly fault: 'not_covered' | 'unreadable'
    }
  /** The token declares a task that cannot be read, or that its issuer may not declare. */
  | {
      readonly at: 'decide'
      readonly reason: 'task_invalid'
      readonly fault: 'unreadable' | 'issuer_opens_none'
    }
  /** The token or the handle names no task of this actor: whether it is anybody's is not told. */
  | { readonly at: 'decide'; readonly reason: 'task_unknown'; readonly by: 'token' | 'handle' }
  /** The token names one task, and the handle another. */
  | { readonly at: 'decide'; readonly reason: 'task_conflict' }
  /** Two tasks are open, and nothing says which of them this call belongs to. */
  | { readonly at: 'decide'; readonly reason: 'task_ambiguous' }
  /** The task that the call names is over. */
  | {
      readonly at: 'decide'
      readonly reason: 'task_ended'
      readonly task: string
      readonly how: 'closed' | 'expired'
    }
  | {
      readonly at: 'decide'
      readonly reason: 'outside_task'
      readonly task: string
      /** Which of its bounds the call is outside of. */
      readonly bound: TaskBound
    }
  /** An allow would match if the call belonged to a task, or to one that somebody approved. */
  | {
      readonly at: 'decide'
      readonly reason: 'task_required'
      readonly pass: Pass
      readonly policy: string
      readonly approved: boolean
    }
  /** As many calls as the task allows were admitted. */
  | { readonly at: 'decide'; readonly reason: 'task_spent'; readonly task: string }
  /** A task of the server's that this actor did not make, or none at all: it is not said which. */
  | { readonly at: 'decide'; readonly reason: 'server_task_unknown' }
  /** The state of an earlier round that is not of this very call, was altered, or is too old. */
  | { readonly at: 'decide'; readonly reason: 'request_state_invalid' }
  /** An answer to a question of the server's that is of no kind it could have asked for. */
  | { readonly at: 'decide'; readonly reason: 'input_unreadable' }
  /** No allow matched: default deny. `pass` says whether the subject or the agent lacked it. */
  | { readonly at: 'decide'; readonly reason: 'not_allowed'; readonly pass: Pass }
  | {
      readonly at: 'decide'
      readonly reason: 'denied_by_policy'
      readonly pass: Pass
      readonly policy: string
    }
  /** An allow would match after a stronger or more recent login (RFC 9470). */
  | {
      readonly at: 'decide'
      readonly reason: 'insufficient_authentication'
      readonly pass: Pass
      readonly policy: string
      readonly acrValues: readonly string[]
      readonly maxAgeSeconds: number | null
      /** Every scope that the operation needs: the token of the new login must have them too. */
      readonly scopes: readonly string[]
    }
  /** An allow would match if the token were bound to a key of the client. */
  | {
      readonly at: 'decide'
      readonly reason: 'binding_required'
      readonly pass: Pass
      readonly policy: string
    }
  /** Everything allows it, once a person has approved this very call. */
  | {
      readonly at: 'decide'
      readonly reason: 'approval_required'
      readonly policies: readonly string[]
      /** Rules over history that ask for it; absent where policies do. */
      readonly rules?: readonly string[]
    }
  | {
      readonly at: 'decide'
      readonly reason: 'denied_by_sequence'
      readonly rule: string
      readonly ruleReason: string
    }
  /** The call was allowed, and what came back was not: the client did not get to see it. */
  | {
      readonly at: 'decide'
      readonly reason: 'result_withheld'
      readonly because: DecisionRefusal
    }
  | { readonly at: 'decide'; readonly reason: 'rate_limited'; readonly retryAfterSeconds: number }
  | McpRefusal

/** What a request says of its legacy MCP session does not hold for this actor at this server. */
export type McpRefusal =
  /** Never opened here, given back, forgotten by the server, or somebody else's: not told apart. */
  | { readonly at: 'decide'; readonly reason: 'session_unknown' }
  | { readonly at: 'decide'; readonly reason: 'session_missing' }
  /** No stream of this session had an event of that id. */
  | { readonly at: 'decide'; readonly reason: 'event_unknown' }
  /** Answers what was not asked in this session, or was answered before. */
  | { readonly at: 'decide'; readonly reason: 'response_unasked' }
