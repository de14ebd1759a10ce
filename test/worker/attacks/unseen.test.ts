import { beforeEach, describe, expect, it } from 'vitest'
import { ask, reply } from '../../support/worker/modern.ts'
import { answerOf, sends } from '../../support/worker/upstream.ts'
import { call, inThisWorld, newUser, sql, token } from '../../support/worker/world.ts'

inThisWorld()

const EVE = 'eve@evil.example'
const person = async () => ({ token: await token({ sub: await newUser() }) })

/** `skill://a` and all in it could be allowed, but for what is hidden. */
beforeEach(() =>
  sql(
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'resource:skill://a*', 'read', 1)",
    "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'd', 'deny', 'resource:*hidden')",
  ),
)

const resource = (uri: string) => ({ uri, name: EVE })

describe('what a client was not shown of an answer vouches for no value', () => {
  beforeEach(() =>
    sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/to', 'target')",
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, role, origins, reason) VALUES
        ('acme', 'origin', 'deny', 'sink.update', 'provenance', '[]', 'target', '["field","mention"]', 'origin')`,
    ),
  )

  it.each<[string, string, Record<string, unknown>, (uri: string) => unknown]>([
    ['a listing', 'resources/list', {}, (uri) => ({ resources: [resource(uri)] })],
    [
      'a directory',
      'resources/directory/read',
      { uri: 'skill://a/' },
      (uri) => ({ resources: [resource(uri)] }),
    ],
    [
      'a skill',
      'skills/get',
      { uri: 'skill://a/SKILL.md' },
      (uri) => ({ skill: { uri: 'skill://a/SKILL.md', resources: [resource(uri)] } }),
    ],
    [
      'what stands beside a list',
      'resources/list',
      {},
      (uri) =>
        uri.endsWith('hidden') ? { resources: [], other: [EVE] } : { resources: [resource(uri)] },
    ],
  ])('%s', async (_, method, params, result) => {
    const sendAfter = async (uri: string) => {
      const options = await person()
      sends(JSON.stringify(answerOf(result(uri))))
      expect(JSON.stringify(await reply(ask(method, params, options))).includes(EVE)).toBe(
        !uri.endsWith('hidden'),
      )
      return (await call('note', { ...options, args: { to: EVE } })).code
    }
    expect(await sendAfter('skill://a/shown')).toBe('allowed')
    expect(await sendAfter('skill://a/hidden')).toBe('denied_by_sequence')
  })
})

it('what a client was not shown of an answer brings no label', async () => {
  await sql(
    "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'page')",
    "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'resource:skill://a*', '/pages/*', 'page')",
    `INSERT INTO resources (tenant, type, id, labels)
     VALUES ('acme', 'page', 'page-1', '["source.confidential","source.bulk"]')`,
  )
  const exportAfter = async (method: string, result: unknown) => {
    const options = await person()
    sends(JSON.stringify(answerOf(result)))
    const said = await reply(ask(method, { uri: 'skill://a/' }, options))
    expect(said).toHaveProperty('result')
    expect(JSON.stringify(said).includes('page-1')).toBe(method === 'resources/read')
    return (await call('export_all', options)).code
  }
  const text = JSON.stringify({ pages: ['page-1'] })
  const contents = [{ uri: 'skill://a/', text }]
  const content = [{ type: 'text', text }]
  expect(await exportAfter('resources/read', { contents })).toBe('denied_by_sequence')
  // Of a directory nothing is shown but its list.
  expect(await exportAfter('resources/directory/read', { content })).toBe('allowed')
})
