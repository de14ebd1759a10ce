import { env, exports } from 'cloudflare:workers'
import { ISSUER, ORIGIN, sql, token, type TokenOptions } from '../../support/worker/world.ts'

/** A service of acme's own that opens tasks for people, and a token of it for this door alone. */
export const OPENER = 'desk'
export const AUDIENCE = `${ORIGIN}/tasks`

export const openerToken = ({ client = OPENER, sub, ...more }: TokenOptions = {}) =>
  token({
    sub: sub ?? client,
    client,
    scope: '',
    ...more,
    claims: { aud: AUDIENCE, ...more.claims },
  })

export interface OpenerRow {
  readonly tenant?: string
  readonly issuer?: string
  readonly kind?: 'user' | 'client' | 'agent'
  readonly id?: string
  readonly client?: string
  readonly through?: string | null
  readonly for_others?: number
  readonly may_approve?: number
  readonly max_lifetime_s?: number
}

const literal = (value: string | number | null) =>
  typeof value === 'string' ? `'${value}'` : String(value)

export const openerRow = (row: OpenerRow = {}): string => {
  const whole = {
    tenant: 'acme',
    issuer: ISSUER,
    kind: 'client',
    id: OPENER,
    client: '*',
    for_others: 1,
    may_approve: 1,
    ...row,
  }
  return `INSERT INTO task_openers (${Object.keys(whole).join(', ')}) VALUES (${Object.values(whole).map(literal).join(', ')})`
}

export const registered = (client: string): string =>
  `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${client}')`

/** The desk may open tasks for everybody, and approve them. */
export const setUp = (): Promise<void> => sql(registered(OPENER), openerRow())

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly error: string | undefined
  readonly id: string
  readonly handle: string | undefined
  readonly closed: { readonly by: string; readonly at: string } | null
  readonly body: Record<string, unknown>
}

export interface AskOptions {
  readonly token?: string | null
  readonly key?: string | null
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
}

/** One raw request at `/tasks`. A text is sent as it is. */
export async function ask(body: unknown, options: AskOptions = {}): Promise<Reply> {
  const { path = '/tasks', method = 'POST', key = crypto.randomUUID() } = options
  const bearer = options.token === undefined ? await openerToken() : options.token
  const response = await exports.default.fetch(
    new Request(`${ORIGIN}${path}`, {
      method,
      headers: {
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(key === null ? {} : { 'idempotency-key': key }),
        ...options.headers,
      },
      ...(method === 'POST'
        ? { body: typeof body === 'string' ? body : JSON.stringify(body) }
        : {}),
    }),
  )
  return replyOf(response)
}

export async function replyOf(response: Response): Promise<Reply> {
  const text = await response.text()
  const parsed = JSON.parse(text) as Record<string, unknown>
  return {
    status: response.status,
    headers: response.headers,
    text,
    error: parsed['error'] as string | undefined,
    id: parsed['id'] as string,
    handle: parsed['handle'] as string | undefined,
    closed: (parsed['closed'] ?? null) as Reply['closed'],
    body: parsed,
  }
}

/** Alice's notes, through acme-agent; members may say otherwise. */
export const notes = (more: Record<string, unknown> = {}) => ({
  subject: 'alice',
  client: 'acme-agent',
  purpose: 'take notes',
  tools: ['crm/note'],
  expires_in: 600,
  ...more,
})

export const close = (id: string, options: AskOptions = {}) =>
  ask(null, { path: `/tasks/${encodeURIComponent(id)}`, method: 'DELETE', ...options })

export const read = (id: string, options: AskOptions = {}) =>
  ask(null, { path: `/tasks/${encodeURIComponent(id)}`, method: 'GET', ...options })

export const rowsOf = async (query = 'SELECT * FROM tasks'): Promise<Record<string, unknown>[]> =>
  (await env.DB.prepare(query).all<Record<string, unknown>>()).results
