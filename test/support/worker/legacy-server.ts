import { behaviour, post, token, type CallOptions } from './world.ts'

/**
 * A legacy server with sessions, which writes down all it sees, and whose streams a test writes by hand.
 */

export interface SeenRequest {
  readonly method: string
  readonly session: string | null
  readonly lastEventId: string | null
  readonly authorization: string | null
  readonly body: string
  readonly signal: AbortSignal
  readonly message: Message | null
}

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: unknown
  readonly error?: unknown
}

const opened: ServerStream[] = []

/** Whatever a test leaves open would keep its Worker waiting: a legacy call goes on without its client. */
export function endStreams(): void {
  for (const stream of opened.splice(0)) stream.end()
}

/**
 * One open stream of the server, to be written by a test. Whoever reads it asks again and again: a promise
 * of one request cannot be kept by another in workerd.
 */
export class ServerStream {
  readonly request: SeenRequest
  readonly response: Response
  /** Whoever read it has gone. */
  isCancelled = false
  readonly #waiting: string[] = []
  #hasEnded = false

  constructor(request: SeenRequest) {
    this.request = request
    opened.push(this)
    const encoder = new TextEncoder()
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          for (;;) {
            const next = this.#waiting.shift()
            if (next !== undefined) return controller.enqueue(encoder.encode(next))
            if (this.#hasEnded) return controller.close()
            if (this.isCancelled) return controller.error(new Error('aborted'))
            await new Promise((resolve) => setTimeout(resolve, 2))
          }
        },
        cancel: () => {
          this.isCancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    this.response = new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    request.signal.addEventListener('abort', () => {
      this.isCancelled = true
    })
  }

  /** How much of what was written nobody has asked for. */
  get unread(): number {
    return this.#waiting.length
  }

  raw(text: string): void {
    this.#waiting.push(text)
  }

  send(message: unknown, id?: string): void {
    this.raw(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`)
  }

  /** The answer to what this stream is about. */
  answer(result: unknown, id?: string): void {
    this.send({ jsonrpc: '2.0', id: this.request.message?.id, result }, id)
  }

  end(): void {
    this.#hasEnded = true
  }
}

export class LegacyServer {
  readonly seen: SeenRequest[] = []
  readonly streams: ServerStream[] = []
  readonly sessions = new Set<string>()
  /** Which POSTs are answered by a stream that the test writes. */
  streaming: (message: Message) => boolean = ({ method }) => method === 'tools/call'
  keepsSessions = true
  offersStream = true
  #last = 0

  constructor() {
    behaviour.upstream = (request) => this.#serve(request)
  }

  async #serve(request: Request): Promise<Response> {
    const text = request.method === 'POST' ? await request.text() : ''
    const seen: SeenRequest = {
      method: request.method,
      session: request.headers.get('mcp-session-id'),
      lastEventId: request.headers.get('last-event-id'),
      authorization: request.headers.get('authorization'),
      body: text,
      signal: request.signal,
      message: text === '' ? null : (JSON.parse(text) as Message),
    }
    this.seen.push(seen)
    if (seen.message?.method === 'initialize') return this.#welcome(seen.message)
    if (this.keepsSessions && seen.session === null) return error(400, 'no session')
    if (this.keepsSessions && !this.sessions.has(seen.session ?? '')) return error(404, 'gone')
    switch (request.method) {
      case 'GET':
        return this.offersStream ? this.#stream(seen) : new Response(null, { status: 405 })
      case 'DELETE':
        this.sessions.delete(seen.session ?? '')
        return new Response(null, { status: 200 })
      default:
        return this.#message(seen)
    }
  }

  #welcome({ id }: Message): Response {
    this.#last += 1
    const session = `upstream-${this.#last}`
    this.sessions.add(session)
    const headers = new Headers(this.keepsSessions ? { 'mcp-session-id': session } : {})
    const serverInfo = { name: 'crm', version: '1' }
    const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
    return Response.json({ jsonrpc: '2.0', id, result }, { headers })
  }

  #message(seen: SeenRequest): Response {
    const { message } = seen
    if (message === null || message.id === undefined || message.method === undefined) {
      return new Response(null, { status: 202 })
    }
    if (this.streaming(message)) return this.#stream(seen)
    return Response.json({ jsonrpc: '2.0', id: message.id, result: { content: [] } })
  }

  #stream(seen: SeenRequest): Response {
    const stream = new ServerStream(seen)
    this.streams.push(stream)
    return stream.response
  }
}

const error = (status: number, message: string) =>
  Response.json({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }, { status })

/** A client of the legacy era, after its handshake. */
export interface LegacyClient {
  readonly id: string | null
  readonly token: string
  /** Goes with each request of the session. */
  readonly headers: Record<string, string>
}

export async function initialized(
  sub: string,
  capabilities: unknown = {},
  options: { readonly client?: string; readonly token?: string } = {},
): Promise<LegacyClient> {
  const { client = 'acme-agent' } = options
  const bearer = options.token ?? (await token({ sub, client }))
  const params = {
    protocolVersion: '2025-11-25',
    capabilities,
    clientInfo: { name: 'c', version: '1' },
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  const response = await post(body, { token: bearer })
  const id = response.headers.get('mcp-session-id')
  await response.text()
  const headers: Record<string, string> = id === null ? {} : { 'mcp-session-id': id }
  return { id, token: bearer, headers: { ...headers, 'mcp-protocol-version': '2025-11-25' } }
}

export const within = (
  client: LegacyClient,
  body: string,
  options: CallOptions = {},
): Promise<Response> =>
  post(body, {
    token: client.token,
    ...options,
    headers: { ...client.headers, ...options.headers },
  })

export const listen = (client: LegacyClient, headers: Record<string, string> = {}) =>
  within(client, '', { method: 'GET', headers: { accept: 'text/event-stream', ...headers } })

/** Reads a stream of ours, event by event. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #held = ''

  constructor(response: Response) {
    this.#reader = response.body!.getReader()
  }

  /** The text of the next event or comment; null at the end. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#held.indexOf('\n\n')
      if (end >= 0) {
        const event = this.#held.slice(0, end)
        this.#held = this.#held.slice(end + 2)
        if (event !== ': ka') return event
        continue
      }
      const { done, value } = await this.#reader.read()
      if (done) return null
      this.#held += this.#decoder.decode(value, { stream: true })
    }
  }

  /** The message of the next event that has one. */
  async message(): Promise<Record<string, unknown> | null> {
    for (;;) {
      const event = await this.next()
      if (event === null) return null
      const data = event
        .split('\n')
        .flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
      if (data.join('') !== '') return JSON.parse(data.join('\n')) as Record<string, unknown>
    }
  }

  leave(): Promise<void> {
    return this.#reader.cancel()
  }
}

/** The id that a client would keep of an event. */
export const idOf = (event: string | null): string | null =>
  /^id: (.*)$/m.exec(event ?? '')?.[1] ?? null
