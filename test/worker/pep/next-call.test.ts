import { describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  seen,
  sessionKey,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

describe('the same token, the next call', () => {
  it.each<[string, string, string, string]>([
    [
      'a policy',
      "DELETE FROM policies WHERE id = 'sales'",
      "INSERT INTO policies (tenant, id, effect, role, agent) VALUES ('acme', 'sales', 'allow', 'sales', '*')",
      'not_allowed',
    ],
    [
      'a deny',
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'note')",
      "DELETE FROM policies WHERE id = 'no'",
      'denied_by_policy',
    ],
    [
      'a disabled policy',
      "UPDATE policies SET enabled = 0 WHERE id = 'sales'",
      'UPDATE policies SET enabled = 1',
      'not_allowed',
    ],
    [
      'a role',
      "DELETE FROM role_assignments WHERE holder = 'alice'",
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', 'alice', 'sales')`,
      'not_allowed',
    ],
    [
      'a role that lapsed',
      'UPDATE role_assignments SET expires_at = 1',
      'UPDATE role_assignments SET expires_at = NULL',
      'not_allowed',
    ],
    [
      'the client',
      "UPDATE clients SET active = 0 WHERE id = 'acme-agent'",
      'UPDATE clients SET active = 1',
      'client_not_registered',
    ],
    ['the tenant', 'UPDATE tenants SET active = 0', 'UPDATE tenants SET active = 1', 'inactive'],
    ['the server', 'UPDATE servers SET active = 0', 'UPDATE servers SET active = 1', 'inactive'],
    [
      'the tool',
      "DELETE FROM tools WHERE name = 'note'",
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'note', 'write', 1)",
      'tool_unknown',
    ],
    [
      'the issuer',
      'UPDATE issuers SET active = 0',
      'UPDATE issuers SET active = 1',
      'token_invalid',
    ],
    [
      'a scope',
      "UPDATE tools SET required_scope = 'more'",
      "UPDATE tools SET required_scope = ''",
      'insufficient_scope',
    ],
    [
      'a client revocation',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'acme-agent')",
      'DELETE FROM revocations',
      'revoked',
    ],
    [
      'a subject revocation',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', 'alice')",
      'DELETE FROM revocations',
      'revoked',
    ],
    [
      'a tool revocation',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')",
      'DELETE FROM revocations',
      'revoked',
    ],
    [
      'a server revocation',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'server', 'crm')",
      'DELETE FROM revocations',
      'revoked',
    ],
    [
      'a tenant revocation',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tenant', 'acme')",
      'DELETE FROM revocations',
      'revoked',
    ],
    [
      'an issuer revocation',
      `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'issuer', '${ISSUER}')`,
      'DELETE FROM revocations',
      'token_invalid',
    ],
    [
      'a policy that only watches',
      "UPDATE policies SET mode = 'shadow' WHERE id = 'sales'",
      "UPDATE policies SET mode = 'enforce'",
      'not_allowed',
    ],
    [
      'the environment of a policy',
      "UPDATE policies SET environment = 'staging' WHERE id = 'sales'",
      'UPDATE policies SET environment = NULL',
      'not_allowed',
    ],
    [
      'the environment of a tool',
      "UPDATE tools SET environment = 'staging'; UPDATE policies SET environment = 'production'",
      "UPDATE tools SET environment = 'production'; UPDATE policies SET environment = NULL",
      'not_allowed',
    ],
    [
      'a demand for a stronger login',
      "UPDATE policies SET require_acr = 'gold' WHERE id = 'sales'",
      'UPDATE policies SET require_acr = NULL',
      'insufficient_authentication',
    ],
    [
      'a demand for a recent login',
      "UPDATE policies SET max_auth_age_s = 60 WHERE id = 'sales'",
      'UPDATE policies SET max_auth_age_s = NULL',
      'insufficient_authentication',
    ],
    [
      'a demand for a bound token',
      "UPDATE policies SET require_sender_constrained = 1 WHERE id = 'sales'",
      'UPDATE policies SET require_sender_constrained = 0',
      'binding_required',
    ],
    [
      'a demand for an approval',
      "UPDATE policies SET require_approval = 1 WHERE id = 'sales'",
      'UPDATE policies SET require_approval = 0',
      'approval_required',
    ],
    [
      'a class of some calls',
      "INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES ('acme', 'crm', 'note', 'admin', 'true'); INSERT INTO policies (tenant, id, effect, access) VALUES ('acme', 'no', 'deny', 'admin')",
      "DELETE FROM tool_access; DELETE FROM policies WHERE id = 'no'",
      'denied_by_policy',
    ],
    [
      'a label of some calls',
      "INSERT INTO tool_labels (tenant, server, tool, label, condition) VALUES ('acme', 'crm', 'note', 'source.x', 'size(args) == 0'); INSERT INTO policies (tenant, id, effect, label) VALUES ('acme', 'no', 'deny', 'source.x')",
      "DELETE FROM tool_labels WHERE label = 'source.x'; DELETE FROM policies WHERE id = 'no'",
      'denied_by_policy',
    ],
    [
      'a demand for consent',
      'UPDATE servers SET consent_required = 1',
      'UPDATE servers SET consent_required = 0',
      'consent_required',
    ],
    [
      'a task that another tool is for',
      `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, tools, opened_by, expires_at) VALUES ('acme', hex(randomblob(8)), '${ISSUER}', 'alice', 'acme-agent', 'p', '["crm/x"]', 'bob', 9000000000000)`,
      'UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE closed_at IS NULL',
      'outside_task',
    ],
    [
      'an argument that must name something',
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer'); INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer'); UPDATE policies SET condition = 'targets.all(t, t.listed)'",
      'UPDATE policies SET condition = NULL; DELETE FROM tool_arguments; DELETE FROM resource_types',
      'not_allowed',
    ],
  ])('feels %s', async (_, change, undo, code) => {
    const bearer = await token()
    const asked = { token: bearer }
    for (let round = 0; round < 2; round += 1) {
      expect((await call('note', asked)).code).toBe('allowed')
      await sql(...change.split('; '))
      expect((await call('note', asked)).code).toBe(code)
      await sql(...undo.split('; '))
    }
    expect((await call('note', asked)).code).toBe('allowed')
    expect(seen).toHaveLength(3)
  })

  it('feels a revoked token, session and agent, and no other one', async () => {
    const sub = await newUser()
    const jti = crypto.randomUUID()
    const bearer = await token({ sub, agent: 'bot', claims: { jti } })
    const sibling = await token({ sub, agent: 'bot' })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', '${jti}')`)
    expect(await call('note', { token: bearer })).toMatchObject({
      status: 401,
      code: 'token_invalid',
    })
    expect((await call('note', { token: sibling })).code).toBe('allowed')
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'agent', 'bot')")
    expect((await call('note', { token: sibling })).code).toBe('revoked')
    expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
    const session = await sessionKey(sub)
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'session', '${session}')`)
    expect((await call('note', { token: await token({ sub, client: 'other-agent' }) })).code).toBe(
      'revoked',
    )
  })

  it('names all scopes in a challenge that a client can answer', async () => {
    await sql("UPDATE tools SET required_scope = 'more' WHERE name = 'note'")
    const response = await post(toolCall('note'))
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toMatch(
      /error="insufficient_scope".*scope="crm more"/,
    )
    expect((await call('note', { token: await token({ scope: 'crm more' }) })).code).toBe('allowed')
  })

  it('another client of the same user is another question', async () => {
    await sql("UPDATE policies SET client = 'acme-agent'")
    expect((await call('note')).code).toBe('allowed')
    expect((await call('note', { token: await token({ client: 'other-agent' }) })).code).toBe(
      'not_allowed',
    )
    expect((await call('note', { token: await token({ client: 'stranger' }) })).code).toBe(
      'client_not_registered',
    )
  })
})
