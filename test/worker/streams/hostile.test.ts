import { describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { inThisWorld, newUser, toolCall } from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'
const RESULT = { content: [{ type: 'text', text: 'done' }] }

/** What a client gets of a call whose server writes these pieces, knowing the id of the call. */
async function sentBy(pieces: (id: string) => readonly string[]): Promise<string> {
  const server = new LegacyServer()
  const client = await initialized(await newUser())
  const response = await within(client, toolCall('note'))
  const [stream] = server.streams
  for (const piece of pieces(JSON.stringify(stream!.request.message?.id))) stream!.raw(piece)
  stream!.end()
  return response.text()
}

/** `ID` stands for the id of the call. */
const sent = (...pieces: string[]): Promise<string> =>
  sentBy((id) => pieces.map((piece) => piece.replaceAll('ID', id)))

const answer = `{"jsonrpc":"2.0","id":ID,"result":${JSON.stringify(RESULT)}}`

describe('the ends of lines', () => {
  it.each([
    ['LF', '\n'],
    ['CR', '\r'],
    ['CRLF', '\r\n'],
  ])('%s, cut at every byte', { timeout: 60_000 }, async (_, end) => {
    const textOf = (id: string) =>
      `\ufeff: hi${end}${end}id: 1${end}retry: 9${end}data:${end}${end}id: 2${end}data: ${answer.replace('ID', id)}${end}${end}`
    const whole = plain(await sentBy((id) => [textOf(id)]))
    expect(whole).toMatch(/^:\n\nid: 1\nretry: 9\ndata: \n\nid: 2\ndata: \{.*done.*\}\n\n$/)
    const { length } = textOf('1')
    for (let at = 1; at < length; at += 1) {
      const cut = await sentBy((id) => [textOf(id).slice(0, at), textOf(id).slice(at)])
      expect([at, plain(cut)]).toEqual([at, whole])
    }
    expect(plain(await sentBy((id) => textOf(id).split('')))).toBe(whole)
  })
})

/** Without what differs by session and call. */
const plain = (text: string): string =>
  text.replaceAll(/[\w-]{22}\./g, '').replaceAll(/"id":\d+/g, '"id":0')

describe('what stands beside the data', () => {
  it.each([
    ['a comment', `: ${SECRET}\n\n`],
    ['a name of the event', `event: ${SECRET}\ndata: ${answer}\n\n`],
    ['an unknown field', `${SECRET}: 1\n\n`],
    ['an id with a NUL', `id: ${SECRET}\0\ndata:\n\n`],
    ['an id that is not ASCII', `id: ${SECRET}é\ndata:\n\n`],
    ['an id with a space', `id: ${SECRET} x\ndata:\n\n`],
    ['an id that is too long', `id: ${SECRET}${'x'.repeat(600)}\ndata:\n\n`],
    ['a retry that is no number', `retry: ${SECRET}\ndata:\n\n`],
    ['text before the data', `${SECRET}\n\n`],
    ['a mark in the middle', `\ufeff${SECRET}: 1\n\n`],
  ])('%s does not pass', async (_, piece) => {
    const text = await sent(': hello\n\n', piece, `data: ${answer}\n\n`)
    expect(text).not.toContain(SECRET)
    expect(text).toContain('done')
  })

  it('a retry of any length but no time is left out', async () => {
    const text = await sent('retry: 99999999999999999999\ndata:\n\n', `data: ${answer}\n\n`)
    expect(text).not.toContain('retry')
  })
})

describe('messages', () => {
  it.each([
    [
      'two in one event',
      `data: ${answer}\ndata: {"jsonrpc":"2.0","id":ID,"result":{"a":"${SECRET}"}}\n\n`,
    ],
    [
      'an answer to another call',
      `data: {"jsonrpc":"2.0","id":987654,"result":{"a":"${SECRET}"}}\n\n`,
    ],
    [
      'a batch',
      `data: [${answer},{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${SECRET}"}}]\n\n`,
    ],
    ['an answer that is cut off', `data: {"jsonrpc":"2.0","id":ID,"result":{"a":"${SECRET}"}}`],
    ['a line without end', `data: ${SECRET}${'x'.repeat(5 * 1024 * 1024)}`],
  ])('%s: withheld', async (_, piece) => {
    const text = await sent(piece)
    expect(text).not.toContain(SECRET)
    expect(text).toContain('"code":50201')
  })

  it('after the answer do not pass', async () => {
    const text = await sent(
      `data: ${answer}\n\n`,
      `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${SECRET}"}}\n\n`,
    )
    expect(text).not.toContain(SECRET)
  })

  it('of the progress of another call do not pass', async () => {
    const text = await sent(
      `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"other","progress":1,"message":"${SECRET}"}}\n\n`,
      `data: ${answer}\n\n`,
    )
    expect(text).not.toContain(SECRET)
    expect(text).toContain('done')
  })

  it('of any kind end the stream of a session if they are none', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await listen(client))
    server.streams[0]!.raw(`data: ${SECRET}\n\n`)
    expect(await events.next()).toBeNull()
    await vi.waitFor(() => expect(server.streams[0]!.isCancelled).toBe(true))
  })
})

describe('floods', () => {
  it('of retries and empty events are passed on no faster than they are read', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const response = await within(client, toolCall('note'))
    const [stream] = server.streams
    for (let n = 0; n < 2_000; n += 1) stream!.raw('retry: 0\ndata:\n\n')
    const events = new EventReader(response)
    for (let n = 0; n < 10; n += 1) expect(await events.next()).toBe('retry: 0\ndata: ')
    expect(stream!.unread).toBeGreaterThan(1_900)
    await events.leave()
  })
})
