import { env } from 'cloudflare:workers'
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { describe, expect, it } from 'vitest'
import {
  COMPILED_TABLES,
  FRESH_TABLES,
  HISTORY_TABLES,
  PAGE_TABLES,
  REVISION_TRIGGERS,
  SIGNAL_TABLES,
} from '../../../src/storage/freshness.ts'
import * as schema from '../../../src/storage/schema.ts'

const { credentialEvents, decisions, outcomes, serverTaskEvents, ...policyTables } = schema

interface ColumnInfo {
  name: string
  type: string
  notnull: number
  pk: number
}

const columnsOf = async (database: D1Database, table: string): Promise<ColumnInfo[]> => {
  const { results } = await database
    .prepare('SELECT name, type, "notnull", pk FROM pragma_table_info(?)')
    .bind(table)
    .all<ColumnInfo>()
  return results
}

const mirrorOf = (table: SQLiteTable): ColumnInfo[] => {
  const { columns, primaryKeys } = getTableConfig(table)
  const composite = primaryKeys.flatMap(({ columns: keys }) => keys.map(({ name }) => name))
  return columns.map((column) => ({
    name: column.name,
    type: column.getSQLType().toUpperCase(),
    notnull: column.notNull ? 1 : 0,
    pk: column.primary ? 1 : composite.indexOf(column.name) + 1,
  }))
}

const tablesOf = async (database: D1Database) => {
  const { results } = await database
    .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    .all<{ name: string; strict: number }>()
  return results.filter(({ name }) => !/^(sqlite_|_cf_|d1_)/.test(name))
}

describe('the typed mirror', () => {
  const all = [
    ...Object.values(policyTables).map(
      (table) => [getTableConfig(table).name, env.DB, table] as const,
    ),
    ...[credentialEvents, decisions, outcomes, serverTaskEvents].map(
      (table) => [getTableConfig(table).name, env.DECISIONS, table] as const,
    ),
  ]

  it.each(all)('of `%s` is what the migrations made', async (name, database, table) => {
    expect(mirrorOf(table)).toEqual(await columnsOf(database, name))
  })

  it('misses no table, and every table is strict', async () => {
    const tables = [...(await tablesOf(env.DB)), ...(await tablesOf(env.DECISIONS))]
    expect(tables.map(({ name }) => name).toSorted()).toEqual(all.map(([name]) => name).toSorted())
    expect(tables.filter(({ strict }) => strict !== 1)).toEqual([])
  })
})

describe('every table is compiled, read afresh, history or of our pages', () => {
  it('and in one list only', async () => {
    const listed = [
      ...COMPILED_TABLES,
      ...FRESH_TABLES,
      ...HISTORY_TABLES,
      ...PAGE_TABLES,
      ...SIGNAL_TABLES,
    ].toSorted()
    expect(listed).toEqual((await tablesOf(env.DB)).map(({ name }) => name).toSorted())
  })

  it('and names its tenant', async () => {
    for (const { name } of await tablesOf(env.DB)) {
      if (name === 'tenants') continue
      expect((await columnsOf(env.DB, name)).map((column) => column.name)).toContain('tenant')
    }
  })

  it('and a compiled one has its three triggers', async () => {
    const { results } = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'revision_*'",
    ).all<{ name: string }>()
    const expected = COMPILED_TABLES.flatMap((table) =>
      ['insert', 'update', 'delete'].map((event) => `revision_${table}_${event}`),
    )
    expect(results.map(({ name }) => name).toSorted()).toEqual(expected.toSorted())
    expect(results).toHaveLength(REVISION_TRIGGERS)
  })
})

describe('migrations alone', () => {
  it('trust nobody and allow nothing', async () => {
    for (const { name } of await tablesOf(env.DB)) {
      const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${name}`).first<{ n: number }>()
      expect([name, row?.n]).toEqual([name, 0])
    }
  })
})

describe('a revision', () => {
  const revision = async (tenant: string) =>
    (await env.DB.prepare('SELECT counter, nonce FROM revision WHERE tenant = ?')
      .bind(tenant)
      .first<{ counter: number; nonce: string }>()) ?? { counter: 0, nonce: '' }

  const run = (sql: string) => env.DB.prepare(sql).run()

  it('moves on with every edit of a compiled row, and its nonce never comes again', async () => {
    await run("INSERT INTO tenants (id) VALUES ('acme'), ('globex')")
    await run(
      "INSERT INTO servers (name, tenant, url) VALUES ('crm', 'acme', 'https://crm.example/mcp')",
    )
    const edits = [
      "INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'https://i.example', 'https://i.example/k')",
      'UPDATE issuers SET max_lifetime_s = 60',
      "INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'crm', 'a', 'read')",
      "UPDATE tools SET definition_hash = '" + 'a'.repeat(64) + "'",
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'a', 'source.bulk')",
      "UPDATE tool_labels SET condition = 'args.x'",
      "INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES ('acme', 'crm', 'a', 'write', 'args.x')",
      "INSERT OR REPLACE INTO tool_access (tenant, server, tool, access, condition) VALUES ('acme', 'crm', 'a', 'write', 'args.y')",
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "UPDATE resource_types SET form = 'lower'",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'a', '/id', 'customer')",
      "UPDATE tool_arguments SET unlisted = 'public'",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'a', '/id', 'customer')",
      'UPDATE tool_results SET optional = 1',
      "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'p', 'deny')",
      "INSERT OR REPLACE INTO policies (tenant, id, effect) VALUES ('acme', 'p', 'allow')",
      "UPDATE policies SET id = 'q' WHERE id = 'p'",
      "INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('acme', 'r', 'deny', 'any', 'temporal', '[\"a.b\"]', 'x')",
      'DELETE FROM sequence_rules',
      'DELETE FROM policies',
      'DELETE FROM tool_results',
      'DELETE FROM tool_arguments',
      'DELETE FROM resource_types',
      'DELETE FROM tool_access',
      'DELETE FROM tool_labels',
      'DELETE FROM tools',
      'DELETE FROM issuers',
      'DELETE FROM servers',
    ]
    const nonces = new Set<string>()
    const globex = await revision('globex')
    let before = await revision('acme')
    for (const edit of edits) {
      await run(edit)
      const after = await revision('acme')
      expect(after.counter, edit).toBeGreaterThan(before.counter)
      nonces.add(after.nonce)
      before = after
    }
    expect(nonces.size).toBe(edits.length)
    expect(await revision('globex')).toEqual(globex)
  })

  it('moves on for both tenants when a row changes sides', async () => {
    await run("INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'p', 'deny')")
    const [acme, globex] = [await revision('acme'), await revision('globex')]
    await run("UPDATE policies SET tenant = 'globex'")
    expect((await revision('acme')).counter).toBe(acme.counter + 1)
    expect((await revision('globex')).counter).toBe(globex.counter + 1)
  })

  it('is never deleted', async () => {
    await expect(run('DELETE FROM revision')).rejects.toThrow('never deleted')
  })
})
