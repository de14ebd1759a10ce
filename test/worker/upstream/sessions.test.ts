import { describe, expect, it, vi } from 'vitest'
import { withExchange, exchanges } from '../../support/worker/exchange.ts'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { signsForCrm, verifierOf } from '../../support/worker/signed.ts'
import { inThisWorld, message, newUser, sql, toolCall } from '../../support/worker/world.ts'

inThisWorld()

/** All that a client does with a session, and what Sallyport says in it by itself. */
async function useSession(server: LegacyServer): Promise<void> {
  await sql(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed)
     VALUES ('acme', 'crm', 'client:elicitation', 'write', 1)`,
  )
  const client = await initialized(await newUser(), { elicitation: {} })
  const own = await listen(client)
  expect(own.status).toBe(200)
  const events = new EventReader(await within(client, toolCall('note')))
  const stream = server.streams.at(-1)!
  // Nobody offers roots: Sallyport declines, and the client does not learn of it.
  stream.send({ jsonrpc: '2.0', id: 'r-1', method: 'roots/list' })
  await vi.waitFor(() => expect(server.seen.some(({ body }) => body.includes('r-1'))).toBe(true))
  stream.send({
    jsonrpc: '2.0',
    id: 'e-1',
    method: 'elicitation/create',
    params: { message: 'name?', requestedSchema: {} },
  })
  const asked = await events.message()
  const answer = { jsonrpc: '2.0', id: asked?.['id'], result: { action: 'decline' } }
  expect((await within(client, JSON.stringify(answer))).status).toBe(202)
  stream.answer({ content: [] })
  expect(await events.message()).toHaveProperty('result')
  expect((await within(client, message('tools/list'))).status).toBe(200)
  await new EventReader(own).leave()
  expect((await within(client, '', { method: 'DELETE' })).status).toBe(200)
}

const spoken = (server: LegacyServer) =>
  server.seen.map(({ method, message: said }) => said?.method ?? (method === 'POST' ? '' : method))

const ALL = ['initialize', 'GET', 'tools/call', '', '', 'tools/list', 'DELETE']

describe('whatever reaches a server in a session', () => {
  it('is signed, each for what it is, and good for nothing else', async () => {
    await signsForCrm()
    const server = new LegacyServer()
    await useSession(server)
    expect(spoken(server)).toEqual(ALL)
    const verify = await verifierOf()
    for (const { authorization, body, method } of server.seen) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verify(authorization, body, method)).toMatchObject({
        ok: true,
        caller: { client: 'acme-agent', isSallyport: false },
      })
    }
    const shown = server.seen.map(({ authorization }) => authorization)
    expect(new Set(shown).size).toBe(ALL.length)
  })
})

describe('whatever reaches a server in a session where tokens are exchanged', () => {
  withExchange()

  it("carries the actor's own", async () => {
    const server = new LegacyServer()
    await useSession(server)
    expect(spoken(server)).toEqual(ALL)
    const shown = new Set(server.seen.map(({ authorization }) => authorization))
    expect([...shown]).toEqual([expect.stringMatching(/^Bearer /)])
    expect(exchanges).toHaveLength(1)
  })
})
