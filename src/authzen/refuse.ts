import { explain } from '../pep/explanation.ts'
import type { Refusal } from '../pep/refusal.ts'
import type { DoorRefusal } from './refusal.ts'

/** A refusal in HTTP's words: for a response of its own, or for one question among many. */
export interface HttpError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
}

export function httpError(refused: DoorRefusal): HttpError {
  switch (refused.kind) {
    case 'malformed':
      return { status: 400, code: 'malformed_request', message: refused.detail, headers: {} }
    case 'not_permitted':
      return {
        status: 403,
        code: 'not_permitted',
        message: 'this caller may not ask this',
        headers: {},
      }
    case 'refused': {
      const { code, sentence, status, help } = explain(refused.refusal)
      const headers: Record<string, string> = {}
      const challenge = CHALLENGES[code]
      if (challenge !== undefined) headers['www-authenticate'] = challenge
      if (help.kind === 'retry_later') headers['retry-after'] = String(help.afterSeconds)
      if (refused.refusal.reason === 'proof_nonce') headers['dpop-nonce'] = refused.refusal.nonce
      if (refused.refusal.reason === 'method_not_allowed') headers['allow'] = 'POST'
      const message = SENTENCES[refused.refusal.reason] ?? sentence
      return { status: status.modern, code, message, headers }
    }
  }
}

/**
 * RFC 6750 §3, by public code. There is no protected resource metadata for these doors: a caller is
 * set up by hand, and has no browser to follow anything with.
 */
const CHALLENGES: Readonly<Record<string, string>> = {
  credentials_missing: 'Bearer realm="access/v1", DPoP realm="access/v1"',
  credentials_malformed: 'Bearer realm="access/v1", error="invalid_request"',
  token_invalid: 'Bearer realm="access/v1", error="invalid_token"',
  proof_invalid: 'DPoP realm="access/v1", error="invalid_dpop_proof"',
  proof_nonce: 'DPoP realm="access/v1", error="use_dpop_nonce"',
}

/** What the front door says otherwise, because it speaks of MCP. */
const SENTENCES: Partial<Record<Refusal['reason'], string>> = {
  method_not_allowed: 'only POST is served here',
  token_invalid: 'the access token is not valid here',
  issuer_unknown: 'the access token is not valid here',
  tenant_mismatch: 'the access token is not valid here',
  revoked: 'the access token is not valid here',
}
