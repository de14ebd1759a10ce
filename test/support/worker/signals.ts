import { env, exports } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { beforeEach } from 'vitest'
import { forgetEverything } from './isolate.ts'
import { behaviour, call, ISSUER, ORIGIN, sql, token, type CallOptions } from './world.ts'

/** A transmitter of Shared Signals with a key of its own, published beside the issuer's. */

export const AUDIENCE = `${ORIGIN}/events`

const pair = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true })
export const transmitterKey = pair.privateKey
const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'set-1', alg: 'RS256', use: 'sig' }

export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
export const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/'

export const seconds = (): number => Math.floor(Date.now() / 1000)

/** For the top of a test file, after `inThisWorld()`: the stream `idp`, about the issuer of that world. */
export function withStream(columns: Readonly<Record<string, string | number | null>> = {}): void {
  beforeEach(async () => {
    // What may happen so often a second counts from here.
    await forgetEverything()
    const issuerKeys = behaviour.jwks
    behaviour.jwks = async (request) => {
      const { keys } = await (await issuerKeys(request)).json<{ keys: object[] }>()
      return Response.json({ keys: [...keys, jwk] })
    }
    await addStream('idp', columns)
  })
}

export async function addStream(
  id: string,
  columns: Readonly<Record<string, string | number | null>> = {},
): Promise<void> {
  const row = { id, tenant: 'acme', issuer: ISSUER, audience: AUDIENCE, ...columns }
  const values = Object.values(row).map((value) =>
    typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value),
  )
  await sql(`INSERT INTO signal_streams (${Object.keys(row).join()}) VALUES (${values.join()})`)
}

export interface SetOptions {
  readonly claims?: JWTPayload
  readonly header?: Record<string, unknown>
  readonly key?: CryptoKey | Uint8Array
}

/** A signed event; `claims` may replace anything, and `undefined` leaves it out. */
export function signedSet(
  type: string,
  subject: object,
  event: object = {},
  { claims = {}, header = {}, key = transmitterKey }: SetOptions = {},
): Promise<string> {
  const all = {
    iss: ISSUER,
    aud: AUDIENCE,
    jti: crypto.randomUUID(),
    iat: seconds(),
    sub_id: subject,
    events: { [type]: event },
    ...claims,
  }
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: 'set-1', typ: 'secevent+jwt', ...header })
    .sign(key)
}

export const push = (
  body: BodyInit,
  options: {
    stream?: string
    headers?: Record<string, string>
    method?: string
    origin?: string
  } = {},
): Promise<Response> => {
  const { stream = 'idp', headers = {}, method = 'POST', origin = ORIGIN } = options
  return exports.default.fetch(
    new Request(`${origin}/events/${stream}`, {
      method,
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...headers,
      },
      ...(method === 'GET' ? {} : { body }),
      redirect: 'manual',
    }),
  )
}

/** Sent and durable: 202, and nothing in it. */
export async function tell(
  type: string,
  subject: object,
  event: object = {},
  options: SetOptions = {},
) {
  const response = await push(await signedSet(type, subject, event, options))
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
  if ((await response.text()) !== '') throw new Error('202 has a body')
}

export const person = (sub: string) => ({ format: 'iss_sub', iss: ISSUER, sub })

/** What becomes of a call with a token that was made so many seconds ago. */
export const callAfter = async (
  sub: string,
  secondsAgo = 0,
  claims: JWTPayload = {},
  options: CallOptions & { tool?: string } = {},
) => {
  const iat = seconds() - secondsAgo
  const bearer = await token({ sub, claims: { iat, exp: iat + 600, ...claims } })
  return (await call(options.tool ?? 'note', { ...options, token: bearer })).code
}

export const REVOKED = `${CAEP}session-revoked`

/** Status and `err` of a refusal (RFC 8935 §2.4). */
export const refusedAs = async (response: Response): Promise<unknown[]> => [
  response.status,
  (await response.json<{ err: string }>()).err,
]

export const count = async (table: string): Promise<number> =>
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>())?.n ?? -1

/** What became of each event, in the order they came. */
export const effects = async (): Promise<string[]> =>
  (
    await env.DB.prepare('SELECT effect FROM signal_events ORDER BY received_at').all<{
      effect: string
    }>()
  ).results.map(({ effect }) => effect)
