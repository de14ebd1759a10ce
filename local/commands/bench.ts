import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchCalls } from '../bench/calls.ts'
import { benchCredentials } from '../bench/credentials.ts'
import type { Measurement } from '../bench/load.ts'
import { benchHistory } from '../bench/history.ts'
import { benchPolicies } from '../bench/policies.ts'
import { benchRevocations } from '../bench/revocations.ts'
import { benchStreams } from '../bench/streams.ts'
import { freePorts } from '../ports.ts'
import { LocalProblem } from '../problem.ts'
import { startStack, untilHealthy, type Stack } from '../stack.ts'
import { command } from './command.ts'
import { stopSignal } from './signals.ts'

/** What can be measured, each by itself with `--only`; a ratio that was not measured is null. */
const PARTS = ['calls', 'credentials', 'policies', 'history', 'streams', 'revocations'] as const
type BenchPart = (typeof PARTS)[number]

interface Measured {
  readonly rows: readonly Measurement[]
  readonly ratios: Readonly<Partial<Record<Ratio, number>>>
}

const RATIOS = [
  'full_over_pass_p50',
  'full_over_pass_rps',
  'door_one_es256_us',
  'door_one_dpop_us',
  'signing_us',
  'pure_decision_us_10k',
  'policies_10k_over_10',
  'rules_500_over_5',
  'history_100k_over_10',
  'stream_first_byte_added_ms',
  'stream_100mb_memory_mb',
  'revoked_over_p99_ms',
  'revoked_over_most_ms',
] as const
type Ratio = (typeof RATIOS)[number]

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
      const measured = await Promise.race([measureParts(stack, only), told])
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

/** One after the other: they would measure each other. */
async function measureParts(stack: Stack, only: BenchPart | null): Promise<Measured> {
  const wanted = (part: BenchPart): boolean => only === null || only === part
  const measured: Measured[] = []
  if (wanted('calls')) measured.push(await benchCalls(stack))
  if (wanted('credentials')) measured.push(await benchCredentials())
  if (wanted('policies')) measured.push(await benchPolicies(stack))
  if (wanted('history')) measured.push(await benchHistory(stack))
  if (wanted('streams')) measured.push(await benchStreams(stack))
  if (wanted('revocations')) measured.push(await benchRevocations(stack))
  return {
    rows: measured.flatMap(({ rows }) => rows),
    ratios: Object.assign({}, ...measured.map(({ ratios }) => ratios)) as Measured['ratios'],
  }
}

function report({ rows, ratios }: Measured) {
  return {
    rows,
    ratios: Object.fromEntries(RATIOS.map((name) => [name, ratios[name] ?? null])),
  }
}

function table(measured: Measured): string {
  const { rows, ratios } = report(measured)
  const cells = [
    ['', 'clients', 'p50 ms', 'p99 ms', 'per second'],
    ...rows.map(({ name, clients, p50_ms, p99_ms, rps }) => [
      name,
      String(clients),
      p50_ms.toPrecision(3),
      p99_ms.toPrecision(3),
      String(rps),
    ]),
  ]
  const lines = cells.map(([name = '', ...numbers]) =>
    [name.padEnd(16), ...numbers.map((number) => number.padStart(11))].join(''),
  )
  const figures = Object.entries(ratios).map(
    ([name, value]) => `${name.padEnd(22)} ${value === null ? 'not measured' : value.toFixed(2)}`,
  )
  return [...lines, '', ...figures].join('\n')
}
