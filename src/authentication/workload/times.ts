// Pure. When a workload's document holds: `exp` always, `iat` and `nbf` if they are there.

import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import { CLOCK_AHEAD_SECONDS, CLOCK_BEHIND_SECONDS } from '../claims.ts'
import { isEpochSeconds } from '../text.ts'

/** Epoch seconds. */
export interface Times {
  readonly issuedAt: number | null
  readonly expiresAt: number
  readonly notBefore: number | null
}

export interface TimesFault {
  readonly fault: 'claim' | 'expired' | 'not_yet_valid' | 'lifetime'
  readonly detail: string
}

/** `longest` is how long the whole life may be; without `iat`, how long the rest of it. */
export function readTimes(
  payload: JsonObject,
  longest: number,
  nowMs: number,
): Result<Times, TimesFault> {
  const { exp: expiresAt, iat, nbf } = payload
  if (!isEpochSeconds(expiresAt)) return no('claim', '`exp` is not whole epoch seconds')
  if (!isAbsentOrSeconds(iat)) return no('claim', '`iat` is not whole epoch seconds')
  if (!isAbsentOrSeconds(nbf)) return no('claim', '`nbf` is not whole epoch seconds')
  const now = nowMs / 1000
  const latest = now + CLOCK_AHEAD_SECONDS
  if (iat !== undefined && iat > latest) return no('not_yet_valid', '`iat` lies in the future')
  if (nbf !== undefined && nbf > latest) return no('not_yet_valid', '`nbf` lies in the future')
  if (expiresAt <= now - CLOCK_BEHIND_SECONDS) return no('expired', '`exp` has passed')
  const begunAt = iat ?? now - CLOCK_BEHIND_SECONDS
  if (expiresAt <= begunAt) return no('lifetime', '`exp` is not after `iat`')
  if (expiresAt - begunAt > longest) return no('lifetime', 'it lives longer than it may')
  return ok({ issuedAt: iat ?? null, expiresAt, notBefore: nbf ?? null })
}

const isAbsentOrSeconds = (value: JsonValue | undefined): value is number | undefined =>
  value === undefined || isEpochSeconds(value)

const no = (fault: TimesFault['fault'], detail: string) => err<TimesFault>({ fault, detail })
