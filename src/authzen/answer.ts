// Pure. What is answered (AuthZEN 1.0 §6.2): a boolean, and a context that a program can act on.
// Rule texts, thresholds, ids of policies and other people's activity are in none of it.
import type { Help } from '../pep/explained.ts'
import { explain } from '../pep/explanation.ts'
import type { Refusal } from '../pep/refusal.ts'

export interface Answer {
  readonly decision: boolean
  readonly context?: AnswerContext
}

/** Names are the wire's. */
export interface AnswerContext {
  /** The record that this decision left; questions leave none. */
  readonly id?: string
  /** Stable, for programs (docs/refusals.md). */
  readonly reason?: string
  readonly sentence?: string
  readonly help?: Help
  /** The login that would do (RFC 9470 §3). */
  readonly acr_values?: string
  readonly max_age?: number
  /** What the caller has to find in the token, having said nothing about scopes. */
  readonly scopes_needed?: readonly string[]
  /** The server is observed, and this is what the answer will be once it is not. */
  readonly would_be?: string
  /** This one question could not be decided (§7.2). */
  readonly error?: { readonly status: number; readonly message: string }
}

/** A no of these doors alone: the front door either cannot say it or says it when the call is made. */
export type OwnDenial =
  | 'method_unknown'
  | 'subject_type_unknown'
  | 'issuer_unknown'
  | 'arguments_needed'
  | 'history_applies'

const OWN_DENIALS: Readonly<Record<OwnDenial, Pick<AnswerContext, 'sentence' | 'help'>>> = {
  method_unknown: {
    sentence: 'this method is not served here',
    help: { kind: 'do_not_retry' },
  },
  subject_type_unknown: {
    sentence: 'no policy speaks of this type of subject',
    help: { kind: 'correct_the_request' },
  },
  issuer_unknown: {
    sentence: 'subjects of this issuer may not act here',
    help: { kind: 'ask_an_administrator' },
  },
  arguments_needed: {
    sentence: 'this depends on the arguments: say them in `context.arguments`',
    help: { kind: 'correct_the_request' },
  },
  history_applies: {
    sentence: 'this depends on what was done before, which is decided when the call is admitted',
    help: { kind: 'do_not_retry' },
  },
}

export const ownDenial = (reason: OwnDenial): Answer => ({
  decision: false,
  context: { reason, ...OWN_DENIALS[reason] },
})

export function denial(refusal: Refusal, id: string | null): Answer {
  const { code, sentence, help } = explain(refusal)
  return {
    decision: false,
    context: { ...(id === null ? {} : { id }), reason: code, sentence, help, ...login(refusal) },
  }
}

function login(refusal: Refusal): Pick<AnswerContext, 'acr_values' | 'max_age'> {
  if (refusal.reason !== 'insufficient_authentication' && refusal.reason !== 'login_outdated') {
    return {}
  }
  const { acrValues, maxAgeSeconds } = refusal
  return {
    ...(acrValues.length === 0 ? {} : { acr_values: acrValues.join(' ') }),
    ...(maxAgeSeconds === null ? {} : { max_age: maxAgeSeconds }),
  }
}

export const permit = (context: AnswerContext): Answer =>
  Object.keys(context).length === 0 ? { decision: true } : { decision: true, context }

export const failed = (status: number, message: string): Answer => ({
  decision: false,
  context: { error: { status, message } },
})
