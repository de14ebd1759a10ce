import type { Credentials } from '../../../src/authentication/authenticate.ts'
import type { AuthenticationContext } from '../../../src/authentication/context.ts'
import { bearer, token, type Members } from './token-smith.ts'

/** One row of the sheet: what is sent, what must come back, and why anybody would send it. */
export interface Attack {
  readonly name: string
  readonly credentials: () => Promise<Credentials>
  /** `reason`, or `fault` of `token_invalid`. */
  readonly refusal: string
  readonly because: string
  readonly context?: Partial<AuthenticationContext>
}

export function attack(
  name: string,
  text: string | Promise<string> | (() => string | Promise<string>),
  refusal: string,
  because: string,
): Attack {
  const make = typeof text === 'function' ? text : () => text
  return { name, credentials: async () => bearer(await make()), refusal, because }
}

/** A token with a good signature over these claims. */
export const claim = (name: string, payload: Members, refusal: string, because: string): Attack =>
  attack(name, () => token(payload), refusal, because)

/** A token with a good signature under this header. */
export const header = (name: string, members: Members, refusal: string, because: string): Attack =>
  attack(name, () => token({}, members), refusal, because)
