// OAuth's own errors (RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, RFC 7591 §3.2.2, RFC 9396 §5, RFC 9449 §5).

import type { Context } from 'hono'
import type { AppEnv } from './issuer.ts'

export type OAuthErrorCode =
  | 'access_denied'
  | 'invalid_authorization_details'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_dpop_proof'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_target'
  | 'login_required'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'

export class OAuthError extends Error {
  readonly code: OAuthErrorCode

  constructor(code: OAuthErrorCode, message: string) {
    super(message)
    this.code = code
  }

  get body() {
    return { error: this.code, error_description: this.message }
  }
}

export const NO_STORE = { 'cache-control': 'no-store' }

/** RFC 6749 §5.2. */
export function oauthErrorResponse(context: Context<AppEnv>, error: OAuthError): Response {
  if (error.code !== 'invalid_client') return context.json(error.body, 400, NO_STORE)
  if (context.req.header('authorization') !== undefined) {
    context.header('www-authenticate', 'Basic realm="token"')
  }
  return context.json(error.body, 401, NO_STORE)
}
