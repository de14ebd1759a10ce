import { IPV4_LOOPBACK, freePorts } from '../ports.ts'
import type { Stack } from '../stack.ts'
import { benchPart } from '../workers.ts'
import { measure, type Measurement } from './load.ts'
import { benchSession } from './session.ts'
import { benchTenant } from './tenant.ts'

export interface HistoryBench {
  readonly rows: readonly Measurement[]
  readonly ratios: { readonly rules_500_over_5: number; readonly history_100k_over_10: number }
}

const FEW = 5
const MANY = 500

/** A whole call with five sequence rules on its label beside one with five hundred. */
export async function benchHistory(stack: Stack): Promise<HistoryBench> {
  const { server: port } = await freePorts()
  const upstream = await benchPart('upstream', 'local/bench/workers/upstream.ts', port, {})
  try {
    const url = `http://${IPV4_LOOPBACK}:${port}/mcp`
    const few = await benchTenant(stack, 'acme', 'few-rules', url)
    const many = await benchTenant(stack, 'globex', 'many-rules', url)
    await addRules(stack, 'acme', FEW)
    await addRules(stack, 'globex', MANY)
    const targets = [
      { ...few, name: `${FEW} rules` },
      { ...many, name: `${MANY} rules` },
    ]
    const rows = await measure(targets, 1, 30, 100)
    const [short, long] = rows.map((row) => row.p50_ms)
    const ratio = (long ?? Number.NaN) / (short ?? Number.NaN)
    const session = await benchSession()
    return {
      rows: [...rows, ...session.rows],
      ratios: { rules_500_over_5: Math.round(ratio * 1000) / 1000, ...session.ratios },
    }
  } finally {
    await upstream.stop()
  }
}

/** All on the label of the call, none of which holds: each has to be looked at. */
const addRules = (stack: Stack, tenant: string, count: number) =>
  stack.query(
    `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, reason)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     SELECT '${tenant}', 'bench-' || i, 'deny', 'sink.update',
            CASE i % 2 WHEN 0 THEN 'temporal' ELSE 'event_count' END,
            CASE i % 2 WHEN 0 THEN '["source.r' || i || '","source.s' || i || '"]' ELSE '["sink.other"]' END,
            600, CASE i % 2 WHEN 0 THEN NULL ELSE '{"gt":10}' END, 'bench' FROM n`,
  )
