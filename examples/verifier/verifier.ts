// Checks what Sallyport shows an MCP server of the kind `signed`, so that the server need not believe
// whoever reaches it: who calls, through which client and agent, for which task, and exactly what.
//
// It needs `jose`, `fetch` and Web Crypto, so it runs in Node, Deno, Bun and Workers alike.

import {
  base64url,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose'
import { Introspection, type IntrospectionOptions } from './introspection.ts'
import { UsedTokens, type ReplayStore } from './replay.ts'
import { canonicalJson, isObject, readStrictJson, type Json } from './strict-json.ts'

export interface VerifierOptions {
  /** Sallyport's public origin, for example `https://mcp.example.com`. */
  readonly issuer: string
  /** This server as its row names it: `credential_audience`, or else its `url`. Byte for byte. */
  readonly audience: string
  /** Whose server this is. Left out, it serves every tenant of Sallyport's that names it. */
  readonly tenant?: string
  /** Asks, at every call, whether it still holds: then the end of a task is felt at once. */
  readonly introspection?: IntrospectionOptions
  /** Several processes need one that they share: a token is good for one message. */
  readonly replay?: ReplayStore
  /** Sallyport's keys. Left out, they are fetched from `/.well-known/jwks.json` and kept a while. */
  readonly keys?: JWTVerifyGetKey
  readonly now?: () => number
}

export interface Caller {
  readonly subject: string
  /** Who named the subject: two people of two issuers may have one name. */
  readonly subjectIssuer: string | null
  readonly client: string
  /** The workload that acts for the subject; null: the client itself. */
  readonly agent: string | null
  readonly tenant: string | null
  readonly task: string | null
  /** Sallyport's decision: its record says why the call was allowed. */
  readonly decision: string
  /** Sallyport itself asks, in nobody's name, to see what the tools are. */
  readonly isSallyport: boolean
}

export type Verified =
  /** `message` is what was checked: act on it, and not on another reading of the same bytes. */
  | { readonly ok: true; readonly caller: Caller; readonly message: Json }
  | {
      readonly ok: false
      /** 401: do not act. 503: it cannot be said now; do not act either. */
      readonly status: 401 | 503
      /** For a log. Tell the caller no more than `invalid_token` (RFC 6750 §3.1). */
      readonly detail: string
    }

export type Verify = (
  authorization: string | null,
  body: string,
  /** The HTTP method. GET and DELETE belong to sessions and have no message: `message` is null. */
  verb?: string,
) => Promise<Verified>

/** Sallyport gives a token 60 seconds; clocks may differ by a few. */
const LONGEST_LIFETIME_S = 60
const CLOCK_SECONDS = 5
/** Those that Sallyport can sign with. The key that it publishes says which one it is. */
const ALGORITHMS = 'ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512'.split(' ')

export function createVerifier(options: VerifierOptions): Verify {
  const { issuer, audience, now = Date.now } = options
  const keys = options.keys ?? createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer))
  const replay = options.replay ?? new UsedTokens(now)
  const introspection =
    options.introspection === undefined ? null : new Introspection(issuer, options.introspection)

  return async (authorization, body, verb = 'POST') => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return refused('no bearer token')
    const claims = await readClaims(token)
    if (typeof claims === 'string')
      return claims === UNAVAILABLE ? unavailable('no keys') : refused(claims)
    let message: Json
    try {
      message = verb === 'POST' ? readStrictJson(body) : null
    } catch {
      return refused('the body is not strict JSON')
    }
    if (verb !== 'POST' && body !== '') return refused('a body where none belongs')
    const problem = await problemWith(
      claims,
      verb === 'POST' ? message : { method: verb },
      audience,
    )
    if (problem !== null) return refused(problem)
    const caller = callerIn(claims)
    if (caller === null) return refused('the token names nobody')
    if (options.tenant !== undefined && caller.tenant !== options.tenant) {
      return refused('the token is of another tenant')
    }
    if (introspection !== null) {
      const holds = await introspection.holds(token, caller.decision)
      if (holds === 'unknown') return unavailable('introspection does not answer')
      if (holds === 'no') return refused('it does not hold any more')
    }
    // Last: a token that was refused for something else is not used up.
    const until = (Number(claims.exp) + CLOCK_SECONDS) * 1000
    return (await replay.use(caller.decision, until))
      ? { ok: true, caller, message }
      : refused('this token was used before')
  }

  async function readClaims(token: string): Promise<JWTPayload | string> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        // RFC 9068 §2.1, RFC 8725 §3.11: other kinds of JWT are no tokens for a call.
        typ: 'at+jwt',
        requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub', 'client_id'],
        maxTokenAge: LONGEST_LIFETIME_S,
        clockTolerance: CLOCK_SECONDS,
        currentDate: new Date(now()),
      })
      const { exp = 0, iat = 0, aud } = payload
      if (exp - iat > LONGEST_LIFETIME_S) return 'it lives too long'
      return aud === audience ? payload : '`aud` names others too'
    } catch (cause) {
      // jose says its expected no with its own errors; a network that fails is not one of them.
      return cause instanceof errors.JOSEError && !WITHOUT_KEYS.has(cause.code)
        ? `${cause.code}: ${cause.message}`
        : UNAVAILABLE
    }
  }
}

const UNAVAILABLE = 'unavailable'

/** Of jose's errors those that say nothing of the token: there was no readable set of keys. */
const WITHOUT_KEYS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
])

const refused = (detail: string): Verified => ({ ok: false, status: 401, detail })
const unavailable = (detail: string): Verified => ({ ok: false, status: 503, detail })

/** Whether the token is for this message: its method, its tool, and every byte of its arguments. */
async function problemWith(
  claims: JWTPayload,
  message: Json,
  audience: string,
): Promise<string | null> {
  const details: unknown = claims['authorization_details']
  const [detail, another] = Array.isArray(details) ? (details as Json[]) : []
  if (!isObject(detail) || another !== undefined || detail['type'] !== 'mcp_call') {
    return 'the token is for no message'
  }
  const { locations, method, actions } = detail
  if (!isSame(locations, [audience])) return 'the token is for another server'
  if (!isObject(message)) return 'the message is no object'
  if (message['method'] === undefined) {
    // The response to what this server asked: all of it.
    return method === '' && detail['message_digest'] === (await digest(message))
      ? null
      : 'the token is for another message'
  }
  // The empty name stands for a response.
  if (message['method'] !== method || method === '') return 'the token is for another method'
  const params = message['params']
  if (params !== undefined && !isObject(params)) return '`params` is no object'
  if (method === 'tools/call') {
    if (!isSame(actions, [params?.['name'] ?? null])) return 'the token is for another tool'
    const { _meta: _, name: __, arguments: given = {}, ...rest } = params ?? {}
    if (detail['arguments_digest'] !== (await digest(given))) {
      return 'the token is for other arguments'
    }
    // What goes beside them: answers to what the server asked, a task that it shall run as.
    const others = Object.keys(rest).length === 0 ? undefined : await digest(rest)
    return detail['params_digest'] === others ? null : 'the token is for other parameters'
  }
  if (!isSame(actions, [])) return 'the token is for a tool'
  if (params === undefined) {
    return detail['params_digest'] === undefined ? null : 'the token is for other parameters'
  }
  const { _meta: _, ...rest } = params
  return detail['params_digest'] === (await digest(rest))
    ? null
    : 'the token is for other parameters'
}

const isSame = (value: Json | undefined, wanted: Json): boolean =>
  value !== undefined && canonicalJson(value) === canonicalJson(wanted)

async function digest(value: Json): Promise<string> {
  const text = new TextEncoder().encode(canonicalJson(value))
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', text)))
}

function callerIn(claims: JWTPayload): Caller | null {
  const { sub, jti, iss, client_id: client, act, sub_id: subjectId, tenant, txn } = claims
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof client !== 'string') return null
  return {
    subject: sub,
    subjectIssuer: member(subjectId, 'iss'),
    client,
    agent: member(act, 'sub'),
    tenant: typeof tenant === 'string' ? tenant : null,
    task: typeof txn === 'string' ? txn : null,
    decision: jti,
    isSallyport: sub === iss && client === iss,
  }
}

const member = (value: unknown, name: string): string | null => {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null
  const found: unknown = value[name as keyof typeof value]
  return typeof found === 'string' ? found : null
}
