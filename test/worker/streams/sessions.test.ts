import { describe, expect, it } from 'vitest'
import { initialized, LegacyServer, listen, within } from '../../support/worker/legacy-server.ts'
import { lastOf } from '../../support/worker/log.ts'
import {
  inThisWorld,
  message,
  newUser,
  post,
  token,
  toolCall,
  verdict,
  type TokenOptions,
} from '../../support/worker/world.ts'

inThisWorld()

const plain = (): LegacyServer => {
  const server = new LegacyServer()
  server.streaming = () => false
  return server
}

const codeOf = async (response: Response) => {
  const { status, code } = await verdict(response)
  return `${status} ${code}`
}

describe('a legacy session', () => {
  it('has an id of ours, and the id of the server stays with the server', async () => {
    const server = plain()
    const client = await initialized(await newUser())
    expect(client.id).toMatch(/^[\w-]{43}$/)
    const response = await within(client, toolCall('note'))
    expect(response.status).toBe(200)
    expect(response.headers.get('mcp-session-id')).toBeNull()
    expect(server.seen.map(({ session }) => session)).toEqual([null, 'upstream-1'])
  })

  it('begins anew with each handshake, whatever id the client sends along', async () => {
    const server = plain()
    const sub = await newUser()
    const one = await initialized(sub)
    const init = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    }
    const fixed = await within(one, message('initialize', init))
    const id = fixed.headers.get('mcp-session-id')
    expect(id).toMatch(/^[\w-]{43}$/)
    expect(id).not.toBe(one.id)
    expect(server.seen.every(({ session }) => session === null)).toBe(true)
  })

  it.each<[string, () => Promise<TokenOptions>]>([
    ['of another person', async () => ({ sub: await newUser() })],
    ['of the same person by another client', async () => ({ client: 'other-agent' })],
    ['of the same client by an agent', async () => ({ agent: 'bot' })],
  ])('%s is none, and the server sees nothing', async (_, other) => {
    const server = plain()
    const sub = await newUser()
    const { id } = await initialized(sub)
    const bearer = await token({ sub, ...(await other()) })
    const before = server.seen.length
    for (const method of ['POST', 'GET', 'DELETE']) {
      const response = await post(method === 'POST' ? toolCall('note') : '', {
        method,
        token: bearer,
        headers: { 'mcp-session-id': id ?? '', accept: 'application/json, text/event-stream' },
      })
      expect(await codeOf(response)).toBe('404 session_unknown')
    }
    expect(server.seen).toHaveLength(before)
    expect(
      (
        await within(
          { id, token: await token({ sub }), headers: { 'mcp-session-id': id ?? '' } },
          toolCall('note'),
        )
      ).status,
    ).toBe(200)
  })

  it('is on record where it was not there', async () => {
    plain()
    const sub = await newUser()
    const client = await initialized(sub)
    const response = await within(client, toolCall('note'), {
      headers: { 'mcp-session-id': 'A'.repeat(43) },
    })
    expect(await codeOf(response)).toBe('404 session_unknown')
    const last = await lastOf(sub)
    expect(last).toMatchObject({ decision: 'deny', reason: 'session_unknown' })
  })

  it('is missing where the server has sessions: 400, and the server sees nothing', async () => {
    const server = plain()
    const client = await initialized(await newUser())
    const { 'mcp-session-id': _, ...headers } = client.headers
    const response = await within({ ...client, headers }, toolCall('note'))
    expect(await codeOf(response)).toBe('400 session_missing')
    expect(server.seen).toHaveLength(1)
  })

  it('is of no use at another server', async () => {
    // Two servers of one tenant: the resource of a token names one of them, so it needs two tokens.
    const server = plain()
    const sub = await newUser()
    const client = await initialized(sub)
    const { sql, ORIGIN, UPSTREAM } = await import('../../support/worker/world.ts')
    await sql(
      `INSERT INTO servers (name, tenant, url, internal) VALUES ('wiki', 'acme', '${UPSTREAM}/wiki', 1)`,
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'wiki', 'note', 'write', 1)`,
    )
    const bearer = await token({ sub, claims: { aud: `${ORIGIN}/wiki/mcp` } })
    const response = await within({ ...client, token: bearer }, toolCall('note'), {
      server: 'wiki',
    })
    expect(await codeOf(response)).toBe('404 session_unknown')
    expect(server.seen).toHaveLength(1)
  })

  it('ends with DELETE, here and at the server', async () => {
    const server = plain()
    const client = await initialized(await newUser())
    expect((await within(client, '', { method: 'DELETE' })).status).toBe(200)
    expect(server.sessions.size).toBe(0)
    expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE', session: 'upstream-1' })
    const before = server.seen.length
    expect(await codeOf(await within(client, toolCall('note')))).toBe('404 session_unknown')
    expect(await codeOf(await within(client, '', { method: 'DELETE' }))).toBe('404 session_unknown')
    expect(await codeOf(await listen(client))).toBe('404 session_unknown')
    expect(server.seen).toHaveLength(before)
  })

  it('ends where the server has forgotten it, and the client begins anew', async () => {
    const server = plain()
    const sub = await newUser()
    const client = await initialized(sub)
    server.sessions.clear()
    expect(await codeOf(await within(client, toolCall('note')))).toBe('404 session_unknown')
    const before = server.seen.length
    expect(await codeOf(await within(client, toolCall('note')))).toBe('404 session_unknown')
    expect(server.seen).toHaveLength(before)
    expect((await within(await initialized(sub), toolCall('note'))).status).toBe(200)
  })

  it('is no part of 2026-07-28', async () => {
    const server = plain()
    server.keepsSessions = false
    const client = await initialized(await newUser())
    const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-session-id': 'anything' }
    for (const method of ['GET', 'DELETE']) {
      const response = await within(client, '', { method, headers: modern })
      expect(await codeOf(response)).toBe('405 method_not_allowed')
    }
    expect(server.seen).toHaveLength(1)
  })

  it('is given to nobody by a server that has none, and a made-up one names nothing', async () => {
    const server = plain()
    server.keepsSessions = false
    const client = await initialized(await newUser())
    expect(client.id).toBeNull()
    const response = await within(client, toolCall('note'), { headers: { 'mcp-session-id': 'x' } })
    expect(response.status).toBe(200)
    expect(server.seen.at(-1)?.session).toBeNull()
  })

  it('that nobody knows is 404 also before any handshake, where the server wants one', async () => {
    plain()
    const bearer = await token({ sub: await newUser() })
    const response = await post(toolCall('note'), {
      token: bearer,
      headers: { 'mcp-session-id': 'made-up' },
    })
    expect(await codeOf(response)).toBe('404 session_unknown')
  })
})
