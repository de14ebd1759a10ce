import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import { PROJECT } from '../../local/state.ts'
import { compileCondition } from '../../src/pdp/condition.ts'
import { compileRule } from '../../src/pdp/sequence/rule.ts'

/** Everything that could let a call through. */
const TRUST = [
  'tenants',
  'issuers',
  'servers',
  'tools',
  'clients',
  'agents',
  'role_assignments',
  'policies',
]

describe('the demo lives in the seed alone', () => {
  it('`migrations/` by itself trusts nobody and allows nothing', async () => {
    const database = await migrated()
    for (const table of TRUST) {
      expect(database.prepare(`SELECT count(*) AS n FROM ${table}`).get(), table).toEqual({ n: 0 })
    }
  })

  it('the seed fits the schema, and its conditions and rules compile', async () => {
    const database = await migrated()
    for (const sql of await sqlOf('local/seed')) {
      database.exec(
        sql
          .replaceAll('{{issuer}}', 'http://127.0.0.1:8788')
          .replaceAll('{{server}}', 'http://127.0.0.1:8789'),
      )
    }
    const conditions = database
      .prepare('SELECT id, condition FROM policies WHERE condition IS NOT NULL')
      .all()
    expect(conditions.length).toBeGreaterThan(0)
    for (const { id, condition } of conditions) {
      expect(compileCondition(String(condition)), String(id)).toMatchObject({ ok: true })
    }
    for (const row of database.prepare('SELECT * FROM sequence_rules').all()) {
      const rule = compileRule({
        id: String(row['id']),
        effect: 'deny',
        onLabel: String(row['on_label']),
        onAccess: null,
        unlessLabel: null,
        onWhere: null,
        groupBy: '[]',
        field: null,
        role: null,
        origins: null,
        type: row['type'] === 'temporal' ? 'temporal' : 'event_count',
        rules: String(row['rules']),
        scope: 'subject',
        timespanSeconds: Number(row['timespan_s']),
        untilLabel: null,
        condition: row['condition'] === null ? null : String(row['condition']),
        reason: String(row['reason']),
      })
      expect(rule.problem).toBeNull()
    }
  })
})

describe('wrangler.local.toml', () => {
  const read = (file: string) => readConfig({ config: join(PROJECT, file) })
  const local = read('wrangler.local.toml')
  const deployable = read('wrangler.toml')

  it('is the deployable configuration with the local switch, and nothing else', () => {
    const { ALLOW_LOOPBACK_UPSTREAMS: loopback, ...vars } = local.vars
    expect(loopback).toBe('true')
    expect(Object.keys(vars).toSorted()).toEqual(Object.keys(deployable.vars).toSorted())
    for (const part of [
      'main',
      'compatibility_date',
      'compatibility_flags',
      'd1_databases',
      'durable_objects',
      'migrations',
    ] as const) {
      expect(withoutIds(local[part]), part).toEqual(withoutIds(deployable[part]))
    }
  })
})

/** Whoever deploys writes the ids of their own databases into one of the two. */
const withoutIds = (part: unknown): unknown =>
  JSON.parse(
    JSON.stringify(part ?? null, (name, value: unknown) =>
      name === 'database_id' ? undefined : value,
    ),
  )

async function migrated(): Promise<DatabaseSync> {
  const database = new DatabaseSync(':memory:')
  for (const sql of await sqlOf('migrations')) database.exec(sql)
  return database
}

async function sqlOf(folder: string): Promise<string[]> {
  const names = (await readdir(join(PROJECT, folder))).filter((name) => name.endsWith('.sql'))
  return Promise.all(names.toSorted().map((name) => readFile(join(PROJECT, folder, name), 'utf8')))
}
