import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { lastOf, logOf } from '../../support/worker/log.ts'
import {
  behaviour,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const WITHIN_MS = 1_500

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What ends somebody's leave, one row each. */
const ENDS: readonly (readonly [string, (sub: string) => string])[] = [
  [
    'the person is revoked',
    (sub) => `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`,
  ],
  [
    'the client is revoked',
    () => "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'acme-agent')",
  ],
  ['the role is taken away', (sub) => `DELETE FROM role_assignments WHERE holder = '${sub}'`],
  [
    'a policy denies',
    () => "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'no', 'deny')",
  ],
  ['the client is switched off', () => "UPDATE clients SET active = 0 WHERE id = 'acme-agent'"],
  ['the tenant is switched off', () => "UPDATE tenants SET active = 0 WHERE id = 'acme'"],
  ['the issuer is switched off', () => `UPDATE issuers SET active = 0 WHERE url = '${ISSUER}'`],
]

/** Ends what touches no tool as well. */
const ENDS_ALL = ENDS.filter(([name]) => !/role|policy/.test(name))

const open = async () => {
  const sub = await newUser()
  const server = new LegacyServer()
  const client = await initialized(sub)
  return { sub, server, client }
}

describe('a call that is open when', () => {
  it.each(ENDS)('%s ends within a second, and its result is withheld', async (_, edit) => {
    const { sub, server, client } = await open()
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    await wait(1_300)
    await sql(edit(sub))
    const committed = Date.now()
    const said = await events.message()
    expect(Date.now() - committed).toBeLessThan(WITHIN_MS)
    expect(said).toMatchObject({ id: stream!.request.message?.id })
    expect(JSON.stringify(said)).toContain('sallyport/refusal')
    expect(await events.next()).toBeNull()
    await vi.waitFor(() => expect(stream!.isCancelled).toBe(true))
    await vi.waitFor(async () =>
      expect((await logOf(sub)).find(({ tool }) => tool === 'note')?.outcome).toBe('withheld'),
    )
  })

  it('the person is revoked is withheld also where its answer is one body', async () => {
    const sub = await newUser()
    behaviour.upstream = async (request) => {
      const { id } = JSON.parse(await request.text()) as { id: number }
      await wait(2_000)
      return Response.json({
        jsonrpc: '2.0',
        id,
        result: { content: [{ type: 'text', text: 'SECRET' }] },
      })
    }
    const answer = token({ sub }).then((bearer) => post(toolCall('note'), { token: bearer }))
    await wait(1_200)
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
    const committed = Date.now()
    const response = await answer
    expect(Date.now() - committed).toBeLessThan(WITHIN_MS)
    expect(await response.clone().text()).not.toContain('SECRET')
    expect(await verdict(response)).toMatchObject({ status: 200, code: 'result_withheld' })
    expect(await lastOf(sub)).toMatchObject({ decision: 'deny', reason: 'result_withheld' })
  })

  it('its token ends is not answered, and nothing invites to repeat it', async () => {
    const { sub, server } = await open()
    const exp = Math.floor(Date.now() / 1000) + 2
    const client = await initialized(sub, {}, { token: await token({ sub, claims: { exp } }) })
    const events = new EventReader(await within(client, toolCall('note')))
    const said = await events.message()
    expect(Math.abs(Date.now() - exp * 1000)).toBeLessThan(WITHIN_MS)
    expect(said).toMatchObject({ error: { code: 50_201 } })
    expect(JSON.stringify(said)).toContain('token_ended')
    await vi.waitFor(() => expect(server.streams.at(-1)!.isCancelled).toBe(true))
  })

  it('nothing of this actor changes goes on', async () => {
    const { sub, server, client } = await open()
    const events = new EventReader(await within(client, toolCall('note')))
    await wait(1_200)
    const other = await newUser()
    await sql(
      `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${other}')`,
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'delete_one')",
    )
    await wait(1_200)
    server.streams[0]!.answer({ content: [] })
    expect(await events.message()).toMatchObject({ result: { content: [] } })
    expect((await lastOf(sub)).decision).toBe('allow')
  })

  it('D1 does not answer is not released', { timeout: 15_000 }, async () => {
    const { server, client } = await open()
    const events = new EventReader(await within(client, toolCall('note')))
    await wait(1_200)
    const spy = vi.spyOn(env.DB, 'withSession').mockImplementation(() => {
      throw new Error('down')
    })
    try {
      // As long as a look counts.
      await wait(600)
      server.streams[0]!.answer({ content: [{ type: 'text', text: 'SECRET' }] })
      const said = await events.message()
      expect(JSON.stringify(said)).not.toContain('SECRET')
    } finally {
      spy.mockRestore()
    }
  })
})

describe('the stream of a session', () => {
  it.each(ENDS_ALL)('ends within a second when %s', async (_, edit) => {
    const { sub, server, client } = await open()
    const events = new EventReader(await listen(client))
    await wait(300)
    await sql(edit(sub))
    const committed = Date.now()
    expect(await events.next()).toBeNull()
    expect(Date.now() - committed).toBeLessThan(WITHIN_MS)
    await vi.waitFor(() => expect(server.streams[0]!.isCancelled).toBe(true))
  })

  it('ends with the token that opened it', async () => {
    const { sub, server } = await open()
    const exp = Math.floor(Date.now() / 1000) + 2
    const client = await initialized(sub, {}, { token: await token({ sub, claims: { exp } }) })
    const events = new EventReader(await listen(client))
    expect(await events.next()).toBeNull()
    expect(Math.abs(Date.now() - exp * 1000)).toBeLessThan(WITHIN_MS)
    await vi.waitFor(() => expect(server.streams.at(-1)!.isCancelled).toBe(true))
  })
})

describe('many open calls of one person', () => {
  beforeEach(() => sql('DELETE FROM sequence_rules'))

  it('cost one reading of D1 every half second, all together', async () => {
    const { client, server } = await open()
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, n) => within(client, toolCall('note', { n }))),
    )
    const readers = responses.map((response) => new EventReader(response))
    await wait(1_500)
    const spy = vi.spyOn(env.DB, 'withSession')
    await wait(2_000)
    expect(spy.mock.calls.length).toBeGreaterThan(1)
    expect(spy.mock.calls.length).toBeLessThanOrEqual(6)
    for (const stream of server.streams) stream.answer({ content: [] })
    for (const reader of readers) expect(await reader.message()).toHaveProperty('result')
  })
})
