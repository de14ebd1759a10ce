import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { McpSessions } from '../../../src/durable-objects/mcp-sessions.ts'
import { Digests } from '../../../src/durable-objects/digests.ts'
import { migrate } from '../../../src/durable-objects/session-schema.ts'
import { SESSION_PROTOCOL } from '../../../src/durable-objects/session-protocol.ts'
import { initialized, LegacyServer, within } from '../../support/worker/legacy-server.ts'
import { inThisWorld, newUser, sessionKey, toolCall, token } from '../../support/worker/world.ts'

inThisWorld()

const ours = (n: number) => String(n).padStart(43, 'a')

const open = (sessions: McpSessions, n: number, actorKey: string, server = 'crm') =>
  sessions.note(
    {
      version: SESSION_PROTOCOL,
      decision: `d-${n}`,
      kind: 'opened',
      id: ours(n),
      upstream: `u-${n}`,
      protocol: '2025-11-25',
      capabilities: '{}',
      actorKey,
      server,
    },
    n,
  )

const inObject = <T>(does: (sessions: McpSessions, sql: SqlStorage) => T): Promise<T> =>
  runInDurableObject(env.SESSIONS.getByName(crypto.randomUUID()), (_, { storage }) => {
    migrate(storage)
    return does(new McpSessions(storage.sql, new Digests('key')), storage.sql)
  })

const count = (sql: SqlStorage) =>
  sql.exec<{ n: number }>('SELECT count(*) AS n FROM mcp_sessions').one().n

describe('sessions', { timeout: 60_000 }, () => {
  it('10,000 handshakes of one actor leave a bounded number, and the server gets the others back', async () => {
    const [left, gone] = await inObject((sessions, sql) => {
      let given = 0
      for (let n = 0; n < 10_000; n += 1) given += open(sessions, n, 'actor').gone.length
      return [count(sql), given]
    })
    expect(left).toBeLessThanOrEqual(65)
    expect(gone).toBe(10_000 - 64)
  })

  it('of thousands of actors and servers are bounded as well', async () => {
    const left = await inObject((sessions, sql) => {
      for (let n = 0; n < 2_000; n += 1) open(sessions, n, `actor-${n}`, `server-${n % 7}`)
      return count(sql)
    })
    expect(left).toBeLessThanOrEqual(1_026)
  })

  it('that are used stay: the one that was idle longest goes', async () => {
    const server = new LegacyServer()
    server.streaming = () => false
    const sub = await newUser()
    const bearer = await token({ sub })
    const first = await initialized(sub, {}, { token: bearer })
    const second = await initialized(sub, {}, { token: bearer })

    await runInDurableObject(env.SESSIONS.getByName(await sessionKey(sub)), (_, { storage }) => {
      storage.sql.exec('UPDATE mcp_sessions SET used_at = used_at - 120000')
    })
    expect((await within(first, toolCall('note'))).status).toBe(200)
    for (let n = 0; n < 63; n += 1) await initialized(sub, {}, { token: bearer })
    expect((await within(first, toolCall('note'))).status).toBe(200)
    expect((await within(second, toolCall('note'))).status).toBe(404)
  })
})
