import { exports } from 'cloudflare:workers'
import { ISSUER, ORIGIN, sql, token, type TokenOptions } from '../../support/worker/world.ts'

/** An enforcement point of acme's own, with a token that is for these doors and no other. */
export const CALLER = 'pep'
export const AUDIENCE = `${ORIGIN}/access/v1`

export const callerToken = ({ client = CALLER, ...more }: TokenOptions = {}): Promise<string> =>
  token({ sub: client, client, scope: '', ...more, claims: { aud: AUDIENCE, ...more.claims } })

export interface CallerOptions {
  readonly client?: string
  readonly tenant?: string
  readonly servers?: readonly string[]
  readonly subjects?: readonly string[]
  readonly mayAdmit?: boolean
}

export const register = (options: CallerOptions = {}): Promise<void> => {
  const { client = CALLER, tenant = 'acme', servers = ['crm'], subjects = ['*'] } = options
  return sql(
    `INSERT INTO pdp_callers (tenant, issuer, client, servers, subjects, may_admit) VALUES
      ('${tenant}', '${ISSUER}', '${client}', '${JSON.stringify(servers)}', '${JSON.stringify(subjects)}', ${options.mayAdmit === true ? 1 : 0})`,
  )
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly decision: boolean | undefined
  readonly context: {
    readonly id?: string
    readonly reason?: string
    readonly would_be?: string
    readonly scopes_needed?: readonly string[]
    readonly acr_values?: string
    readonly max_age?: number
    readonly help?: { readonly kind: string }
    readonly error?: { readonly status: number; readonly message: string }
  }
  readonly evaluations: readonly Pick<Reply, 'decision' | 'context'>[]
  readonly error: string | undefined
  readonly text: string
}

export interface AskOptions {
  readonly token?: string | null
  readonly path?: string
  readonly origin?: string
  readonly method?: string
  readonly headers?: Record<string, string>
}

/** One raw request at the AuthZEN doors. A text is sent as it is. */
export async function ask(question: unknown, options: AskOptions = {}): Promise<Reply> {
  const { path = '/access/v1/evaluation', origin = ORIGIN, method = 'POST' } = options
  const bearer = options.token === undefined ? await callerToken() : options.token
  const body = question instanceof Uint8Array || typeof question === 'string' ? question : null
  const response = await exports.default.fetch(
    new Request(`${origin}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...options.headers,
      },
      ...(method === 'GET' ? {} : { body: body ?? JSON.stringify(question) }),
    }),
  )
  const text = await response.text()
  const parsed = JSON.parse(text) as Partial<Reply>
  return {
    status: response.status,
    headers: response.headers,
    decision: parsed.decision,
    context: parsed.context ?? {},
    evaluations: parsed.evaluations ?? [],
    error: parsed.error,
    text,
  }
}

export const askMany = (body: unknown, options: AskOptions = {}): Promise<Reply> =>
  ask(body, { path: '/access/v1/evaluations', ...options })

/** May this person call this tool, through acme-agent? */
export const mayCall = (tool: string, sub: string, more: Record<string, unknown> = {}) => ({
  subject: { type: 'user', id: sub, properties: { client: 'acme-agent' } },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: tool },
  context: { arguments: {}, ...more },
})

/** The same, and let it into the history under this name. */
export const admitted = (tool: string, sub: string, key: string, more = {}) =>
  mayCall(tool, sub, { admit: { idempotency_key: key }, ...more })
