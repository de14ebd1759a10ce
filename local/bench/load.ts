import { Agent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http'

/** One kind of request, sent again and again over kept connections. */
export interface Target {
  readonly name: string
  readonly url: URL
  /** Each client may be somebody else. */
  headers(client: number): Readonly<Record<string, string>>
  readonly body: string
}

export interface Measurement {
  readonly name: string
  readonly clients: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly rps: number
}

interface Samples {
  readonly milliseconds: number[]
  seconds: number
}

/**
 * Measures all targets in turn, round by round, so that whatever else the machine does meets all of
 * them alike. What is reported is the ratio between them; the times are for scale.
 */
export async function measure(
  targets: readonly Target[],
  clients: number,
  rounds: number,
  callsPerRound: number,
): Promise<Measurement[]> {
  const samples = new Map(
    targets.map((target): [Target, Samples] => [target, { milliseconds: [], seconds: 0 }]),
  )
  for (const target of targets) await burst(target, clients, callsPerRound)
  for (let round = 0; round < rounds; round += 1) {
    for (const [target, taken] of samples) {
      const began = performance.now()
      taken.milliseconds.push(...(await burst(target, clients, callsPerRound)))
      taken.seconds += (performance.now() - began) / 1000
    }
  }
  return [...samples].map(([{ name }, { milliseconds, seconds }]) => {
    const sorted = milliseconds.toSorted((a, b) => a - b)
    return {
      name,
      clients,
      p50_ms: round(quantile(sorted, 0.5)),
      p99_ms: round(quantile(sorted, 0.99)),
      rps: Math.round(sorted.length / seconds),
    }
  })
}

/** Something is done before each burst, and only the calls after it are timed. */
export async function measureAfter(
  prepare: (target: Target) => Promise<unknown>,
  targets: readonly Target[],
  clients: number,
  rounds: number,
): Promise<Measurement[]> {
  const samples = new Map(targets.map((target): [Target, number[]] => [target, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [target, taken] of samples) {
      await prepare(target)
      taken.push(...(await burst(target, clients, clients)))
    }
  }
  return [...samples].map(([{ name }, taken]) => {
    const sorted = taken.toSorted((a, b) => a - b)
    const [p50_ms, p99_ms] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
    return { name, clients, p50_ms: round(p50_ms), p99_ms: round(p99_ms), rps: 0 }
  })
}

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN

const round = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000

async function burst(target: Target, clients: number, calls: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const times: number[] = []
  let left = calls
  const client = async (number: number): Promise<void> => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'content-length': Buffer.byteLength(target.body),
      ...target.headers(number),
    }
    while (left > 0) {
      left -= 1
      const began = performance.now()
      await send(target, agent, headers)
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  agent.destroy()
  return times
}

/** INVARIANT: a call that was not answered with 200 and a result ends the bench. */
function send(target: Target, agent: Agent, headers: OutgoingHttpHeaders): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent, headers }
    const request = httpRequest(target.url, options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (text += piece))
      response.on('end', () => {
        if (response.statusCode === 200 && text.includes('"done"')) resolve()
        else reject(new Error(`${target.name}: HTTP ${response.statusCode} ${text.slice(0, 300)}`))
      })
    })
    request.on('error', reject)
    request.end(target.body)
  })
}

const BATCHES = 21

/** Milliseconds for one of many in a row: a batch, less what an empty batch takes. */
export async function measureBatches(
  name: string,
  size: number,
  run: (times: number) => Promise<void>,
): Promise<Measurement> {
  const timed = async (times: number): Promise<number> => {
    const began = performance.now()
    await run(times)
    return performance.now() - began
  }
  await timed(size)
  const each: number[] = []
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const empty = await timed(0)
    each.push(((await timed(size)) - empty) / size)
  }
  const sorted = each.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  return {
    name,
    clients: 1,
    p50_ms: median,
    p99_ms: sorted[sorted.length - 1] ?? Number.NaN,
    rps: Math.round(1000 / median),
  }
}
