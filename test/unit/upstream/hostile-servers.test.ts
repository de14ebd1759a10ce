import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  event,
  JSON_TYPE,
  list,
  modern,
  namesOf,
  pages,
  result,
  send,
  serve,
  type Asked,
  type Handler,
} from './small-server.ts'

const tools =
  (...members: unknown[]): Handler =>
  (asked, response) =>
    result(response, asked, { tools: members })
const raw =
  (body: string, headers = {}): Handler =>
  (_, response) =>
    send(response, 200, body, headers)
const stream =
  (write: (asked: Asked, response: ServerResponse) => void): Handler =>
  (asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    write(asked, response)
  }
let drawn = 0

const HOSTILE: readonly (readonly [string, Handler, RegExp])[] = [
  [
    'two tools of one name',
    tools({ name: 'a' }, { name: 'b' }, { name: 'a', x: 1 }),
    /two tools are named `a`/,
  ],
  [
    'a name on two pages',
    (asked, response) => result(response, asked, { tools: [{ name: 'a' }], nextCursor: 'x' }),
    /two tools are named `a`/,
  ],
  ['a tool without a name', tools({ title: 'a' }), /no usable name/],
  ['a name with a line break', tools({ name: 'a\nb' }), /no usable name/],
  ['a tool that is no object', tools('a'), /no usable name/],
  ['no list', raw('{"jsonrpc":"2.0","id":2,"result":{"tools":{"a":1}}}'), /no list/],
  [
    'a cursor that comes back',
    (asked, response) => result(response, asked, { tools: [], nextCursor: 'x' }),
    /a cursor came back/,
  ],
  [
    'a cursor that is no text',
    (asked, response) => result(response, asked, { tools: [], nextCursor: 7 }),
    /no text/,
  ],
  [
    'cursors without end',
    (asked, response) => result(response, asked, { tools: [], nextCursor: `${(drawn += 1)}` }),
    /more than 100 pages/,
  ],
  [
    'a body that is too long',
    raw(`{"jsonrpc":"2.0","id":2,"result":{"tools":[],"x":"${'x'.repeat(4_300_000)}"}}`),
    /longer than is read/,
  ],
  [
    'an event that is too long',
    stream((_, response) => void response.end(`data: ${'x'.repeat(4_300_000)}\n\n`)),
    /longer than is read/,
  ],
  [
    'an event without end',
    stream((_, response) => void response.end(`data: ${'x'.repeat(4_300_000)}`)),
    /longer than is read/,
  ],
  [
    'pages that are too much together',
    (asked, response) =>
      result(response, asked, {
        tools: [],
        x: 'x'.repeat(3_900_000),
        nextCursor: `${(drawn += 1)}`,
      }),
    /longer than is read/,
  ],
  [
    'notices without end',
    stream(
      (_, response) =>
        void response.end(
          event({
            jsonrpc: '2.0',
            method: 'notifications/message',
            params: { x: 'x'.repeat(1_000_000) },
          }).repeat(18),
        ),
    ),
    /longer than is read/,
  ],
  [
    'a stream that ends early',
    stream((_, response) => void response.end(': nothing\n\n')),
    /ended before the answer/,
  ],
  ['no JSON', raw('<html>'), /not strict JSON/],
  [
    'a member twice',
    raw('{"jsonrpc":"2.0","id":2,"result":{"tools":[],"tools":[]}}'),
    /duplicate member/,
  ],
  ['HTML', raw('<html>', { 'content-type': 'text/html' }), /neither JSON nor/],
  [
    'an answer to another question',
    raw('{"jsonrpc":"2.0","id":9,"result":{"tools":[]}}'),
    /another request/,
  ],
  [
    'a notification as body',
    raw('{"jsonrpc":"2.0","method":"notifications/message"}'),
    /not an answer/,
  ],
  [
    'an error',
    raw('{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"Bearer T-secret"}}'),
    /error -32603$/,
  ],
  [
    'a task instead of a result',
    raw('{"jsonrpc":"2.0","id":2,"result":{"resultType":"task","tools":[]}}'),
    /not answered completely/,
  ],
  [
    'an encoded body',
    (_, response) =>
      void response
        .writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' })
        .end(gzipSync('{}')),
    /encoded/,
  ],
  [
    'bytes that are not UTF-8',
    (_, response) => void response.writeHead(200, JSON_TYPE).end(Buffer.from([0x22, 0xff, 0x22])),
    /not UTF-8/,
  ],
  [
    'a body that breaks off',
    (_, response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '99' })
      response.write('{"json')
      setTimeout(() => response.destroy(), 20)
    },
    /broke off/,
  ],
  [
    'a redirect',
    (_, response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
    /redirects/,
  ],
  ['a refusal', (_, response) => void response.writeHead(401).end(), /HTTP 401/],
  ['a request too many', (_, response) => void response.writeHead(429).end(), /HTTP 429/],
]

describe('a hostile server', () => {
  it.each(HOSTILE)('%s is an error', async (_, handler, message) => {
    drawn = 0
    const { url } = await serve(modern(handler))
    const headers = { authorization: 'Bearer T-secret' }
    const listed = await list(url, { headers, timeoutMs: 20_000 })
    expect(listed).toEqual({ ok: false, error: expect.stringMatching(message) })
    expect(JSON.stringify(listed)).not.toContain('secret')
  })

  it.each([
    ['never answers', () => undefined],
    [
      'never ends its body',
      (_: Asked, response: ServerResponse) => void response.writeHead(200, JSON_TYPE).write('{'),
    ],
    [
      'sends keep-alives for ever',
      stream((_, response) => {
        const timer = setInterval(() => response.write(': ka\n\n'), 20)
        response.on('close', () => clearInterval(timer))
      }),
    ],
  ] as const)('that %s is given up', async (_, handler) => {
    const { url } = await serve(modern(handler))
    const startedAt = Date.now()
    expect(namesOf(await list(url, { timeoutMs: 300 }))).toBe('it did not answer in time')
    expect(Date.now() - startedAt).toBeLessThan(1_500)
  })

  it('that is not there, or cannot be asked, is an error without a credential', async () => {
    expect(namesOf(await list(new URL('http://127.0.0.1:9/')))).toMatch(/could not be reached/)
    const { url } = await serve(modern(pages))
    const listed = await list(url, { headers: { authorization: 'Bearer T-secret\n' + 'x: y' } })
    expect(listed.ok).toBe(false)
    expect(JSON.stringify(listed)).not.toContain('secret')
  })

  it('is asked by a fetch that ignores its signal, and is given up all the same', async () => {
    const deaf: typeof fetch = () => new Promise(() => undefined)
    expect(namesOf(await list(new URL('http://127.0.0.1/'), { fetch: deaf, timeoutMs: 50 }))).toBe(
      'it did not answer in time',
    )
  })

  it('is asked by a fetch that is bound to nothing', async () => {
    const { url } = await serve(modern(pages))
    const picky = function (this: unknown, input: RequestInfo | URL, init?: RequestInit) {
      if (this !== undefined) throw new TypeError('Illegal invocation')
      return fetch(input, init)
    } as typeof fetch
    expect(namesOf(await list(url, { fetch: picky }))).toHaveLength(3)
  })
})
