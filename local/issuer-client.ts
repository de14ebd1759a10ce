import { LocalProblem, messageOf } from './problem.ts'
import { quote, runSql } from './sql-client.ts'
import type { StackRecord } from './state.ts'

/** Who the token speaks for, and what it is good for. Omitted parts have the defaults of the demo. */
export interface TokenRequest {
  readonly sub: string
  readonly client: string
  readonly agent?: string | undefined
  readonly scope?: string | undefined
  readonly server?: string | undefined
  /** The path that the token is for, in place of a server's: `access/v1` are the AuthZEN doors. */
  readonly path?: string | undefined
  readonly task?: string | undefined
  readonly tenant?: string | undefined
  readonly lifetimeSeconds?: number | undefined
  /** A random text in place of a JWT: only the issuer's introspection explains it. */
  readonly opaque?: boolean | undefined
  /** For tests: another `typ`, and claims in place of the issuer's (null takes one away). */
  readonly type?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

const DEFAULT_SERVER = 'demo'
const DEFAULT_TENANT = 'acme'
/** Long, so that a change is felt in spite of the token and never by waiting for its end. */
const DEFAULT_LIFETIME_S = 3600

export async function mintToken(stack: StackRecord, request: TokenRequest): Promise<string> {
  const server = request.server ?? DEFAULT_SERVER
  if (!/^[a-z0-9-]{1,63}$/.test(server)) throw new LocalProblem(`not a server name: \`${server}\``)
  const response = await fetch(new URL('/mint', stack.issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      sub: request.sub,
      client: request.client,
      agent: request.agent,
      scope: request.scope ?? (await everyScopeOf(stack, server)),
      resource: `${stack.sallyport}/${request.path ?? `${server}/mcp`}`,
      task: request.task,
      tenant: request.tenant ?? DEFAULT_TENANT,
      lifetime_s: request.lifetimeSeconds ?? DEFAULT_LIFETIME_S,
      format: request.opaque === true ? 'opaque' : 'jwt',
      typ: request.type,
      claims: request.claims,
    }),
  }).catch((error: unknown) => {
    throw new LocalProblem(`the issuer does not answer at ${stack.issuer}: ${messageOf(error)}`)
  })
  const answer = await response.text()
  if (!response.ok) throw new LocalProblem(`the issuer refused (${response.status}): ${answer}`)
  return answer.trim()
}

/** Without `--scope` the token is as wide as a token can be: what it may do is decided by policy. */
async function everyScopeOf(stack: StackRecord, server: string): Promise<string> {
  const rows = await runSql(
    stack.sql,
    'policy',
    `SELECT required_scope AS scope FROM servers WHERE name = ${quote(server)}
     UNION SELECT required_scope FROM tools WHERE server = ${quote(server)}`,
  )
  const scopes = rows.flatMap((row) => String(row['scope']).split(' '))
  return [...new Set(scopes)].filter((scope) => scope !== '').join(' ')
}
