import { AUTHENTICATE } from './authenticate.ts'
import { DECIDE } from './decide.ts'
import { RECEIVE } from './receive.ts'
import type { Rejection, Rows } from './rejection.ts'
import { UNDERSTAND } from './understand.ts'

/** The steps of a call before it is forwarded, in their order. */
const STEPS: Readonly<Record<string, Readonly<Record<string, Rows>>>> = {
  receive: RECEIVE,
  authenticate: AUTHENTICATE,
  understand: UNDERSTAND,
  decide: DECIDE,
}

export interface Row extends Rejection {
  readonly step: string
  readonly reason: string
}

/** Every rejection that a request alone, or with a row of SQL, brings about. */
export const REJECTIONS: readonly Row[] = Object.entries(STEPS).flatMap(([step, sheet]) =>
  Object.entries(sheet).flatMap(([reason, rows]) =>
    typeof rows === 'string' ? [] : rows.map((row) => ({ step, reason, ...row })),
  ),
)

/** Reasons that need more than that, and the tests that bring them about. */
export const ELSEWHERE: readonly { step: string; reason: string; where: string }[] = Object.entries(
  STEPS,
).flatMap(([step, sheet]) =>
  Object.entries(sheet).flatMap(([reason, where]) =>
    typeof where === 'string' ? [{ step, reason, where }] : [],
  ),
)
