import { IPV4_LOOPBACK } from '../ports.ts'
import type { Stack } from '../stack.ts'
import type { Target } from './load.ts'

/**
 * A server of its own in one of the two demo tenants, whose clients differ, with one tool, one
 * policy that allows, and a call to it. Tenants compile and remember apart, so two of them can be
 * measured in turn with different numbers of rows.
 */
export async function benchTenant(
  stack: Stack,
  tenant: 'acme' | 'globex',
  server: string,
  upstream: string,
): Promise<Target> {
  const client = `${tenant}-agent`
  await stack.query('UPDATE tenants SET actor_calls_per_minute = 1000000000')
  await stack.query(
    `INSERT INTO servers (name, tenant, url, internal) VALUES ('${server}', '${tenant}', '${upstream}', 1)`,
  )
  await stack.query(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('${tenant}', '${server}', 'work', 'write', 1)`,
  )
  await stack.query(
    `INSERT INTO policies (tenant, id, effect, client, server) VALUES ('${tenant}', '${server}', 'allow', '${client}', '${server}')`,
  )
  const token = await stack.token({ sub: server, client, server, tenant })
  return {
    name: server,
    url: new URL(`/${server}/mcp`, stack.sallyport.replace('localhost', IPV4_LOOPBACK)),
    headers: () => ({ authorization: `Bearer ${token}` }),
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'work', arguments: { n: 1 } },
    }),
  }
}
