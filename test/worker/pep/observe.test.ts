import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf, logOf, outcomeOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  listed,
  newUser,
  post,
  seen,
  sql,
  token,
  toolCall,
  UPSTREAM,
} from '../../support/worker/world.ts'

inThisWorld()

const DAY = 86_400_000
const until = (ms: number) =>
  `UPDATE servers SET observe_until = ${Date.now() + ms} WHERE name = 'crm'`

beforeEach(() => sql(until(DAY)))

async function person(options: Parameters<typeof token>[0] = {}) {
  const sub = await newUser()
  const bearer = await token({ sub, ...options })
  const said = async (tool = 'note', args: unknown = {}) => {
    const { code } = await call(tool, { token: bearer, args })
    const { reason, would_be } = await lastOf(sub)
    return { code, reason, would_be }
  }
  return { sub, bearer, said }
}

describe('a server that is observed lets pass, and writes down', () => {
  it('what would be allowed', async () => {
    const { said } = await person()
    expect(await said()).toEqual({ code: 'allowed', reason: 'allowed', would_be: 'allowed' })
  })

  it.each<[string, string, string, string]>([
    ['a call without a policy', 'DELETE FROM policies', 'note', 'not_allowed'],
    [
      'a deny',
      "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'no', 'deny')",
      'note',
      'denied_by_policy',
    ],
    ['a tool that has no row', '', 'no_such_tool', 'tool_unknown'],
    ['a missing consent', 'UPDATE servers SET consent_required = 1', 'note', 'consent_required'],
    ['a missing scope', "UPDATE tools SET required_scope = 'more'", 'note', 'insufficient_scope'],
    ['a client without a row', 'DELETE FROM clients', 'note', 'client_unknown'],
    [
      'a login that is too weak',
      "UPDATE policies SET require_acr = 'gold'",
      'note',
      'insufficient_authentication',
    ],
    [
      'a definition that cannot be seen',
      `UPDATE tools SET definition_hash = '${'a'.repeat(64)}'`,
      'note',
      'tool_unverified',
    ],
    ['a missing approval', 'UPDATE policies SET require_approval = 1', 'note', 'approval_required'],
  ])('%s', async (_, change, tool, reason) => {
    if (change !== '') await sql(change)
    const { bearer, said } = await person()
    expect(await said(tool)).toEqual({ code: 'allowed', reason: 'allowed', would_be: reason })
    const sent = () => seen.filter(({ body }) => body.includes('"tools/call"'))
    expect(sent()).toHaveLength(1)
    // The same call, once it is over.
    await sql(until(-1))
    expect((await call(tool, { token: bearer })).code).not.toBe('allowed')
    expect(sent()).toHaveLength(1)
  })

  it('what history would refuse, and counts it', async () => {
    const { said } = await person()
    expect(await said('read_all')).toMatchObject({ would_be: 'allowed' })
    expect(await said('export_all')).toEqual({
      code: 'allowed',
      reason: 'allowed',
      would_be: 'denied_by_sequence',
    })
    await sql(until(-1))
    expect(await said('export_all')).toMatchObject({ code: 'denied_by_sequence', would_be: null })
  })

  it('a call of an unknown tool as the worst there is: history does not forget it', async () => {
    const { said } = await person()
    await said('no_such_tool')
    await sql(
      until(-1),
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
        ('acme', 'after-untrusted', 'deny', 'sink.update', 'temporal', '["source.untrusted"]', 'x')`,
    )
    expect(await said('note')).toMatchObject({ code: 'denied_by_sequence' })
  })

  it('what its listing shows is everything', async () => {
    await sql('DELETE FROM policies')
    const { bearer } = await person()
    expect(await listed({ token: bearer })).toEqual([
      'read_all',
      'export_all',
      'delete_one',
      'note',
    ])
    await sql(until(-1))
    expect(await listed({ token: bearer })).toEqual([])
  })
})

describe('what is enforced all the same', () => {
  it.each<[string, string, string]>([
    [
      'a revocation',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')",
      'revoked',
    ],
    ['a client that is switched off', 'UPDATE clients SET active = 0', 'client_not_registered'],
    ['a tenant that is switched off', 'UPDATE tenants SET active = 0', 'inactive'],
    ['a server that is switched off', 'UPDATE servers SET active = 0', 'inactive'],
  ])('%s', async (_, change, code) => {
    const { said } = await person()
    await sql(change)
    expect((await said()).code).toBe(code)
    expect(seen).toEqual([])
  })

  it('an agent that is switched off', async () => {
    const { said } = await person({ agent: 'bot' })
    expect((await said()).code).toBe('allowed')
    await sql('UPDATE agents SET active = 0')
    expect((await said()).code).toBe('agent_not_registered')
  })

  it('door one', async () => {
    const old = await token({ claims: { exp: 1, iat: 0 } })
    expect((await post(toolCall('note'), { token: old })).status).toBe(401)
    expect((await post(toolCall('note'), { token: null })).status).toBe(401)
    expect(seen).toEqual([])
  })

  it('the border between tenants, and that arguments can be read', async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO servers (name, tenant, url) VALUES ('gx', 'globex', '${UPSTREAM}')`,
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer'), ('globex', 'customer')",
      "INSERT INTO resources (tenant, type, id) VALUES ('globex', 'customer', 'c-1')",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
    )
    const { said } = await person()
    expect((await said('note', { id: 'c-1' })).code).toBe('not_allowed')
    expect((await said('note', { id: {} })).code).toBe('target_unreadable')
    expect((await said('note', { id: 'c-2' })).code).toBe('allowed')
    expect(seen).toHaveLength(1)
  })

  it('a revoked task', async () => {
    const { sub, said } = await person()
    await sql(
      `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at) VALUES
        ('acme', 't', '${ISSUER}', '${sub}', 'acme-agent', 'x', 'bob', ${Date.now() + DAY})`,
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'task', 't')",
    )
    expect((await said()).code).toBe('revoked')
  })
})

describe('observing ends', () => {
  it('by itself, without an edit', async () => {
    await sql('DELETE FROM policies', until(1_000))
    const { said } = await person()
    expect((await said()).code).toBe('allowed')
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect(await said()).toEqual({ code: 'not_allowed', reason: 'not_allowed', would_be: null })
  })

  it('14 days ahead at the latest: SQL refuses more', async () => {
    await sql(until(14 * DAY - 5_000))
    for (const statement of [
      until(15 * DAY),
      `INSERT INTO servers (name, tenant, url, observe_until) VALUES ('s', 'acme', 'https://s.example', ${Date.now() + 15 * DAY})`,
      `INSERT OR REPLACE INTO servers (name, tenant, url, observe_until) VALUES ('s', 'acme', 'https://s.example', ${Date.now() + 15 * DAY})`,
    ]) {
      await expect(sql(statement)).rejects.toThrow('at most 14 days')
    }
  })

  it('and what stands there without the trigger is not heard', async () => {
    const trigger = await env.DB.prepare(
      "SELECT sql FROM sqlite_master WHERE name = 'servers_observe_update'",
    ).first<{ sql: string }>()
    await sql('DELETE FROM policies', 'DROP TRIGGER servers_observe_update', until(15 * DAY))
    try {
      expect((await (await person()).said()).code).toBe('not_allowed')
    } finally {
      await sql(trigger?.sql ?? '')
    }
  })
})

describe('a result of a server that is observed', () => {
  it('passes, and what it would have been is recorded', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
      "UPDATE policies SET condition = 'targets.all(t, t.owned)'",
    )
    const { sub, said } = await person()
    expect((await said()).code).toBe('allowed')
    expect(await outcomeOf(sub, (await lastOf(sub)).id)).toMatchObject({
      outcome: 'committed',
      detail: 'would be withheld: not_allowed',
    })
    expect(await logOf(sub)).toHaveLength(1)
  })
})
