import { explain } from '../pep/explanation.ts'
import type { Refusal } from '../pep/refusal.ts'
import type { TaskDoorRefusal } from './refusal.ts'

/** Exhaustive on purpose: a new refusal does not compile until it has an answer. */
export function refusalResponse(refused: TaskDoorRefusal): Response {
  switch (refused.kind) {
    case 'malformed':
      return answer(400, 'malformed_request', refused.detail)
    case 'not_permitted':
      return answer(403, 'not_permitted', 'this caller may not open or end such a task')
    case 'opener_acts':
      return answer(403, 'opener_acts', 'what acts under a task neither opens nor ends it')
    case 'beyond_opener':
      return answer(403, 'beyond_opener', BEYOND[refused.what])
    case 'actor_unknown':
      return answer(422, 'actor_unknown', `no such ${refused.what} is known here`)
    case 'key_reused':
      return answer(422, 'key_reused', 'this Idempotency-Key was sent with another body before')
    case 'task_unknown':
      return answer(404, 'task_unknown', 'no such task')
    case 'refused':
      return refusedAtTheDoor(refused.refusal)
  }
}

const BEYOND = {
  approval: 'this caller may open the task, and may not say that it is approved',
  lifetime: 'this caller may open the task for a shorter time only',
} as const

function refusedAtTheDoor(refusal: Refusal): Response {
  const { code, sentence, status, help } = explain(refusal)
  const headers: Record<string, string> = {}
  const challenge = CHALLENGES[code]
  if (challenge !== undefined) headers['www-authenticate'] = challenge
  if (help.kind === 'retry_later') headers['retry-after'] = String(help.afterSeconds)
  if (refusal.reason === 'proof_nonce') headers['dpop-nonce'] = refusal.nonce
  // What is 200 for a tool's result is an error of HTTP here.
  const given = status.modern === 200 ? 403 : status.modern
  return answer(given, code, SENTENCES[code] ?? sentence, headers)
}

/** RFC 6750 §3, by public code: without metadata, because a caller is set up by hand. */
const CHALLENGES: Readonly<Record<string, string>> = {
  credentials_missing: 'Bearer realm="tasks", DPoP realm="tasks"',
  credentials_malformed: 'Bearer realm="tasks", error="invalid_request"',
  token_invalid: 'Bearer realm="tasks", error="invalid_token"',
  proof_invalid: 'DPoP realm="tasks", error="invalid_dpop_proof"',
  proof_nonce: 'DPoP realm="tasks", error="use_dpop_nonce"',
  insufficient_user_authentication:
    'Bearer realm="tasks", error="insufficient_user_authentication"',
}

/** What the front door says otherwise, because it speaks of MCP. */
const SENTENCES: Readonly<Record<string, string>> = {
  token_invalid: 'the access token is not valid here',
  not_acceptable: 'accept `application/json`',
}

export const METHOD_NOT_ALLOWED = (allowed: string): Response =>
  answer(405, 'method_not_allowed', `only ${allowed} is served here`, { allow: allowed })

const answer = (
  status: number,
  error: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response =>
  Response.json(
    { error, message },
    { status, headers: { 'cache-control': 'no-store', ...headers } },
  )
