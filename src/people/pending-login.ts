// Pure. A login under way, as the browser that began it keeps it.
import { base64url } from 'jose'
import type { Wanted } from '../page-addresses.ts'
import { isSecret } from './secret.ts'

/**
 * Kept in a cookie and nowhere else: a table would let anybody who asks for a login write into it.
 * Whoever changes it changes their own login, which then fails: `state` and PKCE belong to the code,
 * `nonce` to the ID token, and the issuer must still be one of that server's tenant.
 */
export interface PendingLogin {
  readonly server: string
  readonly issuer: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** What the person came for; it is asked anew after the login. */
  readonly wanted: Wanted | null
}

const LONGEST_LOGIN_MS = 10 * 60_000
export const LOGIN_SECONDS = LONGEST_LOGIN_MS / 1000

const MAX_LENGTH = 3_500

/** null: it would not fit into a cookie. */
export function writePending(login: PendingLogin): string | null {
  const text = base64url.encode(JSON.stringify(login))
  return text.length <= MAX_LENGTH ? text : null
}

export function readPending(text: string | null, now: number): PendingLogin | null {
  if (text === null || text.length > MAX_LENGTH) return null
  let login: Partial<Record<keyof PendingLogin, unknown>> | null
  try {
    login = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(base64url.decode(text)),
    )
  } catch {
    return null
  }
  if (typeof login !== 'object' || login === null) return null
  const { server, issuer, state, nonce, verifier, startedAt, wanted } = login
  if (typeof server !== 'string' || !/^[a-z0-9-]{1,63}$/.test(server)) return null
  if (typeof issuer !== 'string' || typeof startedAt !== 'number') return null
  if (![state, nonce, verifier].every((part) => typeof part === 'string' && isSecret(part))) {
    return null
  }
  if (startedAt > now || now - startedAt > LONGEST_LOGIN_MS) return null
  return {
    server,
    issuer,
    state: state as string,
    nonce: nonce as string,
    verifier: verifier as string,
    startedAt,
    wanted: readWanted(wanted),
  }
}

function readWanted(value: unknown): Wanted | null {
  if (typeof value !== 'object' || value === null) return null
  const { client, tool, access } = value as Record<string, unknown>
  if (typeof client !== 'string' || !isTextOrNull(tool) || !isTextOrNull(access)) return null
  return { client, tool, access }
}

const isTextOrNull = (value: unknown): value is string | null =>
  value === null || typeof value === 'string'
