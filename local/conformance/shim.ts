import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen, type Listening } from './listening.ts'
import { IPV4_LOOPBACK } from '../ports.ts'

export interface Shim extends Listening {
  /** What the suite is given as the server. */
  readonly url: string
}

/**
 * Stands before what is tested, because the suite can send no token. With one, it adds it to each
 * request; without one it does nothing but pass on, so that a run without Sallyport goes the same
 * way as a run through it.
 */
export async function startShim(target: URL, token?: string): Promise<Shim> {
  const listening = await listen((incoming, outgoing) => {
    passOn(incoming, outgoing, listening.port, target, token)
  })
  return { ...listening, url: `http://localhost:${listening.port}/mcp` }
}

function passOn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  ownPort: number,
  target: URL,
  token: string | undefined,
): void {
  const onward = request({
    host: target.hostname === 'localhost' ? IPV4_LOOPBACK : target.hostname,
    port: target.port,
    path: target.pathname,
    method: incoming.method ?? 'GET',
    headers: headersFor(incoming.rawHeaders, ownPort, target, token),
    agent: false,
  })
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    // Before the first event of a stream that may stay silent for long.
    outgoing.flushHeaders()
    answer.pipe(outgoing)
    answer.on('error', () => outgoing.destroy())
  })
  onward.on('error', () => outgoing.destroy())
  // Who leaves in the middle leaves the other side as well: in 2026-07-28 that is how to cancel.
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) onward.destroy()
  })
  incoming.pipe(onward)
}

/**
 * As they came, doubled ones and foreign hosts included, but for the two that name this shim: they
 * name the target instead, as a client's own would.
 */
function headersFor(
  raw: readonly string[],
  ownPort: number,
  target: URL,
  token: string | undefined,
): string[] {
  const own = new Set(['localhost', IPV4_LOOPBACK].map((host) => `${host}:${ownPort}`))
  const headers: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = raw.slice(at, at + 2)
    headers.push(name, renamed(name.toLowerCase(), value, own, target))
  }
  if (token !== undefined) headers.push('authorization', `Bearer ${token}`)
  return headers
}

function renamed(name: string, value: string, own: ReadonlySet<string>, target: URL): string {
  if (name === 'host' && own.has(value)) return target.host
  if (name === 'origin' && own.has(value.replace('http://', ''))) return target.origin
  return value
}
