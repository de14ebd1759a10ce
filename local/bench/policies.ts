import { IPV4_LOOPBACK, freePorts } from '../ports.ts'
import type { Stack } from '../stack.ts'
import { benchPart } from '../workers.ts'
import { measure, measureAfter, measureBatches, type Measurement, type Target } from './load.ts'
import { benchTenant } from './tenant.ts'

export interface PolicyBench {
  readonly rows: readonly Measurement[]
  readonly ratios: { readonly pure_decision_us_10k: number; readonly policies_10k_over_10: number }
}

const SIZES = [10, 100, 1_000, 10_000] as const
const FEW = 10
const MANY = 10_000
const BATCH = 5_000

/** The decision alone at four sizes, and a whole call with ten policies beside one with ten thousand. */
export async function benchPolicies(stack: Stack): Promise<PolicyBench> {
  const ports = await freePorts()
  const worker = await benchPart('decision', 'local/bench/workers/decision.ts', ports.issuer, {})
  const upstream = await benchPart('upstream', 'local/bench/workers/upstream.ts', ports.server, {})
  try {
    const pure = new Map<number, Measurement>()
    for (const size of SIZES) pure.set(size, await decisionsAt(ports.issuer, size))
    const calls = await wholeCalls(stack, `http://${IPV4_LOOPBACK}:${ports.server}/mcp`)
    const [few, many] = calls.slice(0, 2).map((row) => row.p50_ms)
    return {
      rows: [...pure.values(), ...calls],
      ratios: {
        pure_decision_us_10k: round((pure.get(MANY)?.p50_ms ?? Number.NaN) * 1000),
        policies_10k_over_10: round((many ?? Number.NaN) / (few ?? Number.NaN)),
      },
    }
  } finally {
    await Promise.all([worker.stop(), upstream.stop()])
  }
}

/** One decision. */
const decisionsAt = (port: number, policies: number): Promise<Measurement> =>
  measureBatches(`decision ${policies}`, BATCH, async (decisions) => {
    const query = `policies=${policies}&decisions=${decisions}`
    const answer = await fetch(`http://${IPV4_LOOPBACK}:${port}/?${query}`)
    const { allowed } = (await answer.json()) as { allowed: number }
    if (allowed !== decisions) throw new Error(`${allowed} of ${decisions} decisions were allowed`)
  })

/** Two tenants, one with few policies and one with many, called in turn. */
async function wholeCalls(stack: Stack, upstream: string): Promise<Measurement[]> {
  const few = await benchTenant(stack, 'acme', 'few-policies', upstream)
  const many = await benchTenant(stack, 'globex', 'many-policies', upstream)
  await addPolicies(stack, 'acme', FEW)
  await addPolicies(stack, 'globex', MANY)
  const named = (what: string): Target[] => [
    { ...few, name: `${what} ${FEW}` },
    { ...many, name: `${what} ${MANY}` },
  ]
  const edit = ({ name }: Target) => {
    const tenant = name.endsWith(` ${MANY}`) ? 'globex' : 'acme'
    return stack.query(
      `UPDATE policies SET reason = hex(randomblob(4)) WHERE tenant = '${tenant}' AND id = 'bench-1'`,
    )
  }
  return [
    ...(await measure(named('call'), 1, 30, 100)),
    // What an edit costs the calls that come right after it: one, and sixteen at once.
    ...(await measureAfter(edit, named('call after an edit'), 1, 30)),
    ...(await measureAfter(edit, named('calls after an edit'), 16, 10)),
  ]
}

const addPolicies = (stack: Stack, tenant: string, count: number) =>
  stack.query(
    `INSERT INTO policies (tenant, id, effect, role, agent, tool, condition)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
     SELECT '${tenant}', 'bench-' || i, 'allow', 'role-' || (i % 50), '*',
            'tool-' || i, CASE i % 3 WHEN 0 THEN 'args.n < ' || i || '.0' END FROM n`,
  )

const round = (figure: number): number => Math.round(figure * 1000) / 1000
