import { env } from 'cloudflare:workers'
import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { base64url } from 'jose'
import { afterEach, beforeEach, vi } from 'vitest'
import type { Credentials } from '../../../src/durable-objects/credentials.ts'
import { ISSUER, sessionKey, sql, token, UPSTREAM } from './world.ts'

/** A request that reached the issuer's token or revocation endpoint. */
export interface Form {
  readonly url: string
  readonly authorization: string | null
  readonly form: URLSearchParams
}

export interface GivenOptions {
  readonly sub?: string
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
}

type Answer = (asked: Form) => Response | Promise<Response>

/** What the issuer was asked, in order. */
export const exchanges: Form[] = []
export const revocations: Form[] = []

export const issuer: { token: Answer; revoke: Answer } = {
  token: (asked) => gives(asked),
  revoke: () => new Response(null, { status: 200 }),
}

export const EXCHANGED = 'urn:ietf:params:oauth:token-type:access_token'

/** A token of the issuer for the upstream, for whoever the subject token speaks of. */
export async function given(asked: Form, options: GivenOptions = {}): Promise<string> {
  const subject = asked.form.get('subject_token')
  return token({
    sub: options.sub ?? String(claimsIn(subject ?? '')['sub']),
    client: 'sallyport',
    scope: asked.form.get('scope') ?? '',
    claims: { aud: asked.form.get('resource') ?? UPSTREAM, ...options.claims },
    ...(options.header === undefined ? {} : { header: options.header }),
    shown: false,
  })
}

export const claimsIn = (jwt: string): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(base64url.decode(jwt.split('.')[1] ?? ''))) as Record<
    string,
    unknown
  >

export async function gives(
  asked: Form,
  members: Record<string, unknown> = {},
  options: GivenOptions = {},
): Promise<Response> {
  const scope = asked.form.get('scope')
  const answer: Record<string, unknown> = {
    access_token: await given(asked, options),
    issued_token_type: EXCHANGED,
    token_type: 'Bearer',
    expires_in: 300,
    ...(scope === null ? {} : { scope }),
    ...members,
  }
  return Response.json(answer, { headers: { 'cache-control': 'no-store' } })
}

/** After `inThisWorld`: calls to `crm` carry what the issuer gives in exchange for the caller's token. */
export function withExchange(): void {
  beforeEach(async () => {
    exchanges.length = 0
    revocations.length = 0
    issuer.token = (asked) => gives(asked)
    issuer.revoke = () => new Response(null, { status: 200 })
    await sql(
      `UPDATE issuers SET token_url = '${ISSUER}/token', revocation_url = '${ISSUER}/revoke' WHERE kind = 'oauth'`,
      `UPDATE servers SET credential = 'exchange', credential_scope = 'crm.call',
         exchange_issuer = '${ISSUER}', exchange_secret = 'EXCHANGE_ACME' WHERE name = 'crm'`,
    )
    const inner = vi.mocked(fetch).getMockImplementation()
    vi.mocked(fetch).mockImplementation(async (input, init) => {
      const request = new Request(input, init)
      const { origin, pathname } = new URL(request.url)
      if (ISSUERS.includes(origin) && pathname === '/token') {
        return issuer.token(await note(request, exchanges))
      }
      if (ISSUERS.includes(origin) && pathname === '/revoke') {
        return issuer.revoke(await note(request, revocations))
      }
      if (inner === undefined) throw new Error('no world')
      return inner(request)
    })
  })
  // Alarms outlive a test, and the network that they would ask then is the real one.
  afterEach(async () => {
    for (const id of await listDurableObjectIds(env.CREDENTIALS)) {
      // oxlint-disable-next-line no-await-in-loop
      await runInDurableObject(env.CREDENTIALS.get(id), async (_, { storage }) => {
        await storage.deleteAlarm()
        storage.sql.exec('DELETE FROM credentials')
        storage.sql.exec('DELETE FROM events')
      })
    }
  })
}

export const PARTNER = 'https://partner.example'
const ISSUERS = [ISSUER, PARTNER]

async function note(request: Request, list: Form[]): Promise<Form> {
  const asked = {
    url: request.url,
    authorization: request.headers.get('authorization'),
    form: new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer())),
  }
  list.push(asked)
  return asked
}

/** Everything that happened to one subject's tokens, in order, as the log has it. */
export interface Event {
  readonly event: string
  readonly cause: string | null
  readonly status: number | null
  readonly attempts: number
  readonly detail: string
  readonly credential: string
  readonly task: string | null
}

export const objectOf = async (subject: string): Promise<DurableObjectStub<Credentials>> =>
  env.CREDENTIALS.getByName(await sessionKey(subject))

/** The next turn of the clock, now. */
export async function nextLook(subject: string): Promise<void> {
  await runInDurableObject(await objectOf(subject), (object) => object.alarm())
}

/** The object forgets what it only had in memory, as after a restart of the platform. */
export async function restart(subject: string): Promise<void> {
  const object = await objectOf(subject)
  // One that does not run cannot be stopped.
  await runInDurableObject(object, () => undefined)
  await evictDurableObject(object)
}

export async function eventsOf(subject: string): Promise<Event[]> {
  const { results } = await env.DECISIONS.prepare(
    `SELECT event, cause, status, attempts, detail, credential, task FROM credential_events
     WHERE subject = ? ORDER BY rowid`,
  )
    .bind(subject)
    .all<Event>()
  return results
}

export { UPSTREAM }
