import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchCalls, type CallBench } from '../bench/calls.ts'
import { freePorts } from '../ports.ts'
import { LocalProblem } from '../problem.ts'
import { startStack, untilHealthy } from '../stack.ts'
import { command } from './command.ts'
import { stopSignal } from './signals.ts'

/** What can be measured; `policies` and `history` have no bench yet, and their ratios are null. */
const PARTS = ['calls', 'policies', 'history'] as const
type BenchPart = (typeof PARTS)[number]

await command(async () => {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
  })
  const only = partOf(values.only)
  const state = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  try {
    const stack = await startStack({ ports: await freePorts(), state, fresh: true })
    const told = stopSignal()
    try {
      await untilHealthy(stack)
      const measuring =
        only === null || only === 'calls' ? benchCalls(stack) : Promise.resolve(null)
      const measured = await Promise.race([measuring, told])
      if (measured === 'stop') throw new LocalProblem('interrupted')
      console.log(values.json ? JSON.stringify(report(measured)) : table(measured))
    } finally {
      await stack.stop()
    }
  } finally {
    await rm(state, { recursive: true, force: true })
  }
})

function partOf(text: string | undefined): BenchPart | null {
  if (text === undefined) return null
  const part = PARTS.find((one) => one === text)
  if (part === undefined) throw new LocalProblem(`--only takes one of ${PARTS.join(', ')}`)
  return part
}

function report(calls: CallBench | null) {
  return {
    rows: calls?.rows ?? [],
    ratios: {
      full_over_pass_p50: calls?.ratios.full_over_pass_p50 ?? null,
      full_over_pass_rps: calls?.ratios.full_over_pass_rps ?? null,
      pure_decision_us_10k: null,
      policies_10k_over_10: null,
      rules_500_over_5: null,
      history_100k_over_10: null,
    },
  }
}

function table(calls: CallBench | null): string {
  const { rows, ratios } = report(calls)
  const cells = [
    ['', 'clients', 'p50 ms', 'p99 ms', 'calls/s'],
    ...rows.map(({ name, clients, p50_ms, p99_ms, rps }) => [
      name,
      String(clients),
      p50_ms.toFixed(2),
      p99_ms.toFixed(2),
      String(rps),
    ]),
  ]
  const lines = cells.map(([name = '', ...numbers]) =>
    [name.padEnd(10), ...numbers.map((number) => number.padStart(9))].join(''),
  )
  const figures = Object.entries(ratios).map(
    ([name, value]) => `${name.padEnd(22)} ${value === null ? 'not measured' : value.toFixed(2)}`,
  )
  return [...lines, '', ...figures].join('\n')
}
