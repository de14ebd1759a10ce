import { challenge, type ChallengeKind } from '../authentication/challenge.ts'
import type { SchemeName } from '../authentication/schemes.ts'
import { REFUSAL_KEY } from '../mcp/own-words.ts'
import type { Era, MessageId } from '../mcp/refusal.ts'
import { endsToken, explain } from './explanation.ts'
import type { Explanation } from './explained.ts'
import type { Refusal } from './refusal.ts'

/** What is known of the question when a refusal is written. */
export interface Asked {
  /** Where the protected resource's metadata is (RFC 9728 §3). */
  readonly resourceMetadata: string
  /** null: the message was not understood, or was a notification. */
  readonly id: MessageId | null
  readonly era: Era
  readonly toolCall: boolean
  /** The record to quote; null where nothing was decided. */
  readonly decision: string | null
  /** How the caller presented its credentials: it is challenged in the same way. */
  readonly scheme: SchemeName | null
  /** Scopes to name in a first challenge (MCP 2025-11-25, basic/authorization). */
  readonly scopes: readonly string[]
}

const NO_LOGIN = { acrValues: [], maxAgeSeconds: null }

/**
 * A refusal in the form that real clients show (docs/refusals.md): authentication and scope as HTTP
 * challenges, a denied tool call as a tool result that the model gets to read, the rest as JSON-RPC.
 */
export function refuse(refusal: Refusal, asked: Asked): Response {
  const said = explain(refusal, new URL(asked.resourceMetadata).origin)
  const headers = new Headers({ 'cache-control': 'no-store' })
  const kind = challengeKind(refusal)
  if (kind !== null) {
    const { resourceMetadata, scheme } = asked
    // What this very call needs, where that is known: a client that got less would come back.
    const scopes = 'scopes' in refusal ? refusal.scopes : asked.scopes
    const login =
      refusal.reason === 'insufficient_authentication' || refusal.reason === 'login_outdated'
        ? { acrValues: refusal.acrValues, maxAgeSeconds: refusal.maxAgeSeconds }
        : NO_LOGIN
    headers.set('www-authenticate', challenge(kind, { scheme, resourceMetadata, scopes, ...login }))
  }
  // RFC 9449 §8.2: one nonce, and no cache may keep it.
  if (refusal.reason === 'proof_nonce') headers.set('dpop-nonce', refusal.nonce)
  if (refusal.reason === 'method_not_allowed') headers.set('allow', 'POST, GET, DELETE')
  if (said.help.kind === 'retry_later') {
    headers.set('retry-after', String(said.help.afterSeconds))
  }
  const body = messageOf(said, asked)
  // A notification has no answer to put an error into: its status alone must say no.
  const status = said.status[asked.era]
  return Response.json(body, { status: asked.id === null && status < 400 ? 400 : status, headers })
}

/** The same refusal where only a message can be sent: in a stream that has begun. */
export const refusalMessage = (refusal: Refusal, asked: Reply): unknown =>
  messageOf(explain(refusal), asked)

type Reply = Pick<Asked, 'id' | 'era' | 'toolCall' | 'decision'>

const messageOf = (said: Explanation, asked: Reply): unknown =>
  asked.toolCall && said.shownToModel && asked.id !== null
    ? toolResult(said, asked)
    : errorResponse(said, asked)

/**
 * Refusals that a client can answer by itself (RFC 6750 §3, RFC 9728 §5.1). The others must not look
 * like one: a client would fetch a token that does not help.
 */
const CHALLENGES: Partial<Record<Refusal['reason'], ChallengeKind>> = {
  credentials_missing: 'credentials_missing',
  credentials_malformed: 'invalid_request',
  token_invalid: 'invalid_token',
  issuer_unknown: 'invalid_token',
  tenant_mismatch: 'invalid_token',
  proof_invalid: 'invalid_dpop_proof',
  proof_nonce: 'use_dpop_nonce',
  insufficient_scope: 'insufficient_scope',
  insufficient_authentication: 'insufficient_user_authentication',
  login_outdated: 'insufficient_user_authentication',
}

function challengeKind(refusal: Refusal): ChallengeKind | null {
  if (refusal.reason === 'revoked') return endsToken(refusal) ? 'invalid_token' : null
  return CHALLENGES[refusal.reason] ?? null
}

const details = (said: Explanation, asked: Reply) => ({
  code: said.code,
  decision: asked.decision,
  retryable: said.help.kind === 'retry_later',
  help: said.help,
})

function toolResult(said: Explanation, asked: Reply) {
  const quoted = asked.decision === null ? '' : ` (decision ${asked.decision})`
  return {
    jsonrpc: '2.0',
    id: asked.id,
    result: {
      ...(asked.era === 'modern' ? { resultType: 'complete' } : {}),
      isError: true,
      content: [{ type: 'text', text: `Refused: ${said.sentence}.${advice(said)}${quoted}` }],
      _meta: { [REFUSAL_KEY]: details(said, asked) },
    },
  }
}

/** For the model: what not to do is more useful than what went wrong. */
const advice = ({ help }: Explanation): string => {
  switch (help.kind) {
    case 'ask_an_administrator':
      return ' Repeating the call will not help; an administrator can grant it.'
    case 'obtain_consent':
      return ` The person can allow it at <${help.page}>. Repeating the call before that will not help.`
    case 'ask_for_a_task':
      return ' Repeating the call will not help; somebody else has to open a task for it.'
    case 'name_the_task':
      return ` The request must name its task in the header ${help.header}.`
    case 'ask_for_approval':
      return ' Repeating the call will not help; it waits for a person.'
    case 'correct_the_request':
      return ' Correct the arguments.'
    case 'obtain_a_token':
    case 'obtain_scopes':
    case 'log_in_again':
      return ' Repeating the call with this token will not help.'
    case 'retry_later':
      return ' Try again later.'
    case 'do_not_retry':
      return ' Do not repeat or rephrase the call.'
  }
}

function errorResponse(said: Explanation, asked: Reply) {
  return {
    jsonrpc: '2.0',
    ...(asked.id === null ? {} : { id: asked.id }),
    error: {
      code: said.rpcCode,
      message: said.sentence,
      data: { ...said.data, [REFUSAL_KEY]: details(said, asked) },
    },
  }
}
