import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'

/** Rows stay from one line to the next, so that each begins with all that it needs. */
describe('what SQL itself refuses', () => {
  beforeAll(async () => {
    await env.DB.prepare("INSERT INTO tenants (id) VALUES ('acme'), ('globex')").run()
  })

  const acme =
    "INSERT INTO servers (name, tenant, url) VALUES ('crm', 'acme', 'https://crm.example/mcp')"

  it.each([
    [
      'a server name taken by another tenant',
      acme,
      "INSERT OR REPLACE INTO servers (name, tenant, url) VALUES ('crm', 'globex', 'https://evil.example')",
    ],
    ['a server that changes its tenant', '', "UPDATE servers SET tenant = 'globex'"],
    [
      'a server name that is no path segment',
      '',
      "INSERT INTO servers (name, tenant, url) VALUES ('../x', 'acme', 'https://x.example')",
    ],
    [
      'an upstream over plain http',
      '',
      "INSERT INTO servers (name, tenant, url) VALUES ('b', 'acme', 'http://10.0.0.1/')",
    ],
    [
      'an issuer that two tenants share without saying whose user it is',
      "INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'https://i.example', 'https://i.example/k')",
      "INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim) VALUES ('globex', 'https://i.example', 'https://i.example/k', 'tenant')",
    ],
    [
      'a tool of a server of another tenant',
      '',
      "INSERT INTO tools (tenant, server, name, access) VALUES ('globex', 'crm', 'a', 'read')",
    ],
    [
      'a tool that still has labels',
      "INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'crm', 'a', 'read'); INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'a', 'source.bulk')",
      'DELETE FROM tools',
    ],
    [
      'an unknown effect',
      '',
      "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'x', 'permit')",
    ],
    [
      'an unknown tenant',
      '',
      "INSERT INTO policies (tenant, id, effect) VALUES ('nobody', 'x', 'deny')",
    ],
    [
      'a count without a window',
      '',
      "INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, condition, reason) VALUES ('acme', 'r', 'deny', 'any', 'event_count', '[\"a.b\"]', '{\"gt\":1}', 'x')",
    ],
    [
      'a lock-out of more than the actor',
      '',
      "INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, reason) VALUES ('acme', 'r', 'deny', 'any', 'event_count', '[\"decision.denied\"]', 60, '{\"gte\":1}', 'x')",
    ],
    [
      'a type of rule that nobody knows',
      '',
      "INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('acme', 'r', 'deny', 'any', 'spatial', '[\"a.b\"]', 'x')",
    ],
    [
      'a pin that is no digest',
      '',
      "UPDATE tools SET definition_hash = 'A' || substr(hex(zeroblob(32)), 2)",
    ],
    [
      'a pin of a pattern',
      '',
      "INSERT INTO tools (tenant, server, name, access, definition_hash) VALUES ('acme', 'crm', 'a_*', 'read', lower(hex(zeroblob(32))))",
    ],
    [
      'a definition without its digest',
      '',
      "INSERT INTO tools (tenant, server, name, access, definition) VALUES ('acme', 'crm', 'b', 'read', '{}')",
    ],
    [
      'an environment that no policy could name',
      '',
      "UPDATE tools SET environment = 'Production EU'",
    ],
    [
      'a class of access without a condition',
      '',
      "INSERT INTO tool_access (tenant, server, tool, access) VALUES ('acme', 'crm', 'a', 'write')",
    ],
    [
      'a class of access of a tool without a row',
      '',
      "INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES ('acme', 'crm', 'z', 'write', 'args.x')",
    ],
    [
      'a type of resource with an unknown form',
      '',
      "INSERT INTO resource_types (tenant, name, form) VALUES ('acme', 'x', 'regex')",
    ],
    [
      'an argument that names an unknown type',
      '',
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'a', '/id', 'nothing')",
    ],
    [
      'an argument that is neither a name nor anything else',
      '',
      "INSERT INTO tool_arguments (tenant, server, tool, pointer) VALUES ('acme', 'crm', 'a', '/id')",
    ],
    [
      'an argument whose pointer is none',
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'a', 'id', 'customer')",
    ],
    [
      'a result of an unknown type',
      '',
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'a', '/id', 'nothing')",
    ],
    [
      'a resource of an unknown type',
      '',
      "INSERT INTO resources (tenant, type, id) VALUES ('acme', 'nothing', 'x')",
    ],
    [
      'an owner without an issuer',
      '',
      "INSERT INTO resources (tenant, type, id, owner) VALUES ('acme', 'customer', 'x', 'alice')",
    ],
    [
      'a pattern of resources without a star',
      '',
      "INSERT INTO resources (tenant, type, id, pattern) VALUES ('acme', 'customer', 'x', 1)",
    ],
    [
      'a pattern of resources with two stars',
      '',
      "INSERT INTO resources (tenant, type, id, pattern) VALUES ('acme', 'customer', '*x*', 1)",
    ],
    [
      'an unknown sensitivity',
      '',
      "INSERT INTO resources (tenant, type, id, sensitivity) VALUES ('acme', 'customer', 'x', 'secret')",
    ],
    [
      'labels of a resource that are no list',
      '',
      "INSERT INTO resources (tenant, type, id, labels) VALUES ('acme', 'customer', 'x', '\"a.b\"')",
    ],
    [
      'a type that still has resources',
      "INSERT INTO resources (tenant, type, id) VALUES ('acme', 'customer', 'x')",
      'DELETE FROM resource_types',
    ],
    [
      'a consent to nothing in particular',
      '',
      "INSERT INTO consents (tenant, id, issuer, subject, client, server) VALUES ('acme', 'c', 'i', 's', 'c', 'crm')",
    ],
    [
      'a consent to a definition of no tool',
      '',
      "INSERT INTO consents (tenant, id, issuer, subject, client, server, access, definition_hash) VALUES ('acme', 'c', 'i', 's', 'c', 'crm', 'read', lower(hex(zeroblob(32))))",
    ],
    [
      'an unknown mode',
      '',
      "INSERT INTO policies (tenant, id, effect, mode) VALUES ('acme', 'x', 'deny', 'audit')",
    ],
    [
      'a deny that asks for an approval',
      '',
      "INSERT INTO policies (tenant, id, effect, require_approval) VALUES ('acme', 'x', 'deny', 1)",
    ],
    [
      'a revocation of an unknown kind',
      '',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'policy', 'x')",
    ],
    [
      'a caller of the decision endpoint without a server',
      '',
      "INSERT INTO pdp_callers (tenant, issuer, client, servers) VALUES ('acme', 'i', 'c', '[]')",
    ],
  ])('%s', async (_, before, statement) => {
    if (before !== '') await env.DB.prepare(before).run()
    await expect(env.DB.prepare(statement).run()).rejects.toThrow(
      /constraint|belongs to|keeps its|tenant_claim/i,
    )
  })
})

describe('the address of a server', () => {
  const OTHERS = "SELECT rtrim(lower(url), '/') AS url FROM servers"
  const insert = (url: string) =>
    env.DB.prepare("INSERT INTO servers (name, tenant, url) VALUES ('spelling', 'acme', ?)")
      .bind(url)
      .run()

  beforeAll(async () => {
    await env.DB.prepare("INSERT OR IGNORE INTO tenants (id) VALUES ('acme')").run()
  })
  afterEach(async () => {
    await env.DB.prepare("DELETE FROM servers WHERE name = 'spelling'").run()
  })

  it.each([
    'https://crm.example',
    'https://crm.example/mcp',
    'https://crm.example/a/b-c/mcp.v2',
    'https://crm.example:8443/mcp',
    'https://crm.example:4430/mcp',
    'https://203.0.113.1/mcp',
    'https://[2606:4700::1]/mcp',
    'http://localhost:8800/mcp',
    'http://127.0.0.1:8080',
    'http://[::1]:9000/mcp',
  ])('may be %s', async (url) => {
    await insert(url)
    // A URL parser reads it as it stands (WHATWG URL §4.5).
    expect([url, `${url}/`]).toContain(new URL(url).href)
  })

  // URL parsers read each of them as an address that is written otherwise (WHATWG URL §4.4).
  it.each([
    ['a port that it has anyway', 'https://crm.example:443/mcp'],
    ['that port at its end', 'https://crm.example:443'],
    ['that port over plain http', 'http://localhost:80/mcp'],
    ['that port over plain http, at its end', 'http://localhost:80'],
    ['a port with zeros before it', 'https://crm.example:08443/mcp'],
    ['a port of nothing', 'https://crm.example:/mcp'],
    ['a port of nothing at its end', 'https://crm.example:'],
    ['a third slash', 'https:///crm.example/mcp'],
    ['a fourth slash', 'https:////crm.example/mcp'],
    ['an escaped letter', 'https://crm.example/%6Dcp'],
    ['an escaped letter of its host', 'https://%63rm.example/mcp'],
    ['an escaped dot', 'https://crm.example/%2e/mcp'],
    ['a dot in its path', 'https://crm.example/./mcp'],
    ['a dot at its end', 'https://crm.example/mcp/.'],
    ['a step back', 'https://crm.example/x/../mcp'],
    ['a dot behind its host', 'https://crm.example./mcp'],
    ['two slashes', 'https://crm.example//mcp'],
    ['a query', 'https://crm.example/mcp?x=1'],
    ['a query of nothing', 'https://crm.example/mcp?'],
    ['a fragment', 'https://crm.example/mcp#x'],
    ['a name before its host', 'https://x@crm.example/mcp'],
    ['a backslash', 'https://crm.example\\mcp'],
    ['a blank', 'https://crm.example/mcp '],
    ['a tab', 'https://crm.exa\tmple/mcp'],
    ['a letter of full width', 'https://\uff43rm.example/mcp'],
    ['a soft hyphen', 'https://c\u00adrm.example/mcp'],
  ])('has no %s', async (_, url) => {
    await expect(insert(url)).rejects.toThrow(/constraint/i)
  })

  it('is found by any case, and with a slash at its end', async () => {
    await insert('https://CRM.example/mcp/')
    const { results } = await env.DB.prepare(OTHERS).all<{ url: string }>()
    expect(results.map(({ url }) => url)).toContain('https://crm.example/mcp')
  })
})

/** D1 takes no longer pattern of LIKE or GLOB, and a CHECK fails as late as at the first row. */
it('no pattern is longer than D1 takes', async () => {
  const { results } = await env.DB.prepare(
    'SELECT sql FROM sqlite_master WHERE sql IS NOT NULL',
  ).all<{ sql: string }>()
  const patterns = results.flatMap(({ sql }) => [...sql.matchAll(/(?:GLOB|LIKE) '([^']*)'/g)])
  expect(patterns.length).toBeGreaterThan(20)
  expect(patterns.filter(([, pattern = '']) => pattern.length > 50)).toEqual([])
  const glob = (length: number) =>
    env.DB.prepare(`SELECT '' GLOB '${'x'.repeat(length)}' AS fits`).first()
  expect(await glob(50)).toEqual({ fits: 0 })
  await expect(glob(51)).rejects.toThrow('too complex')
})
