import type { Credentials } from '../../../src/authentication/authenticate.ts'
import type { AuthenticationContext } from '../../../src/authentication/context.ts'
import type { AuthenticationRefusal } from '../../../src/authentication/refusal.ts'
import { bearer, token, type Members } from './token-smith.ts'

/** One row of the sheet: what is sent, what must come back, and why anybody would send it. */
export interface Attack {
  readonly name: string
  readonly credentials: () => Promise<Credentials>
  /** As `cellOf` names it. */
  readonly refusal: string
  readonly because: string
  readonly context?: Partial<AuthenticationContext>
  /** What the platform says of the connection (`request.cf.tlsClientAuth`). */
  readonly tlsClientAuth?: unknown
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

/** `reason`; of `token_invalid` its fault, of `proof_invalid` the same after the word `proof`. */
export function cellOf(refusal: AuthenticationRefusal): string {
  if (refusal.reason === 'token_invalid') return refusal.fault
  return refusal.reason === 'proof_invalid' ? `proof ${refusal.fault}` : refusal.reason
}
