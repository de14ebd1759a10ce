// `node test/support/sequence/cost.ts`: what one judgement costs under 500 rules, by length of history.
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'
import { ruleRow, TrialSession, valueOf } from './steps.ts'

const KINDS = 50
const label = (kind: 'source' | 'sink', n: number): string => `${kind}.l${n % KINDS}`

/** All types that read a history, on 50 triggers; each call is asked about by ten of them. */
function manyRules(count: number): SequenceRuleRow[] {
  const types: Partial<SequenceRuleRow>[] = [
    { type: 'temporal', timespanSeconds: 1800 },
    { type: 'temporal_ordered', timespanSeconds: 3600 },
    { type: 'event_count', timespanSeconds: 600, condition: '{"gt":60}' },
    { type: 'value_count', timespanSeconds: 3600, field: 'target', condition: '{"gt":250}' },
    { type: 'value_sum', timespanSeconds: 86_400, field: 'amount', condition: '{"gt":1e12}' },
    { type: 'absence', groupBy: '["resource"]', timespanSeconds: 900 },
  ]
  return Array.from({ length: count }, (_, n) => {
    const type = types[n % types.length] ?? {}
    const two = type.type === 'temporal' || type.type === 'temporal_ordered'
    const looked = two ? [label('source', n), label('source', n + 7)] : [label('source', n)]
    return ruleRow({
      ...type,
      id: `r${n}`,
      onLabel: label('sink', n),
      rules: JSON.stringify(looked),
    })
  })
}

const median = (times: number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0

for (const length of [10, 1_000, 100_000]) {
  const session = new TrialSession(manyRules(500))
  const call = (n: number, at: number) =>
    session.step([label('source', n), label('sink', n)], at, {
      values: [
        valueOf('target', `v${n % 40}`),
        valueOf('resource', `r${n % 300}`),
        valueOf('amount', '3'),
      ],
    })
  const grants: number[] = []
  for (let n = 0; n < length; n += 1) {
    const step = call(n, 1_000_000 + n)
    const from = performance.now()
    session.end(session.admit(step))
    grants.push((performance.now() - from) * 1000)
  }
  const steps = Array.from({ length: KINDS }, (_, n) => call(n, 1_000_000 + length))
  const judged: number[] = []
  for (let round = 0; round < 2_000; round += 1) {
    const from = performance.now()
    for (const step of steps) session.judge(step)
    judged.push(((performance.now() - from) * 1000) / steps.length)
  }
  console.log(
    `${length} events: judge ${median(judged).toFixed(2)} µs, remember and end ${median(grants.slice(-2_000)).toFixed(1)} µs`,
  )
}
