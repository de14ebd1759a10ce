import { Miniflare, convertV4MiniflareOptions } from 'miniflare'
import { join } from 'node:path'
import { localBundle } from '../bundle.ts'
import { IPV4_LOOPBACK, freePorts } from '../ports.ts'
import { PROJECT } from '../state.ts'
import type { Measurement } from './load.ts'

export interface SessionBench {
  readonly rows: readonly Measurement[]
  readonly ratios: { readonly history_100k_over_10: number }
}

const LENGTHS = [10, 1_000, 10_000, 100_000]
const ROUNDS = 40
/** Of one round, in each session: the histories stay as long as they are said to be, more or less. */
const CALLS = 25
const SUSTAINED = 4_000
const AT_ONCE = 16

/**
 * The session step in workerd (the call to the object, 500 rules, the durable write) with histories of
 * four lengths. A shortest history of 10 would outgrow its name while it is measured, so each round of
 * it has a session of its own.
 */
export async function benchSession(): Promise<SessionBench> {
  const { server: port } = await freePorts()
  const options = convertV4MiniflareOptions({
    workers: [
      {
        name: 'session',
        modules: true,
        script: await localBundle(join(PROJECT, 'local/bench/workers/session.ts')),
        compatibilityDate: '2026-10-01',
        durableObjects: { SESSIONS: { className: 'BenchSession', useSQLite: true } },
        unsafeDirectSockets: [{ host: IPV4_LOOPBACK, port }],
      },
    ],
    host: IPV4_LOOPBACK,
    port: 0,
    cf: false,
  })
  const workerd = new Miniflare(options)
  try {
    await workerd.ready
    const ask = async (query: string): Promise<number> => {
      const began = performance.now()
      const response = await fetch(`http://${IPV4_LOOPBACK}:${port}/${query}`)
      const said = await response.text()
      if (response.status !== 200) throw new Error(`the bench failed: ${said.slice(0, 300)}`)
      return performance.now() - began
    }
    return await measureSessions(ask)
  } finally {
    await workerd.dispose()
  }
}

async function measureSessions(ask: (query: string) => Promise<number>): Promise<SessionBench> {
  for (const length of LENGTHS.slice(1)) {
    await ask(`?session=${length}&calls=${length}&clients=${AT_ONCE}`)
  }
  const times = new Map(LENGTHS.map((length): [number, number[]] => [length, []]))
  for (let round = 0; round < ROUNDS; round += 1) {
    const [shortest] = LENGTHS
    await ask(`?session=short-${round}&calls=${shortest}`)
    for (const [length, taken] of times) {
      const session = length === shortest ? `short-${round}` : String(length)
      // Together, so that the way to the bench itself is a small part of it.
      taken.push((await ask(`?session=${session}&calls=${CALLS}`)) / CALLS)
    }
  }
  const rows = [...times].map(([length, taken]) => {
    const sorted = taken.toSorted((a, b) => a - b)
    const [p50_ms, p99_ms] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
    return { name: `session step, ${length} calls`, clients: 1, p50_ms, p99_ms, rps: 0 }
  })
  const rows16 = await sustained(ask)
  const told: Measurement[] = []
  for (const length of LENGTHS.slice(2)) {
    const name = `told anew, ${length} calls`
    const p50_ms = round(await ask(`retell?session=${length}`))
    told.push({ name, clients: 1, p50_ms, p99_ms: 0, rps: 0 })
  }
  const [shortest, , , longest] = rows.map(({ p50_ms }) => p50_ms)
  const ratio = (longest ?? Number.NaN) / (shortest ?? Number.NaN)
  return {
    rows: [...rows, rows16, ...told, ...(await evaluations(ask))],
    ratios: { history_100k_over_10: round(ratio) },
  }
}

/** How many calls a second one session takes in. */
async function sustained(ask: (query: string) => Promise<number>): Promise<Measurement> {
  const taken = await ask(`?session=10000&calls=${SUSTAINED}&clients=${AT_ONCE}`)
  const rps = Math.round(SUSTAINED / (taken / 1000))
  return { name: 'one session', clients: AT_ONCE, p50_ms: 0, p99_ms: 0, rps }
}

/** The rules alone, in microseconds, told as thousandths of a millisecond. */
async function evaluations(ask: (query: string) => Promise<number>): Promise<Measurement[]> {
  const rows: Measurement[] = []
  for (const length of LENGTHS) {
    for (const on of [ON_ONE_LABEL, 500]) {
      const query = `evaluate?length=${length}&on=${on}`
      const without = await ask(`${query}&calls=0`)
      const taken = await ask(`${query}&calls=${EVALUATIONS}`)
      const each = (taken - without) / EVALUATIONS
      const name = `500 rules, ${on} on the label, ${length} calls`
      rows.push({ name, clients: 1, p50_ms: each, p99_ms: 0, rps: 0 })
    }
  }
  return rows
}
const EVALUATIONS = 20_000
/** As in a deployment: the others wait for labels that this call does not carry. */
const ON_ONE_LABEL = 20

const quantile = (sorted: readonly number[], part: number): number =>
  round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN)

const round = (number: number): number => Math.round(number * 1000) / 1000
