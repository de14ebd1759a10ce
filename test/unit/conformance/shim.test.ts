import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listen, type Listening } from '../../../local/conformance/listening.ts'
import { startShim, type Shim } from '../../../local/conformance/shim.ts'

interface Arrived {
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
}

let target: Listening
let arrived: Arrived[] = []
let gone = false

beforeAll(async () => {
  target = await listen((incoming, outgoing) => {
    arrived.push({ path: incoming.url, headers: incoming.headers })
    if (incoming.method !== 'GET') {
      outgoing.end(JSON.stringify({ ok: true }))
      return
    }
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    outgoing.on('close', () => (gone = true))
  })
})
afterAll(() => target.stop())

const addressOf = ({ port }: Listening) => new URL(`http://localhost:${port}/some/mcp`)

async function through<T>(token: string | undefined, use: (shim: Shim) => Promise<T>): Promise<T> {
  arrived = []
  const shim = await startShim(addressOf(target), token)
  try {
    return await use(shim)
  } finally {
    await shim.stop()
  }
}

const post = async ({ url }: Shim, headers: Record<string, string> = {}): Promise<string> => {
  const asked = request(url.replace('localhost', '127.0.0.1'), { method: 'POST', headers })
  const [answer] = (await once(asked.end('{}'), 'response')) as [IncomingMessage]
  return await text(answer)
}

describe('the shim before what the suite tests', () => {
  it('adds a token where it has one, and nothing where it has none', async () => {
    await through('t', (shim) => post(shim))
    expect(arrived[0]?.headers.authorization).toBe('Bearer t')
    await through(undefined, (shim) => post(shim))
    expect(arrived[0]?.headers.authorization).toBeUndefined()
  })

  it('names the target where it was named itself, and leaves every other host alone', async () => {
    const { host, origin } = addressOf(target)
    await through(undefined, async (shim) => {
      const own = `localhost:${shim.port}`
      await post(shim, { host: own, origin: `http://${own}` })
      await post(shim, { host: 'evil.example.com', origin: 'http://evil.example.com' })
    })
    expect(arrived).toMatchObject([
      { path: '/some/mcp', headers: { host, origin } },
      { headers: { host: 'evil.example.com', origin: 'http://evil.example.com' } },
    ])
  })

  it('passes on the head of a silent stream, and that the client has left', async () => {
    await through(undefined, async ({ url }) => {
      const left = new AbortController()
      const answer = await fetch(url, { signal: left.signal })
      expect(answer.headers.get('content-type')).toBe('text/event-stream')
      expect(gone).toBe(false)
      left.abort()
      await expect.poll(() => gone).toBe(true)
    })
  })
})
