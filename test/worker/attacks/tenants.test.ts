import { describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const OTHER = 'https://other.example'

const seedGlobex = () =>
  sql(
    "INSERT INTO tenants (id) VALUES ('globex')",
    `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('globex', '${OTHER}', '${ISSUER}/jwks.json')`,
    `INSERT INTO clients (tenant, issuer, id) VALUES ('globex', '${OTHER}', 'acme-agent')`,
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('globex', '${OTHER}', 'user', 'alice', 'sales')`,
    "INSERT INTO servers (name, tenant, url, internal) VALUES ('gx', 'globex', 'https://crm.example/mcp/gx', 1)",
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('globex', 'gx', 'export_all', 'export', 1), ('globex', 'gx', 'note', 'write', 1)",
    "INSERT INTO policies (tenant, id, effect, agent) VALUES ('globex', 'all', 'allow', '*')",
  )

const globex = async (claims = {}) => ({
  server: 'gx',
  token: await token({ claims: { iss: OTHER, aud: `${ORIGIN}/gx/mcp`, ...claims } }),
})

describe('tenants never meet', () => {
  it.each([
    [
      'allows',
      "INSERT INTO policies (tenant, id, effect, agent) VALUES ('globex', 'x', 'allow', '*')",
    ],
    [
      'roles',
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('globex', '${ISSUER}', 'user', 'mallory', 'sales')`,
    ],
    [
      'clients',
      `INSERT INTO clients (tenant, issuer, id) VALUES ('globex', '${ISSUER}', 'mallory-agent')`,
    ],
  ])('%s of one tenant help nobody in another', async (_, statement) => {
    await seedGlobex()
    await sql(statement)
    const sub = 'mallory'
    expect((await call('note', { token: await token({ sub }) })).code).toBe('not_allowed')
    const unknown = await call('note', { token: await token({ client: 'mallory-agent' }) })
    expect(unknown.code).toBe('client_not_registered')
  })

  it.each([
    ['denies', "INSERT INTO policies (tenant, id, effect) VALUES ('globex', 'x', 'deny')"],
    [
      'revocations',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('globex', 'subject', 'alice')",
    ],
    ['switches', "UPDATE tenants SET active = 0 WHERE id = 'globex'"],
    [
      'rules',
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('globex', 'x', 'deny', 'any', 'temporal', '["sink.update"]', 'x')`,
    ],
  ])('%s of one tenant stop nobody in another', async (_, statement) => {
    await seedGlobex()
    await sql(statement)
    expect((await call('note', { args: { a: 1 } })).code).toBe('allowed')
  })

  it('one name in two tenants is two histories', async () => {
    await seedGlobex()
    await sql(
      "UPDATE issuers SET tenant_claim = 'org'",
      `INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim) VALUES ('globex', '${ISSUER}', '${ISSUER}/jwks.json', 'org')`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('globex', '${ISSUER}', 'acme-agent')`,
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('globex', 'gx', 'read_all', 'read', 1)",
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('globex', 'gx', 'read_all', 'source.confidential'), ('globex', 'gx', 'read_all', 'source.bulk')",
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('globex', 'x', 'deny', 'sink.export', 'temporal', '["source.bulk"]', 'x')`,
    )
    // The same person of the same issuer, in one tenant and in the other.
    const sub = await newUser()
    const here = { token: await token({ sub, claims: { org: 'acme' } }) }
    const there = await globex({ iss: ISSUER, sub, org: 'globex' })
    expect((await call('read_all', here)).code).toBe('allowed')
    expect((await call('export_all', there)).code).toBe('allowed')
    expect((await call('read_all', there)).code).toBe('allowed')
    expect((await call('export_all', there)).code).toBe('denied_by_sequence')
  })

  it.each([
    ['for the server of another tenant', { aud: RESOURCE }],
    ['that claims the issuer of another tenant', { iss: ISSUER }],
    ['for both', { aud: [RESOURCE, `${ORIGIN}/gx/mcp`], iss: ISSUER }],
  ])('a token %s opens nothing', async (_, claims) => {
    await seedGlobex()
    const said = await post(toolCall('note'), await globex(claims))
    expect(said.status).toBe(401)
    expect(seen).toEqual([])
  })

  it('of an issuer that two tenants share only the claim says whose user it is', async () => {
    await seedGlobex()
    await sql(
      `UPDATE issuers SET tenant_claim = 'org' WHERE tenant = 'acme'`,
      `INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim) VALUES ('globex', '${ISSUER}', '${ISSUER}/jwks.json', 'org')`,
    )
    for (const org of ['globex', ['acme'], { acme: true }, 'ACME', 'acme ', null, undefined]) {
      const bearer = await token({ claims: { org } })
      expect((await post(toolCall('note'), { token: bearer })).status).toBe(401)
    }
    expect((await call('note', { token: await token({ claims: { org: 'acme' } }) })).code).toBe(
      'allowed',
    )
  })

  it('of a foreign server a refusal tells that its name is taken, and nothing else', async () => {
    await seedGlobex()
    const shape = async (server: string) => {
      const bearer = await token({ claims: { aud: `${ORIGIN}/${server}/mcp` } })
      const response = await post('{"jsonrpc":"2.0","id":1,"method":"ping"}', {
        server,
        token: bearer,
      })
      return (await response.text()).replaceAll(server, 'S')
    }
    // The challenge of RFC 9728 is public for every server that exists, so 401 and 404 do differ.
    const foreign = await shape('gx')
    expect(foreign).toContain('token_invalid')
    expect(foreign).not.toContain('globex')
    expect(await shape('nope')).toContain('server_unknown')
  })
})

describe('roles', () => {
  it.each(['client', 'agent'])('of a %s of that name are not those of the user', async (kind) => {
    await sql(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', '${kind}', 'eve', 'sales')`,
    )
    expect((await call('note', { token: await token({ sub: 'eve' }) })).code).toBe('not_allowed')
  })

  it('of another issuer of the tenant are not those of this one', async () => {
    await sql(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${OTHER}', 'user', 'eve', 'sales')`,
    )
    expect((await call('note', { token: await token({ sub: 'eve' }) })).code).toBe('not_allowed')
  })

  it('a right of the user is none of the agent, and the reverse', async () => {
    await sql(
      'DELETE FROM policies',
      "INSERT INTO policies (tenant, id, effect, role) VALUES ('acme', 'sales', 'allow', 'sales')",
    )
    expect((await call('note')).code).toBe('not_allowed')
    expect((await call('note', { token: await token({ agent: 'bot' }) })).code).toBe('not_allowed')
    await sql(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'agent', 'bot', 'sales')`,
    )
    expect((await call('note', { token: await token({ agent: 'bot' }) })).code).toBe('allowed')
    const nobody = await token({ sub: 'nobody', agent: 'bot' })
    expect((await call('note', { token: nobody })).code).toBe('not_allowed')
  })
})
