import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
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
} from '../../support/worker/world.ts'

inThisWorld()

describe('an allowed call', () => {
  it('reaches the upstream byte for byte, without the token of the client', async () => {
    const bearer = await token({ sub: await newUser() })
    const body = ` {"jsonrpc":"2.0", "id":"a", "method":"tools/call","params":{"name":"note","arguments":{"n":12345678901234567890}}} `
    const response = await post(body, {
      token: bearer,
      headers: { cookie: 'a=b', 'mcp-session-id': 's' },
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      id: 'a',
      result: { content: [{ text: 'did tools/call' }] },
    })
    expect(seen).toHaveLength(1)
    expect(seen[0]?.body).toBe(body)
    const names = [...(seen[0]?.headers.keys() ?? [])]
    expect(names).not.toContain('authorization')
    expect(names).not.toContain('cookie')
    expect(names).not.toContain('mcp-session-id')
    expect(JSON.stringify([...(seen[0]?.headers ?? [])])).not.toContain(bearer.slice(0, 20))
  })

  it('is recorded with all its inputs, durably, before it is sent', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    let statesWhenSent: unknown
    const answer = behaviour.upstream
    behaviour.upstream = async (request) => {
      statesWhenSent = await runInDurableObject(
        env.SESSIONS.getByName(await sessionKey(sub)),
        (_, { storage }) =>
          storage.sql.exec('SELECT state, kind FROM events JOIN outbox').toArray(),
      )
      return answer(request)
    }
    expect((await call('note', { token: bearer, args: { text: 'hello' } })).code).toBe('allowed')
    expect(statesWhenSent).toEqual([{ state: 'pending', kind: 'decision' }])
    await vi.waitFor(async () => {
      const row = await env.DECISIONS.prepare('SELECT record FROM decisions WHERE subject = ?')
        .bind(sub)
        .first<{ record: string }>()
      const record = JSON.parse(row?.record ?? 'null') as Record<string, unknown>
      expect(record).toMatchObject({
        decision: 'allow',
        inputs: {
          request: {
            subject: { id: sub, properties: { client: 'acme-agent', scopes: ['crm'] } },
            resource: { id: 'note' },
            context: { arguments: { text: 'hello' } },
          },
          facts: { subjectRoles: [{ role: 'sales' }], tool: { access: 'write' } },
          matches: [
            { id: 'sales', effect: 'allow', pass: 'subject', counted: true },
            { id: 'sales', effect: 'allow', pass: 'agent', counted: true },
          ],
        },
      })
      expect(JSON.stringify(record)).not.toContain(bearer.split('.')[2])
    }, 5_000)
  })
})
