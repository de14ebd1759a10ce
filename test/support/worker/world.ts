import { env, exports } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { afterEach, beforeEach, vi } from 'vitest'
import { sessionKeyOf } from '../../../src/question/history-keys.ts'
import { assertNothingLeaked, noteShown, watchUpstream } from './client-credentials.ts'
import { app } from '../../../src/app.ts'

/**
 * What stands around a Worker in a test: an issuer with a key of its own and an upstream that writes
 * down all it sees. Both are met by `fetch` only, as in production.
 */

export const ISSUER = 'https://issuer.example'
export const ORIGIN = 'http://localhost:8787'
export const RESOURCE = `${ORIGIN}/crm/mcp`
export const UPSTREAM = 'https://crm.example/mcp'

const keys = await generateKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }

export interface Seen {
  readonly headers: Headers
  readonly body: string
}

/** Everything that reached the upstream, in order. */
export const seen: Seen[] = []

type Handler = (request: Request) => Response | Promise<Response>

const answer: Handler = async (request) => {
  const message = JSON.parse(await request.text()) as { id?: unknown; method: string }
  if (message.id === undefined) return new Response(null, { status: 202 })
  const result =
    message.method === 'tools/list'
      ? { tools: TOOLS.map((name) => ({ name, inputSchema: { type: 'object' } })) }
      : { content: [{ type: 'text', text: `did ${message.method}` }] }
  return Response.json({ jsonrpc: '2.0', id: message.id, result })
}

const serveKeys: Handler = () => Response.json({ keys: [jwk] })

export const TOOLS = ['read_all', 'export_all', 'delete_one', 'note'] as const

/** How upstream and issuer behave; a test may put something else here. */
export const behaviour: { upstream: Handler; jwks: Handler } = { upstream: answer, jwks: serveKeys }

function standInWorld(): void {
  seen.length = 0
  Object.assign(behaviour, { upstream: answer, jwks: serveKeys })
  // A test may ask the application itself, with an environment of its own.
  const { fetch: answered } = app
  vi.spyOn(app, 'fetch').mockImplementation((request, ...rest) => {
    noteShown(request.headers)
    return answered(request, ...rest)
  })
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init)
    if (request.url === `${ISSUER}/jwks.json`) return behaviour.jwks(request)
    if (!request.url.startsWith(UPSTREAM)) throw new Error(`nobody serves ${request.url}`)
    await watchUpstream(request)
    const copy = request.clone()
    seen.push({ headers: copy.headers, body: await copy.text() })
    return behaviour.upstream(request)
  })
}

export const sql = async (...statements: string[]): Promise<void> => {
  await env.DB.batch(statements.map((text) => env.DB.prepare(text)))
}

/** Tenant acme: alice may all on `crm` through acme-agent and other-agent. */
async function seedAcme(): Promise<void> {
  await sql(
    "INSERT INTO tenants (id) VALUES ('acme')",
    `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', '${ISSUER}', '${ISSUER}/jwks.json')`,
    `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'acme-agent'), ('acme', '${ISSUER}', 'other-agent')`,
    `INSERT INTO agents (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'bot')`,
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', 'alice', 'sales')`,
    `INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('crm', 'acme', '${UPSTREAM}', 1, 'crm')`,
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
      ('acme', 'crm', 'read_all', 'read', 1), ('acme', 'crm', 'export_all', 'export', 1),
      ('acme', 'crm', 'delete_one', 'destructive', 1), ('acme', 'crm', 'note', 'write', 1)`,
    `INSERT INTO tool_labels (tenant, server, tool, label) VALUES
      ('acme', 'crm', 'read_all', 'source.confidential'), ('acme', 'crm', 'read_all', 'source.bulk')`,
    `INSERT INTO policies (tenant, id, effect, role, agent) VALUES ('acme', 'sales', 'allow', 'sales', '*')`,
    `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, reason) VALUES
      ('acme', 'no-export', 'deny', 'sink.export', 'temporal', '["source.confidential","source.bulk"]', 1800, NULL, 'bulk_export'),
      ('acme', 'ten-deletes', 'deny', 'sink.destructive', 'event_count', '["sink.destructive"]', 600, '{"gt":10}', 'deletes')`,
  )
}

/** Rows that SQL keeps for good: their triggers are put aside, as nothing outside tests would. */
export async function forgetForGood(...tables: string[]): Promise<void> {
  // Few tests write any, and a trigger that comes and goes is most of what beginning anew costs.
  const filled = await env.DB.prepare(
    `SELECT ${tables.map((table) => `EXISTS (SELECT 1 FROM ${table}) AS ${table}`).join(', ')}`,
  ).first<Record<string, number>>()
  const kept = tables.filter((table) => filled?.[table] === 1)
  if (kept.length === 0) return
  const { results } = await env.DB.prepare(
    `SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB '*_keep_delete'
     AND tbl_name IN (SELECT value FROM json_each(?1))`,
  )
    .bind(JSON.stringify(kept))
    .all<{ name: string; sql: string }>()
  await sql(
    ...results.map(({ name }) => `DROP TRIGGER ${name}`),
    ...kept.map((table) => `DELETE FROM ${table}`),
    ...results.map((trigger) => trigger.sql),
  )
}

async function clearPolicies(): Promise<void> {
  await forgetForGood('tasks', 'consents', 'consented_definitions', 'signal_events')
  await sql(
    ...[
      'signal_states',
      'claim_overlays',
      'signal_stream_states',
      'subject_aliases',
      'signal_streams',
      'page_sessions',
      'revocations',
      'pdp_callers',
      'task_openers',
      'resources',
      'sequence_rules',
      'tool_origins',
      'policies',
      'tool_sightings',
      'tool_results',
      'tool_arguments',
      'resource_types',
      'tool_labels',
      'tool_access',
      'tools',
      'servers',
      'role_assignments',
      'agents',
      'clients',
      'issuers',
    ].map((table) => `DELETE FROM ${table}`),
    'DROP TRIGGER keep_revision',
    'DELETE FROM revision',
    'DELETE FROM tenants',
    "CREATE TRIGGER keep_revision BEFORE DELETE ON revision BEGIN SELECT RAISE(ABORT, 'a revision is never deleted: it only moves on'); END",
  )
}

export interface TokenOptions {
  readonly sub?: string
  readonly client?: string
  readonly agent?: string
  readonly scope?: string
  readonly claims?: JWTPayload
  readonly header?: Record<string, unknown>
  /** false: no client ever shows it; it is given to us. */
  readonly shown?: boolean
}

export async function token(options: TokenOptions = {}): Promise<string> {
  const { sub = 'alice', client = 'acme-agent', agent, scope = 'crm' } = options
  const now = Math.floor(Date.now() / 1000)
  const signed = await new SignJWT({
    iss: ISSUER,
    sub,
    aud: RESOURCE,
    client_id: client,
    scope,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 300,
    ...(agent === undefined ? {} : { act: { sub: agent } }),
    ...options.claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...options.header })
    .sign(keys.privateKey)
  if (options.shown !== false) noteShown(new Headers({ authorization: `Bearer ${signed}` }))
  return signed
}

export interface CallOptions {
  readonly token?: string | null
  readonly headers?: Record<string, string>
  readonly server?: string
  readonly origin?: string
  readonly method?: string
  readonly query?: string
}

/** One raw request at the front door. `body` is sent as it is. */
export async function post(body: BodyInit, options: CallOptions = {}): Promise<Response> {
  const { server = 'crm', origin = ORIGIN, method = 'POST', query = '' } = options
  const bearer = options.token === undefined ? await token() : options.token
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    ...options.headers,
  })
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value === '') headers.delete(name)
  }
  noteShown(headers)
  return exports.default.fetch(
    new Request(`${origin}/${server}/mcp${query}`, {
      method,
      headers,
      ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
      redirect: 'manual',
    }),
  )
}

let nextId = 1

export const message = (method: string, params?: unknown): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: (nextId += 1),
    method,
    ...(params === undefined ? {} : { params }),
  })

export const toolCall = (name: string, args: unknown = {}): string =>
  message('tools/call', { name, arguments: args })

export interface Verdict {
  readonly status: number
  /** `allowed`, or the public code of the refusal. */
  readonly code: string
  readonly decision: string | null
}

interface Refusal {
  readonly code: string
  readonly decision: string | null
}

export async function verdict(response: Response): Promise<Verdict> {
  const body = (await response.json()) as {
    result?: { _meta?: Record<string, Refusal> }
    error?: { data?: Record<string, Refusal>; message: string }
  }
  const refusal =
    body.result?._meta?.['sallyport/refusal'] ?? body.error?.data?.['sallyport/refusal']
  return {
    status: response.status,
    code: refusal?.code ?? (body.error === undefined ? 'allowed' : body.error.message),
    decision: refusal?.decision ?? null,
  }
}

export const call = async (tool: string, options: CallOptions & { args?: unknown } = {}) =>
  verdict(await post(toolCall(tool, options.args), options))

let users = 0

/** A salesperson of their own for each test: history is per subject. */
export async function newUser(): Promise<string> {
  const sub = `user-${(users += 1)}`
  await sql(
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', '${sub}', 'sales')`,
  )
  return sub
}

export const sessionKey = (subject: string): Promise<string> =>
  sessionKeyOf({ tenant: 'acme', issuer: ISSUER, subject, client: 'any', agent: null })

/** Names of the tools that a listing shows to whoever asks so. */
export async function listed(options: CallOptions = {}): Promise<string[]> {
  const response = await post(message('tools/list'), options)
  const body = (await response.json()) as { result?: { tools: { name: string }[] } }
  return (body.result?.tools ?? []).map(({ name }) => name)
}

/** For the top of a test file: the world as above, made anew for each test. */
export function inThisWorld(): void {
  beforeEach(async () => {
    standInWorld()
    await seedAcme()
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await clearPolicies()
    assertNothingLeaked()
  })
}
