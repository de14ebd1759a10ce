// Every expected "no" to a Security Event Token, and what its transmitter is told.
import { err, type Err } from '../result.ts'

/** RFC 8935 §2.4, by their registered names. */
export type SetError =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'

/** A refusal of the event is final; the others come before anybody looked at it, or pass by. */
export type SignalRefusal =
  | { readonly reason: 'set_refused'; readonly error: SetError; readonly description: string }
  | {
      readonly reason: 'form_refused'
      readonly status: 403 | 405 | 413 | 415
      readonly description: string
    }
  | { readonly reason: 'stream_unknown' }
  /** D1, the keys or the secret cannot be had now: the transmitter keeps the event and comes again. */
  | { readonly reason: 'unavailable' }
  | { readonly reason: 'too_many' }

/** INVARIANT: `description` is one of our own fixed texts: nothing of an event ever enters it. */
export const setRefused = (error: SetError, description: string): Err<SignalRefusal> =>
  err({ reason: 'set_refused', error, description })

const RETRY_SECONDS = '5'

/** Exhaustive, without a default: a new refusal does not compile until it is answered. */
export function answerTo(refusal: SignalRefusal): Response {
  switch (refusal.reason) {
    case 'set_refused':
      // RFC 8935 §2.3: 400 for all of them, the authentication of the transmitter included.
      return says(400, refusal.error, refusal.description)
    case 'form_refused': {
      const allow = refusal.status === 405 ? { allow: 'POST' } : {}
      return says(refusal.status, 'invalid_request', refusal.description, allow)
    }
    case 'stream_unknown':
      return says(404, 'access_denied', 'no such stream')
    case 'unavailable':
      return says(503, 'access_denied', 'try again', { 'retry-after': RETRY_SECONDS })
    case 'too_many':
      return says(429, 'access_denied', 'too many events', { 'retry-after': RETRY_SECONDS })
  }
}

const says = (status: number, error: string, description: string, headers: object = {}) =>
  Response.json(
    { err: error, description },
    { status, headers: { 'content-language': 'en', 'cache-control': 'no-store', ...headers } },
  )
