import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { propertyRuns } from '../../../support/property-runs.ts'
import { withAccess } from '../../../support/worker/access.ts'
import { assertNothingLeaked } from '../../../support/worker/client-credentials.ts'
import { EventReader } from '../../../support/worker/legacy-server.ts'
import { withLogin } from '../../../support/worker/pages.ts'
import { withStream } from '../../../support/worker/signals.ts'
import { behaviour, inThisWorld } from '../../../support/worker/world.ts'
import { deckOf, nameOf, randomOf, type Way } from './channels.ts'
import { withAdministrator } from './console-ends.ts'
import { forgetTokens, type Person, type Plot } from './ends.ts'
import { callBody, openLane, ready, twoKeyNames, type Lane } from './lanes.ts'
import { recordsOf } from './records.ts'

inThisWorld()
withLogin()
withAccess()
withStream()

/** So many are open at once, each in a lane of its own. */
const OPEN = 24
/** When it is committed, counted from the opening. */
const WITHIN_MS = 2_500
const AT_MOST_MS = 2_000

const { numRuns, seed } = propertyRuns(env.PROPERTY_RUNS === 'full' ? 960 : 240, env)
const random = randomOf(seed)

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A call that is answered by a stream, or by one body; the stream of a session; a subscription. */
const HELD = ['call', 'body', 'session', 'subscription'] as const
type Held = (typeof HELD)[number]

/** What concerns a tool ends nothing that touches none. */
const OF_TOOLS = new Set(['consent_required', 'task_ended', 'signal_raised', 'login_outdated'])
const mayHold = ({ kind, code }: Way): readonly Held[] =>
  OF_TOOLS.has(code) || kind === 'tool' || kind.endsWith('task') ? HELD.slice(0, 2) : HELD

/** By number, of what has reached the upstream: when that side of it was cancelled. */
const cancelled = new Map<number, number | null>()

interface Asked {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly arguments?: { readonly call: number; readonly held: Held } }
}

const SECRET = { content: [{ type: 'text', text: 'SECRET' }] }

/** Answers handshakes, and holds everything else open for longer than anybody may wait. */
function holdingUpstream(): void {
  behaviour.upstream = async (request) => {
    const text = request.method === 'GET' ? '{}' : await request.text()
    const { id, method, params } = JSON.parse(text) as Asked
    if (method === 'initialize') {
      const result = { protocolVersion: LEGACY, capabilities: { tools: {} }, serverInfo: INFO }
      const headers = { 'mcp-session-id': `session-${id}` }
      return Response.json({ jsonrpc: '2.0', id, result }, { headers })
    }
    const session = request.headers.get('mcp-session-id')?.slice('session-'.length)
    const number = params?.arguments?.call ?? Number(request.method === 'GET' ? session : id)
    cancelled.set(number, null)
    const until = Date.now() + 10_000
    const isOver = () => cancelled.get(number) !== null || Date.now() > until
    const leave = (): void => {
      cancelled.set(number, cancelled.get(number) ?? Date.now())
    }
    request.signal.addEventListener('abort', leave)
    if (params?.arguments?.held !== 'body') return new Response(silent(isOver, leave), STREAM)
    while (!isOver()) await wait(20)
    return Response.json({ jsonrpc: '2.0', id, result: SECRET })
  }
}

const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'
const INFO = { name: 'holding', version: '1' }
const STREAM = { headers: { 'content-type': 'text/event-stream' } }

const silent = (isOver: () => boolean, leave: () => void): ReadableStream<Uint8Array> =>
  new ReadableStream(
    {
      pull: async (controller) => {
        while (!isOver()) await wait(20)
        controller.close()
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )

let numbers = 0

const subscription = (id: number): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'subscriptions/listen',
    params: {
      notifications: { toolsListChanged: true },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  })

const handshake = (id: number): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: { protocolVersion: LEGACY, capabilities: {}, clientInfo: INFO },
  })

/** Sent, with all that comes before it. Not the response itself, which may come only with the end. */
async function open(
  { shown }: Plot,
  held: Held,
  number: number,
): Promise<readonly [Promise<Response>]> {
  const post = (body: string, headers = {}) => ready(shown, 'POST', body, headers)
  switch (held) {
    case 'call':
    case 'body':
      return [(await post(callBody({ call: number, held })))()]
    case 'subscription': {
      const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' }
      return [(await post(subscription(number), headers))()]
    }
    case 'session': {
      const welcome = await (await post(handshake(number)))()
      const session = welcome.headers.get('mcp-session-id') ?? ''
      await welcome.text()
      const headers = { 'mcp-session-id': session, 'mcp-protocol-version': LEGACY }
      return [(await ready(shown, 'GET', '', headers))()]
    }
  }
}

/** Everything that the client is told, until the end. */
async function heard(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.includes('event-stream') !== true) {
    return response.text()
  }
  const events = new EventReader(response)
  let text = ''
  for (let next = await events.next(); next !== null; next = await events.next()) text += next
  return text
}

interface Ended {
  readonly way: Way
  readonly held: Held
  /** From the acknowledged commit until the client was told, and until the upstream was. */
  readonly clientMs: number
  readonly upstreamMs: number
  readonly faults: readonly string[]
}

async function play(way: Way, held: Held, person: Person): Promise<Ended> {
  const plot = await way.plot(person)
  numbers += 1
  const number = numbers
  const [opening] = await open(plot, held, number)
  await vi.waitFor(() => expect(cancelled.has(number)).toBe(true), { timeout: 5_000, interval: 20 })
  const told = opening.then(heard).then((text) => ({ text, at: Date.now() }))
  await wait(random() * WITHIN_MS)
  const began = Date.now()
  await plot.commit()
  const committed = Date.now()
  const { text, at } = await told
  const isCancelled = () => expect(cancelled.get(number)).not.toBeNull()
  await vi.waitFor(isCancelled, { timeout: 2 * AT_MOST_MS, interval: 5 })
  // It may be felt before whoever committed it hears that it is.
  const since = (ms: number): number => Math.max(0, ms - committed)
  await plot.lift()
  const isCall = held === 'call' || held === 'body'
  const faults = [
    ...(at >= began ? [] : ['ended before']),
    ...(text.includes('SECRET') ? ['told the result'] : []),
    ...(isCall && !text.includes('sallyport/refusal') ? [`said ${text}`] : []),
  ]
  const upstreamMs = since(cancelled.get(number) ?? Infinity)
  return { way, held, clientMs: since(at), upstreamMs, faults }
}

/**
 * What was let through was withheld, and is on record as that; besides handshakes, and what took so long
 * on a busy machine that it was decided again before it was sent.
 */
async function recordFault(person: Person, { held }: Ended): Promise<readonly string[]> {
  const came = (await recordsOf(person))
    .filter(({ decision, outcome }) => decision === 'allow' && outcome !== 'failed')
    .map(({ outcome }) => String(outcome))
    .toSorted()
    .join()
  const expected = held === 'session' ? 'committed,withheld' : 'withheld'
  return came === expected ? [] : [`on record is ${came}`]
}

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0

const summary = (times: readonly number[]): string =>
  `${times.length} times, p50 ${quantile(times, 0.5)}, p99 ${quantile(times, 0.99)}, most ${Math.max(...times)} ms`

describe('what is open when leave ends, by any kind of key and through any channel', () => {
  it('ends, is cancelled upstream, and is withheld', { timeout: 1_200_000 }, async () => {
    twoKeyNames()
    holdingUpstream()
    const lanes: Lane[] = []
    for (let n = 0; n < OPEN; n += 1) {
      const lane = await openLane(n)
      await withAdministrator(lane)
      lanes.push(lane)
    }
    const next = deckOf(random)
    const all: Ended[] = []
    const faults: string[] = []
    for (let wave = 0; all.length < numRuns; wave += 1) {
      const ended = await Promise.all(
        lanes.map(async (lane) => {
          const person = { lane, sub: `one-${wave}` }
          const way = next()
          const choice = mayHold(way)
          const held = choice[Math.floor(random() * choice.length)] ?? 'call'
          const one = await play(way, held, person)
          const wrong = [...one.faults, ...(await recordFault(person, one))]
          faults.push(...wrong.map((fault) => `${nameOf(way)}, ${held}: ${fault}`))
          return one
        }),
      )
      all.push(...ended)
      assertNothingLeaked()
      forgetTokens()
    }
    for (const held of HELD) {
      const of = all.filter((one) => one.held === held)
      console.log(`${held}: client ${summary(of.map(({ clientMs }) => clientMs))}`)
      console.log(`${held}: upstream ${summary(of.map(({ upstreamMs }) => upstreamMs))}`)
    }
    console.log(`all: client ${summary(all.map(({ clientMs }) => clientMs))}`)
    console.log(`all: upstream ${summary(all.map(({ upstreamMs }) => upstreamMs))}`)
    expect(faults).toEqual([])
    const late = all.filter((one) => Math.max(one.clientMs, one.upstreamMs) > AT_MOST_MS)
    expect(late.map(({ way, held, clientMs }) => [nameOf(way), held, clientMs])).toEqual([])
  })
})
