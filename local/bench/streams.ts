import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { IPV4_LOOPBACK } from '../ports.ts'
import type { Stack } from '../stack.ts'
import type { Measurement } from './load.ts'
import { residentMegabytes } from './memory.ts'

export interface StreamBench {
  readonly rows: readonly Measurement[]
  readonly ratios: {
    /** What Sallyport adds until the first event of a stream is there. */
    readonly stream_first_byte_added_ms: number
    /** How much more memory its process holds at most while 100 MB go through it. */
    readonly stream_100mb_memory_mb: number
  }
}

const EVENT_BYTES = 64 * 1024
const STREAMED_BYTES = 100 * 1024 * 1024
const EVENTS = STREAMED_BYTES / EVENT_BYTES
const FIRST_BYTES = 200

/** Streams through Sallyport beside the same streams without it. */
export async function benchStreams(stack: Stack): Promise<StreamBench> {
  const upstream = await startUpstream()
  const { port } = upstream.address() as AddressInfo
  const direct: Endpoint = { url: new URL(`http://${IPV4_LOOPBACK}:${port}/mcp`), token: '' }
  try {
    const token = await prepare(stack, direct.url.href)
    const url = new URL('/streams/mcp', stack.sallyport.replace('localhost', IPV4_LOOPBACK))
    const through: Endpoint = { url, token }
    const [directly, added] = await firstBytes(direct, through)
    const [whole, memory] = await hundredMegabytes(through)
    return {
      rows: [directly, added, whole],
      ratios: {
        stream_first_byte_added_ms: round(added.p50_ms - directly.p50_ms),
        stream_100mb_memory_mb: round(memory),
      },
    }
  } finally {
    upstream.closeAllConnections()
    await new Promise((resolve) => upstream.close(resolve))
  }
}

interface Endpoint {
  readonly url: URL
  readonly token: string
}

/** In turn, so that whatever else the machine does meets both alike. */
async function firstBytes(
  direct: Endpoint,
  through: Endpoint,
): Promise<[Measurement, Measurement]> {
  const times: [number[], number[]] = [[], []]
  for (let call = 0; call < FIRST_BYTES + 20; call += 1) {
    for (const [at, endpoint] of [direct, through].entries()) {
      const began = performance.now()
      const response = await open(endpoint, 'first')
      await new Promise((resolve) => response.once('data', resolve))
      if (call >= 20) times[at]?.push(performance.now() - began)
      await ended(response)
    }
  }
  return [summary('first event, direct', times[0]), summary('first event', times[1])]
}

/** How long they take, and what the process of Sallyport holds more than before, at most. */
async function hundredMegabytes(through: Endpoint): Promise<[Measurement, number]> {
  // Once before: what is loaded and compiled the first time is no part of it.
  await ended(await open(through, 'many'))
  const before = await residentMegabytes('workerd')
  let most = before
  const sampling = setInterval(() => {
    void residentMegabytes('workerd').then((now) => {
      most = Math.max(most, now)
    })
  }, 50)
  const began = performance.now()
  const response = await open(through, 'many')
  const bytes = await ended(response)
  clearInterval(sampling)
  if (bytes < STREAMED_BYTES) throw new Error(`${bytes} bytes came through`)
  return [summary('100 MB', [performance.now() - began]), most - before]
}

/** A call that is answered by a stream; `kind` says which. */
function open({ url, token }: Endpoint, kind: string): Promise<IncomingMessage> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'work', arguments: { kind } },
  })
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
  }
  return new Promise((resolve, reject) => {
    const asking = httpRequest(url, { method: 'POST', headers }, (response) => {
      if (response.statusCode === 200) resolve(response)
      else reject(new Error(`HTTP ${response.statusCode}`))
    })
    asking.once('error', reject)
    asking.end(body)
  })
}

async function ended(response: IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).byteLength
  return bytes
}

/** Answers with a stream: one event and the answer, or a hundred megabytes of events. */
async function startUpstream(): Promise<Server> {
  const answer = 'data: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n\n'
  const notice = (data: string) =>
    `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${data}"}}\n\n`
  const large = notice('x'.repeat(EVENT_BYTES))
  const server = createServer((request, response) => {
    void (async () => {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      // Nothing is shown to this server, and a client's token least of all.
      if (request.headers.authorization !== undefined) return void response.writeHead(401).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      if (text.includes('"first"')) response.end(notice('hi') + answer)
      if (!text.includes('"many"')) return
      for (let event = 0; event < EVENTS; event += 1) {
        if (!response.write(large)) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end(answer)
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, IPV4_LOOPBACK, resolve))
  return server
}

/** A server, one tool, one policy, and a person's token. */
async function prepare(stack: Stack, upstream: string): Promise<string> {
  await stack.query('UPDATE tenants SET actor_calls_per_minute = 1000000000')
  for (const statement of [
    `INSERT INTO servers (name, tenant, url, internal) VALUES ('streams', 'acme', '${upstream}', 1)`,
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'streams', 'work', 'write', 1)`,
    `INSERT INTO policies (tenant, id, effect, client, server) VALUES ('acme', 'streams', 'allow', 'acme-agent', 'streams')`,
  ]) {
    await stack.query(statement)
  }
  return stack.token({ sub: 'stream-0', client: 'acme-agent', server: 'streams' })
}

function summary(name: string, times: readonly number[]): Measurement {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
  const seconds = times.reduce((sum, one) => sum + one, 0) / 1000
  return {
    name,
    clients: 1,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    rps: Math.round(times.length / seconds),
  }
}

const round = (value: number): number => Math.round(value * 100) / 100
