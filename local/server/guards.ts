// Two doors at which this server checks for itself who calls, as a real upstream should. What it finds
// is in `/_demo/refused`.

import { createVerifier, type Verify } from '../../examples/verifier/verifier.ts'

export interface Env {
  /** Sallyport's public origin. */
  SALLYPORT_URL?: string
  /** The issuer whose tokens `/exchanged/mcp` takes. */
  ISSUER_URL?: string
  /** This server's own origin. */
  SERVER_URL?: string
}

/** The credential that each door let pass last: `/_demo/holds` asks about it once more. */
export const lastShown = new Map<string, string>()

/** Why it is refused; null: it may pass. */
export type Guard = (env: Env, request: Request, body: string) => Promise<string | null>

interface Told {
  active?: boolean
  aud?: unknown
  scope?: string
}

/** null: nobody says. */
async function introspect(origin: string, caller: string, token: string): Promise<Told | null> {
  const response = await fetch(new URL('/introspect', origin), {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(caller)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ token }).toString(),
  })
  return response.ok ? response.json() : null
}

/** Whether what was shown last at a door would still be good there; null: nothing was, or nobody says. */
export async function holds(env: Env, path: string): Promise<boolean | null> {
  const token = lastShown.get(path)?.replace(/^Bearer /, '')
  const [origin, caller] =
    path === '/signed/mcp'
      ? [env.SALLYPORT_URL, `${BILLING.name}:${BILLING.password}`]
      : [env.ISSUER_URL, ARCHIVE]
  if (token === undefined || origin === undefined) return null
  return (await introspect(origin, caller, token))?.active ?? null
}

// These passwords are public and protect nothing but the demo.
const BILLING = { name: 'billing', password: 'billing-demo-password' }
const ARCHIVE = 'archive:archive-demo-secret'

let verify: Verify | null = null

/** Signed by Sallyport for this very message, and still good: Sallyport is asked. */
export const signed: Guard = async ({ SALLYPORT_URL, SERVER_URL }, request, body) => {
  if (SALLYPORT_URL === undefined || SERVER_URL === undefined) return 'this door is not set up'
  verify ??= createVerifier({
    issuer: SALLYPORT_URL,
    audience: `${SERVER_URL}/signed/mcp`,
    introspection: { ...BILLING },
  })
  const verified = await verify(request.headers.get('authorization'), body, request.method)
  return verified.ok ? null : verified.detail
}

/** A token of the issuer for this server, and still good: the issuer is asked (RFC 7662). */
export const exchanged: Guard = async ({ ISSUER_URL, SERVER_URL }, request) => {
  if (ISSUER_URL === undefined || SERVER_URL === undefined) return 'this door is not set up'
  const token = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
  if (token === undefined) return 'no bearer token'
  const told = await introspect(ISSUER_URL, ARCHIVE, token)
  if (told === null) return 'the issuer does not say'
  if (told.active !== true) return 'the token does not hold'
  if (told.aud !== `${SERVER_URL}/exchanged/mcp`) return 'the token is for another server'
  return told.scope === 'archive:use' ? null : 'the token is for something else'
}
