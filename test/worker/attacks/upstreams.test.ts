import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import {
  behaviour,
  call,
  inThisWorld,
  newUser,
  post,
  seen,
  sessionKey,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'
const encoder = new TextEncoder()

const stream = (...chunks: (string | Uint8Array)[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
      }
      controller.close()
    },
  })

const events = (...chunks: (string | Uint8Array)[]) => {
  behaviour.upstream = () =>
    new Response(stream(...chunks), { headers: { 'content-type': 'text/event-stream' } })
}

const json = (body: BodyInit, init: ResponseInit = {}) => {
  behaviour.upstream = () =>
    new Response(body, {
      ...init,
      headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
    })
}

const result = (id: unknown) => ({
  jsonrpc: '2.0',
  id,
  result: { content: [{ type: 'text', text: SECRET }] },
})

const event = (message: unknown): string => `data: ${JSON.stringify(message)}\n\n`

const ask = async () => {
  const sub = await newUser()
  // Always the same id, so that what is refused is refused for what its title says.
  const id = 1
  const body = JSON.stringify({ ...(JSON.parse(toolCall('note')) as object), id })
  const response = await post(body, { token: await token({ sub }) })
  return {
    sub,
    id,
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  }
}

const stateOf = async (sub: string): Promise<unknown[]> =>
  runInDurableObject(
    env.SESSIONS.getByName(await sessionKey(sub)),
    async (session, { storage }) => {
      await session.alarm()
      return storage.sql.exec('SELECT state FROM events').toArray()
    },
  )

const settledAs = (sub: string, state: string) =>
  vi.waitFor(async () => expect(await stateOf(sub)).toEqual([{ state }]), 3_000)

describe('what an upstream sends in a stream is passed on only if it is read', () => {
  it.each<[string, (string | Uint8Array)[]]>([
    ['an answer to another request', [event(result(987_654))]],
    ['an answer to the same number as text', [event(result('1'))]],
    [
      'a question to the client',
      [event({ jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: { SECRET } })],
    ],
    [
      'two members of one name',
      [`data: {"jsonrpc":"2.0","id":2,"id":1,"result":{"a":"${SECRET}"}}\n\n`],
    ],
    ['no JSON', [`data: ${SECRET}\n\n`]],
    ['an answer that is cut off', [`data: {"jsonrpc":"2.0","id":1,"result":{"a":"${SECRET}`]],
    ['bytes that are not UTF-8', [Uint8Array.of(0x64, 0x61, 0xff), event(result(1))]],
    ['nothing', []],
    ['a batch', [`data: [{"jsonrpc":"2.0","id":1,"result":{"a":"${SECRET}"}}]\n\n`]],
    [
      'a listing that changed',
      [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { SECRET } })],
    ],
  ])('%s: withheld, and counted as done', async (_, chunks) => {
    events(...chunks)
    const { sub, status, text } = await ask()
    expect(status).toBe(200)
    expect(text).not.toContain(SECRET)
    expect(text).toContain('"code":50201')
    await settledAs(sub, 'withheld')
  })

  it('nothing that comes after the answer is passed on', async () => {
    behaviour.upstream = async (request) => {
      const { id } = JSON.parse(await request.text()) as { id: number }
      const answer = event({ jsonrpc: '2.0', id, result: {} })
      return new Response(stream(answer + event(result(id)), event(result(id))), {
        headers: { 'content-type': 'text/event-stream' },
      })
    }
    const { sub, text } = await ask()
    expect(text).not.toContain(SECRET)
    await settledAs(sub, 'committed')
  })

  it('an event that never ends is held no longer than its limit', async () => {
    let pulled = 0
    behaviour.upstream = () => {
      const chunk = new Uint8Array(256 * 1024).fill(0x61)
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled += 1
          controller.enqueue(pulled === 1 ? encoder.encode('data: ') : chunk)
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const { sub } = await ask()
    expect(pulled).toBeLessThan(30)
    await settledAs(sub, 'withheld')
  })

  it('a stream that breaks ends with an error, not with silence', async () => {
    behaviour.upstream = () => {
      let first = true
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (first) controller.enqueue(encoder.encode(': hello\n\n'))
          else controller.error(new Error(SECRET))
          first = false
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const { sub, text } = await ask()
    expect(text).toContain('"code":50201')
    expect(text).not.toContain(SECRET)
    await settledAs(sub, 'withheld')
  })
})

describe('what an upstream sends beside its messages', () => {
  // An id does pass: it is sealed and sent back, and a client shows it to nobody.
  it.each([`: ${SECRET}`, `id: ${SECRET} x`, `event: ${SECRET}`, `retry: 1\n${SECRET}: x`])(
    '%j is not passed on unread',
    async (line) => {
      behaviour.upstream = async (request) => {
        const { id } = JSON.parse(await request.text()) as { id: number }
        const text = `${line}\n\n${event({ jsonrpc: '2.0', id, result: {} })}`
        return new Response(stream(text), { headers: { 'content-type': 'text/event-stream' } })
      }
      expect((await ask()).text).not.toContain(SECRET)
    },
  )
})

describe('what an upstream sends in a body', () => {
  it.each<[string, BodyInit, ResponseInit]>([
    ['another id', JSON.stringify(result(987_654)), {}],
    ['a page', `<html>${SECRET}`, { headers: { 'content-type': 'text/html' } }],
    ['no type', encoder.encode(SECRET), { headers: { 'content-type': '' } }],
    ['a redirect', SECRET, { status: 307, headers: { location: 'https://evil.example' } }],
    ['a challenge', SECRET, { status: 401, headers: { 'www-authenticate': 'Bearer realm="x"' } }],
    ['a refusal', JSON.stringify(result(1)), { status: 403 }],
    [
      'a notification',
      '{"jsonrpc":"2.0","method":"notifications/message","params":{"a":"what-must-not-pass"}}',
      {},
    ],
    ['bytes that are not UTF-8', Uint8Array.of(0xff, 0xfe), {}],
    [
      'a stream with an error status',
      event(result(1)),
      { status: 500, headers: { 'content-type': 'text/event-stream' } },
    ],
  ])('%s is not passed on', async (_, body, init) => {
    json(body, init)
    const { text, status, headers } = await ask()
    expect(status).toBe(502)
    expect(text).not.toContain(SECRET)
    expect(headers.get('location')).toBeNull()
    expect(headers.get('www-authenticate')).toBeNull()
  })

  it('headers of the upstream do not reach the client', async () => {
    behaviour.upstream = async (request) => {
      const { id } = JSON.parse(await request.text()) as { id: number }
      const headers = {
        'set-cookie': 'a=b',
        'mcp-session-id': 's',
        'access-control-allow-origin': '*',
      }
      return Response.json({ jsonrpc: '2.0', id, result: {} }, { headers })
    }
    const { headers } = await ask()
    expect(headers.get('set-cookie')).toBeNull()
    expect(headers.get('mcp-session-id')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('a failed connection is told without its reason, and counts without being known to be done', async () => {
    behaviour.upstream = () => {
      throw new TypeError(`connect ECONNREFUSED ${SECRET}`)
    }
    const { sub, text } = await ask()
    expect(text).not.toContain(SECRET)
    expect(seen).toHaveLength(1)
    await settledAs(sub, 'withheld')
  })

  it('a cancellation is no way to free the budget of somebody else', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    for (let n = 0; n < 10; n += 1) await call('delete_one', { token: bearer, args: { n } })
    const cancel = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'
    expect((await post(cancel, { token: bearer })).status).toBe(202)
    expect((await call('delete_one', { token: bearer })).code).toBe('denied_by_sequence')
    expect(seen.some(({ body }) => body.includes('cancelled'))).toBe(false)
  })
})
