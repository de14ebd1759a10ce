import {
  behaviour,
  call,
  ISSUER,
  ORIGIN,
  post,
  sql,
  token,
  toolCall,
  type CallOptions,
  type TokenOptions,
  UPSTREAM,
} from '../../support/worker/world.ts'

/** Beside `crm`: a second server, `mail`, with tools that send, pay, delete and look for people. */
export const seedMail = (): Promise<void> =>
  sql(
    `INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('mail', 'acme', '${UPSTREAM}/mail', 1, 'crm')`,
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
      ('acme', 'mail', 'send', 'write', 1), ('acme', 'mail', 'find', 'read', 1),
      ('acme', 'mail', 'export_mail', 'export', 1), ('acme', 'mail', 'delete_mail', 'destructive', 1),
      ('acme', 'mail', 'pay', 'write', 1), ('acme', 'crm', 'pay', 'write', 1), ('acme', 'crm', 'send', 'write', 1)`,
    `INSERT INTO tool_labels (tenant, server, tool, label) VALUES
      ('acme', 'mail', 'send', 'sink.message'), ('acme', 'crm', 'send', 'sink.message'),
      ('acme', 'mail', 'find', 'source.confidential'),
      ('acme', 'mail', 'pay', 'sink.money'), ('acme', 'crm', 'pay', 'sink.money')`,
    `INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES
      ('acme', 'mail', 'send', '/to', 'target'), ('acme', 'crm', 'send', '/to', 'target'),
      ('acme', 'mail', 'pay', '/amount', 'amount'), ('acme', 'crm', 'pay', '/amount', 'amount')`,
  )

type Columns = Record<string, string | number | null>

/** A row of `sequence_rules` in place of all that were there. */
export const onlyRules = (...rows: readonly Columns[]): Promise<void> =>
  sql('DELETE FROM sequence_rules', ...rows.map(ruleRow))

export function ruleRow(columns: Columns): string {
  const row = { tenant: 'acme', effect: 'deny', reason: 'because', ...columns }
  const values = Object.values(row).map((value) =>
    typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value),
  )
  return `INSERT INTO sequence_rules (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`
}

export interface Way extends TokenOptions {
  readonly server?: string
  readonly headers?: Record<string, string>
}

/** Whose call it is, and by which way it comes. */
export const by = async (
  sub: string,
  { server = 'crm', headers, claims, ...way }: Way = {},
): Promise<CallOptions> => ({
  server,
  ...(headers === undefined ? {} : { headers }),
  token: await token({ sub, ...way, claims: { aud: `${ORIGIN}/${server}/mcp`, ...claims } }),
})

export const codeOf = async (
  sub: string,
  tool: string,
  args: unknown = {},
  way: Way = {},
): Promise<string> => {
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const { code } = await call(tool, { ...(await by(sub, way)), args })
    if (attempt === MOST_ATTEMPTS || !TRY_AGAIN.has(code)) return code
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 50 * attempt))
  }
}

/** Not sent, so they are asked again, as the answer says: a busy machine reads its rows too slowly. */
const TRY_AGAIN: ReadonlySet<string> = new Set(['facts_unavailable', 'session_unavailable'])
const MOST_ATTEMPTS = 20

export const rawCall = async (
  sub: string,
  tool: string,
  args: unknown = {},
  way: Way = {},
): Promise<Response> => post(toolCall(tool, args), await by(sub, way))

/** A task that the person opened for themselves, through a console. */
export function taskRow(sub: string, id: string, columns: Columns = {}): string {
  const row: Columns = {
    tenant: 'acme',
    id,
    issuer: ISSUER,
    subject: sub,
    client: 'acme-agent',
    purpose: 'work',
    opened_by: sub,
    expires_at: Date.now() + 600_000,
    ...columns,
  }
  const values = Object.values(row).map((value) =>
    typeof value === 'string' ? `'${value}'` : String(value),
  )
  return `INSERT INTO tasks (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`
}

const MODERN = '2026-07-28'

/** The same call as a client of the era of 2026-07-28 sends it. */
export async function modernCall(
  sub: string,
  tool: string,
  args: unknown = {},
  way: Way = {},
): Promise<Response> {
  const message = {
    jsonrpc: '2.0',
    id: crypto.randomUUID(),
    method: 'tools/call',
    params: {
      name: tool,
      arguments: args,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientInfo': { name: 'another', version: '9' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
  const options = await by(sub, way)
  return post(JSON.stringify(message), {
    ...options,
    headers: {
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': tool,
      ...options.headers,
    },
  })
}

/** The next call is held by the upstream until it is let go; others pass it meanwhile. */
export function hold(then = behaviour.upstream) {
  const { upstream } = behaviour
  const state = { reached: false, released: false }
  behaviour.upstream = async (request) => {
    behaviour.upstream = upstream
    state.reached = true
    await until(() => state.released)
    return then(request)
  }
  return {
    reached: until(() => state.reached),
    release: () => void (state.released = true),
  }
}

/** By asking again and again: what waits for a promise of another request goes on in that request. */
async function until(holds: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

export const label = (tool: string, name: string) =>
  `INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', '${tool}', '${name}')`
