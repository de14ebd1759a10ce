import { IPV4_LOOPBACK, freePorts } from '../ports.ts'
import type { Stack } from '../stack.ts'
import { benchPart } from '../workers.ts'
import { measure, type Measurement, type Target } from './load.ts'

export interface CallRatios {
  readonly full_over_pass_p50: number
  readonly full_over_pass_rps: number
}

export interface CallBench {
  readonly rows: readonly Measurement[]
  readonly ratios: CallRatios
}

const ONE = 1
const MANY = 16

/**
 * One call three ways to the same upstream: directly, through a Worker that only passes it on, and
 * through Sallyport. Each is a workerd of its own, spoken to without a proxy. With many clients,
 * each is a user of its own: one session is one Durable Object, and that ceiling is another figure.
 */
export async function benchCalls(stack: Stack): Promise<CallBench> {
  const ports = await freePorts()
  const url = (port: number, path = '/mcp'): URL =>
    new URL(`http://${IPV4_LOOPBACK}:${port}${path}`)
  const upstream = await benchPart('upstream', 'local/bench/workers/upstream.ts', ports.server, {})
  const pass = await benchPart('pass', 'local/bench/workers/pass-through.ts', ports.issuer, {
    UPSTREAM: url(ports.server).href,
  })
  try {
    const tokens = await prepare(stack, url(ports.server).href)
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'work', arguments: { id: 'C-1001', fields: { stage: 'trial' } } },
    })
    const anybody = () => ({})
    const targets: Target[] = [
      { name: 'direct', url: url(ports.server), headers: anybody, body },
      { name: 'pass', url: url(ports.issuer), headers: anybody, body },
      {
        name: 'sallyport',
        url: new URL('/bench/mcp', stack.sallyport.replace('localhost', IPV4_LOOPBACK)),
        headers: (client) => ({ authorization: `Bearer ${tokens[client % tokens.length]}` }),
        body,
      },
    ]
    const alone = await measure(targets, ONE, 30, 100)
    const together = await measure(targets, MANY, 15, 400)
    return {
      rows: [...alone, ...together],
      ratios: {
        full_over_pass_p50: ratio(alone, 'p50_ms'),
        full_over_pass_rps: ratio(together, 'rps'),
      },
    }
  } finally {
    await Promise.all([upstream.stop(), pass.stop()])
  }
}

function ratio(rows: readonly Measurement[], figure: 'p50_ms' | 'rps'): number {
  const of = (name: string): number => rows.find((row) => row.name === name)?.[figure] ?? Number.NaN
  return Math.round((of('sallyport') / of('pass')) * 1000) / 1000
}

/** A server, one tool, one policy, and a user for each client. The bound on an actor is lifted. */
async function prepare(stack: Stack, upstream: string): Promise<string[]> {
  await stack.query('UPDATE tenants SET actor_calls_per_minute = 1000000000')
  await stack.query(
    `INSERT INTO servers (name, tenant, url, internal) VALUES ('bench', 'acme', '${upstream}', 1)`,
  )
  await stack.query(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'bench', 'work', 'write', 1)`,
  )
  await stack.query(
    `INSERT INTO policies (tenant, id, effect, role, agent, server, condition) VALUES
       ('acme', 'bench', 'allow', 'bench', '*', 'bench', 'args.fields.stage != "closed"')`,
  )
  const users = Array.from({ length: MANY }, (_, number) => `bench-${number}`)
  await stack.query(
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ${users
      .map((user) => `('acme', '${stack.issuer}', 'user', '${user}', 'bench')`)
      .join(', ')}`,
  )
  return Promise.all(
    users.map((sub) => stack.token({ sub, client: 'acme-agent', server: 'bench' })),
  )
}
