import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { factsStatement, type FactKeys } from '../../../src/storage/facts.ts'
import { readFactsRow } from '../../../src/storage/facts-row.ts'
import type { D1Reader } from '../../../src/storage/freshness.ts'
import { inThisWorld, ISSUER, newUser, sql, UPSTREAM } from '../../support/worker/world.ts'

inThisWorld()

const keys = (more: Partial<FactKeys> = {}): FactKeys => ({
  tenant: 'acme',
  issuer: ISSUER,
  subject: 'alice',
  client: 'acme-agent',
  agent: 'bot',
  subjectHolder: ['user', 'alice'],
  agentHolder: ['agent', 'bot'],
  revocable: [
    ['client', 'acme-agent'],
    ['tool', 'crm/note'],
  ],
  server: 'crm',
  tool: 'note',
  row: 'note',
  listing: false,
  named: [
    { type: 'customer', id: 'c-1', unlisted: 'restricted', from: 'arguments' },
    { type: 'customer', id: 'c-2', unlisted: 'restricted', from: 'arguments' },
  ],
  transaction: null,
  taskHandle: null,
  underTask: null,
  issuedAt: null,
  tokenSession: null,
  ...more,
})

const read = async (more: Partial<FactKeys> = {}) =>
  readFactsRow(await factsStatement(env.DB, keys(more)).first(), keys(more))

describe('the one statement of the facts', () => {
  /** How SQLite will go about it, one step a line. */
  const planOf = async (more: Partial<FactKeys>): Promise<string[]> => {
    const explaining = {
      prepare: (text: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`),
    } as D1Reader
    const { results } = await factsStatement(explaining, keys(more)).all<{ detail: string }>()
    return results.map(({ detail }) => detail)
  }

  it.each([
    ['a call', {}],
    ['a listing', { tool: null, row: null, listing: true, named: [] }],
  ])('of %s reads no table from its beginning to its end', async (_, more) => {
    const plan = await planOf(more)
    // What is bound, what was made on the way, the triggers, and an index of rows that are rare.
    const small =
      /json_each|VIRTUAL TABLE|sharing|subquery|CONSTANT ROW|sqlite_(master|schema)|_by_local/
    expect(plan.filter((step) => step.startsWith('SCAN') && !small.test(step))).toEqual([])
    // By name for all that could grow: exact rows, patterns, consents, tasks, tenants that share.
    for (const step of [
      /^SEARCH one USING INDEX \w+ \(tenant=\? AND type=\? AND id=\?/,
      /^SEARCH many USING INDEX resources_by_pattern/,
      /^SEARCH given USING INDEX consents_by_actor/,
      /^SEARCH tasks USING INDEX tasks_by_actor/,
      /^SEARCH tasks USING COVERING INDEX tasks_by_handle/,
      /^SEARCH servers USING INDEX servers_by_url/,
    ]) {
      expect(plan).toContainEqual(expect.stringMatching(step))
    }
  })

  it('of a call reads no more rows where there are a thousand times as many', async () => {
    await sql("INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')")
    const rowsRead = async () => (await factsStatement(env.DB, keys()).all()).meta.rows_read
    const before = await rowsRead()
    const many = (into: string, values: string) =>
      `INSERT INTO ${into} WITH RECURSIVE counted(n) AS
        (VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 1000) SELECT ${values} FROM counted`
    await sql(
      many('tools (tenant, server, name, access)', "'acme', 'crm', 't' || n, 'read'"),
      many(
        'tool_sightings (tenant, server, tool, definition_hash)',
        "'acme', 'crm', 't' || n, lower(hex(zeroblob(32)))",
      ),
      many('resources (tenant, type, id)', "'acme', 'customer', 'x-' || n"),
      many(
        'consents (tenant, id, issuer, subject, client, server, tool)',
        `'acme', 'c' || n, '${ISSUER}', 's' || n, 'acme-agent', 'crm', 'note'`,
      ),
      many(
        'tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)',
        `'acme', 't' || n, '${ISSUER}', 's' || n, 'acme-agent', 'p', 'bob', 9000000000000`,
      ),
      many('revocations (tenant, kind, id)', "'acme', 'token', 'jti-' || n"),
      many(
        'role_assignments (tenant, issuer, holder_kind, holder, role)',
        `'acme', '${ISSUER}', 'user', 's' || n, 'sales'`,
      ),
      many('tenants (id)', "'tenant-' || n"),
      many(
        'servers (name, tenant, url)',
        "'server-' || n, 'tenant-' || n, 'https://s' || n || '.example/mcp'",
      ),
      // Tenants elsewhere, each with what this call names, and with patterns that fit it.
      many('resource_types (tenant, name)', "'tenant-' || n, 'customer'"),
      many('resources (tenant, type, id)', "'tenant-' || n, 'customer', 'c-1'"),
      many('resources (tenant, type, id, pattern)', "'tenant-' || n, 'customer', 'c-*', 1"),
    )
    expect((await rowsRead()) - before).toBeLessThan(50)
  })
})

describe('what it finds', () => {
  it('is of this actor, and of nobody else', async () => {
    const consent = (id: string, columns: string) =>
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool) VALUES ('acme', '${id}', ${columns})`
    const task = (id: string, columns: string) =>
      `INSERT INTO tasks (tenant, id, issuer, subject, client, agent, purpose, opened_by, expires_at) VALUES ('acme', '${id}', ${columns}, 'p', 'bob', unixepoch() * 1000 + 60000)`
    await sql(
      consent('mine', `'${ISSUER}', 'alice', 'acme-agent', 'crm', 'note'`),
      consent('other-tool', `'${ISSUER}', 'alice', 'acme-agent', 'crm', 'x'`),
      consent('other-client', `'${ISSUER}', 'alice', 'other-agent', 'crm', 'note'`),
      consent('other-person', `'${ISSUER}', 'bob', 'acme-agent', 'crm', 'note'`),
      consent('other-issuer', `'x', 'alice', 'acme-agent', 'crm', 'note'`),
      task('mine', `'${ISSUER}', 'alice', 'acme-agent', 'bot'`),
      task('clients', `'${ISSUER}', 'alice', 'acme-agent', NULL`),
      task('other-person', `'${ISSUER}', 'bob', 'acme-agent', 'bot'`),
    )
    const facts = await read()
    expect(facts.consents.map(({ id }) => id)).toEqual(['mine'])
    expect(facts.tasks.map(({ id }) => id)).toEqual(['mine'])
    expect((await read({ agent: null })).tasks.map(({ id }) => id)).toEqual(['clients'])
    const listing = await read({ listing: true, tool: null })
    expect(listing.consents.map(({ id }) => id)).toEqual(['mine', 'other-tool'])
  })

  it('of sightings only what was compared with the present pin', async () => {
    const [now, old] = ['a'.repeat(64), 'b'.repeat(64)]
    const sighting = (tool: string, hash: string) =>
      `INSERT INTO tool_sightings (tenant, server, tool, definition_hash, matched_at) VALUES ('acme', 'crm', '${tool}', '${hash}', 1)`
    await sql(
      `UPDATE tools SET definition_hash = '${now}' WHERE name IN ('note', 'read_all')`,
      sighting('note', now),
      sighting('note', old),
      sighting('read_all', now),
      sighting('delete_one', now),
    )
    expect([...(await read()).sightings.keys()]).toEqual(['note'])
    expect((await read()).sightings.get('note')?.hash).toBe(now)
    const listing = await read({ listing: true, tool: null, row: null })
    expect([...listing.sightings.keys()].toSorted()).toEqual(['note', 'read_all'])
  })

  it('of many names each its own row, and none twice', async () => {
    const sub = await newUser()
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer'), ('acme', 'file')",
      `INSERT INTO resources (tenant, type, id, owner, owner_issuer, labels) VALUES
        ('acme', 'customer', 'c-1', '${sub}', '${ISSUER}', '["a.b","c.d"]'), ('acme', 'file', 'c-2', NULL, NULL, '[]')`,
      "INSERT INTO resources (tenant, type, id, pattern, sensitivity) VALUES ('acme', 'customer', 'c-*', 1, 'public')",
    )
    const { resources } = await read()
    expect([...resources]).toEqual([
      [
        '["customer","c-1"]',
        {
          tenant: 'acme',
          id: 'c-1',
          pattern: false,
          owner: { issuer: ISSUER, id: sub },
          sensitivity: 'restricted',
          labels: ['a.b', 'c.d'],
        },
      ],
      [
        '["customer","c-2"]',
        {
          tenant: 'acme',
          id: 'c-*',
          pattern: true,
          owner: null,
          sensitivity: 'public',
          labels: [],
        },
      ],
    ])
  })

  it('of a thousand names in one statement', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      `INSERT INTO resources (tenant, type, id, sensitivity)
       WITH RECURSIVE counted(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM counted WHERE n < 4999)
       SELECT 'acme', 'customer', 'c-' || n, 'public' FROM counted`,
    )
    const named = Array.from({ length: 1_000 }, (_, n) => ({
      type: 'customer',
      id: `c-${n * 10}`,
      unlisted: 'restricted' as const,
      from: 'result' as const,
    }))
    expect((await read({ named })).resources.size).toBe(500)
  })

  it('of tenants at the same upstream their resources, of others none', async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('near'), ('far')",
      `INSERT INTO servers (name, tenant, url) VALUES ('n', 'near', '${UPSTREAM}/'), ('f', 'far', 'https://far.example/mcp')`,
      "INSERT INTO resource_types (tenant, name) VALUES ('near', 'customer'), ('far', 'customer')",
      "INSERT INTO resources (tenant, type, id) VALUES ('near', 'customer', 'c-1'), ('far', 'customer', 'c-2')",
    )
    const { resources } = await read()
    expect([...resources.values()].map(({ tenant }) => tenant)).toEqual(['near'])
  })
})
