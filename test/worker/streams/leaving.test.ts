import { describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  idOf,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { logOf } from '../../support/worker/log.ts'
import { inThisWorld, newUser, post, token } from '../../support/worker/world.ts'
import { toolCall } from '../../support/worker/world.ts'

inThisWorld()

const MODERN = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

const modernCall = (bearer: string) =>
  post(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'note', arguments: {}, _meta: MODERN },
    }),
    {
      token: bearer,
      headers: {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'note',
      },
    },
  )

const settled = async (sub: string) =>
  vi.waitFor(async () => {
    const call = (await logOf(sub)).find(({ tool }) => tool === 'note')
    expect(call?.outcome).not.toBeNull()
    return { outcome: call?.outcome, detail: call?.detail }
  })

describe('a client that leaves a call', () => {
  it('has cancelled it, in 2026-07-28', async () => {
    const server = new LegacyServer()
    server.keepsSessions = false
    const sub = await newUser()
    const events = new EventReader(await modernCall(await token({ sub })))
    const [stream] = server.streams
    stream!.send({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'x' },
    })
    await events.message()
    await events.leave()
    await vi.waitFor(() => expect(stream!.isCancelled).toBe(true))
    expect(await settled(sub)).toEqual({ outcome: 'committed', detail: 'the client left' })
  })

  it('has not cancelled it before: what it comes to is recorded', async () => {
    const server = new LegacyServer()
    const sub = await newUser()
    const client = await initialized(sub)
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    stream!.send({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'x' },
    })
    await events.message()
    await events.leave()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(stream!.isCancelled).toBe(false)
    stream!.answer({ content: [] })
    expect(await settled(sub)).toEqual({ outcome: 'committed', detail: 'the client left' })
  })

  it('can come back for what it missed', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    stream!.raw('id: 1\ndata:\n\n')
    const id = idOf(await events.next()) ?? ''
    await events.leave()
    // Stored in the background, as nobody waits for it.
    await new Promise((resolve) => setTimeout(resolve, 100))
    const result = { content: [{ type: 'text', text: 'done' }] }
    stream!.answer(result)
    const again = new EventReader(await listen(client, { 'last-event-id': id }))
    const { id: call } = stream!.request.message!
    server.streams.at(-1)!.send({ jsonrpc: '2.0', id: call, result }, '2')
    expect(await again.message()).toMatchObject({ id: call, result })
    await again.leave()
  })
})

describe('a stream that is silent', () => {
  it('is kept alive by comments', { timeout: 15_000 }, async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const response = await listen(client)
    const reader = response.body!.getReader()
    const { value } = await reader.read()
    expect(new TextDecoder().decode(value)).toBe(': ka\n\n')
    await reader.cancel()
    await vi.waitFor(() => expect(server.streams[0]!.isCancelled).toBe(true))
  })
})

describe('a client that does not read', () => {
  it('is not sent more than it reads, and neither is Sallyport', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const response = await listen(client)
    const stream = server.streams[0]!
    for (let n = 0; n < 500; n += 1) {
      stream.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(stream.unread).toBeGreaterThan(450)
    await response.body!.cancel()
  })
})
