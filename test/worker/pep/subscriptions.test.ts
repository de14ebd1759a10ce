import { describe, expect, it } from 'vitest'
import { ask } from '../../support/worker/modern.ts'
import {
  behaviour,
  inThisWorld,
  newUser,
  seen,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const listen = async (notifications: unknown, options = {}) =>
  verdict(await ask('subscriptions/listen', { notifications }, options))

describe('a subscription', () => {
  it('to changes of listings touches nothing', async () => {
    expect(await listen({ toolsListChanged: true })).toMatchObject({ code: 'allowed' })
  })

  it('to resources is allowed if each of them is', async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'resource:test://*', 'read', 1)",
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'd', 'deny', 'resource:test://secret/*')",
    )
    const to = (...resourceSubscriptions: string[]) => listen({ resourceSubscriptions })
    expect(await to('test://a', 'test://b')).toMatchObject({ code: 'allowed' })
    expect(await to('test://a', 'test://secret/b')).toMatchObject({ code: 'denied_by_policy' })
    expect(await to('test://a', 'test://x/../secret/b')).toMatchObject({ code: 'tool_unknown' })
    expect(await to('test://a', 'other://b')).toMatchObject({ code: 'tool_unknown' })
    expect(seen).toHaveLength(1)
  })

  it('to tasks is allowed to whoever made them', async () => {
    behaviour.upstream = async (request) => {
      const { id, method } = (await request.json()) as { id: number; method: string }
      const result =
        method === 'tools/call' ? { resultType: 'task', taskId: 't' } : { resultType: 'complete' }
      return Response.json({ jsonrpc: '2.0', id, result })
    }
    const mine = { token: await token({ sub: await newUser() }) }
    await ask('tools/call', { name: 'note' }, mine)
    expect(await listen({ taskIds: ['t'] }, mine)).toMatchObject({ code: 'allowed' })
    expect(await listen({ taskIds: ['t', 'u'] }, mine)).toMatchObject({
      code: 'server_task_unknown',
    })
    const other = { token: await token({ sub: await newUser() }) }
    expect(await listen({ taskIds: ['t'] }, other)).toMatchObject({ code: 'server_task_unknown' })
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')")
    expect(await listen({ taskIds: ['t'] }, mine)).toMatchObject({ code: 'revoked' })
  })
})

describe('a skill', () => {
  it('and a directory show only what could be read', async () => {
    const resources = [{ uri: 'skill://a/x' }, { uri: 'skill://a/hidden' }]
    const skill = { uri: 'skill://a/SKILL.md', resources }
    behaviour.upstream = async (request) => {
      const { id, method } = (await request.json()) as { id: number; method: string }
      const results: Record<string, unknown> = {
        'skills/list': { skills: [skill, { uri: 'skill://b/SKILL.md', resources: [] }] },
        'skills/get': { skill },
        'resources/directory/read': { resources },
      }
      return Response.json({ jsonrpc: '2.0', id, result: results[method] })
    }
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'resource:skill://a*', 'read', 1)",
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'd', 'deny', 'resource:*hidden')",
    )
    const shown = { uri: 'skill://a/SKILL.md', resources: [{ uri: 'skill://a/x' }] }
    const kept = { ttlMs: 5000, cacheScope: 'private' }
    const result = async (method: string, params: Record<string, unknown> = {}) =>
      ((await (await ask(method, params)).json()) as { result: unknown }).result
    expect(await result('skills/list')).toEqual({ skills: [shown], ...kept })
    expect(await result('skills/get', { uri: 'skill://a/SKILL.md' })).toEqual({
      skill: shown,
      ...kept,
    })
    expect(await result('resources/directory/read', { uri: 'skill://a/' })).toEqual({
      resources: [{ uri: 'skill://a/x' }],
      ...kept,
    })
    expect(await verdict(await ask('skills/get', { uri: 'skill://b/SKILL.md' }))).toMatchObject({
      code: 'tool_unknown',
    })
  })
})
