// Pure. The `cnf` claim (RFC 7800 §3.1): to which keys a token is bound.

import { isJsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { isCanonicalBase64url } from './spelling.ts'

/** Null: not bound in this way. With both, both keys must be shown. */
export interface Confirmation {
  /** Thumbprint of a DPoP key (RFC 9449 §6.1). */
  readonly jkt: string | null
  /** Thumbprint of a certificate (RFC 8705 §3.1). */
  readonly x5t: string | null
}

export const UNBOUND: Confirmation = { jkt: null, x5t: null }

/**
 * Absent: a plain bearer token.
 *
 * INVARIANT: a member that is not known here refuses the token. RFC 7800 §3.1 lets us overlook it,
 * but then a token that its issuer bound in a way we cannot check would pass with less than that.
 */
export function readConfirmation(cnf: JsonValue | undefined): Result<Confirmation, string> {
  if (cnf === undefined) return ok(UNBOUND)
  if (!isJsonObject(cnf)) return err('`cnf` is not an object')
  const names = Object.keys(cnf)
  if (names.length === 0) return err('`cnf` names no key')
  if (names.some((name) => !KNOWN.has(name))) return err('`cnf` binds in a way that is not known')
  const jkt = cnf['jkt'] ?? null
  const x5t = cnf['x5t#S256'] ?? null
  const present = names.map((name) => cnf[name])
  if (!present.every(isThumbprint)) return err('a thumbprint in `cnf` is malformed')
  return ok({ jkt: jkt as string | null, x5t: x5t as string | null })
}

const KNOWN: ReadonlySet<string> = new Set(['jkt', 'x5t#S256'])

/** 32 bytes in their only spelling: 43 characters of canonical base64url. */
const isThumbprint = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value.length === 43 && isCanonicalBase64url(value)
