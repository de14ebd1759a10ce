import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { readTenantTables, type TenantSnapshot } from '../../../src/storage/tenant-tables.ts'
import { propertyRuns } from '../../support/property-runs.ts'
import { inThisWorld, sql } from '../../support/worker/world.ts'

inThisWorld()

const read = async (known?: TenantSnapshot): Promise<TenantSnapshot> => {
  const snapshot = await readTenantTables(env.DB, 'acme', known)
  if (snapshot === null) throw new Error('no such tenant')
  return snapshot
}

const policiesOf = ({ tables }: TenantSnapshot) =>
  tables.policies.toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** Rows in one order, because decisions do not depend on it. */
const comparable = (snapshot: TenantSnapshot) => ({
  policies: policiesOf(snapshot),
  revision: snapshot.revision,
  moment: snapshot.moment,
})

const triggersOf = async (table: string): Promise<string[]> => {
  const { results } = await env.DB.prepare(
    "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?",
  )
    .bind(table)
    .all<{ sql: string }>()
  return results.map((row) => row.sql)
}

/** Every way in which SQL changes rows of policies; `n` makes each edit another one. */
const EDITS: readonly ((n: number) => string)[] = [
  (n) => `INSERT OR IGNORE INTO policies (tenant, id, effect) VALUES ('acme', 'p${n}', 'deny')`,
  (n) =>
    `INSERT OR REPLACE INTO policies (tenant, id, effect, condition) VALUES ('acme', 'p${n % 7}', 'allow', 'args.n == ${n}')`,
  (n) =>
    `INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'p${n % 7}', 'deny') ON CONFLICT DO UPDATE SET effect = 'allow'`,
  (n) => `UPDATE policies SET reason = 'r${n}', role = NULL WHERE id = 'p${n % 7}'`,
  (n) =>
    `UPDATE OR REPLACE policies SET id = 'p${(n + 3) % 7}' WHERE tenant = 'acme' AND id = 'p${n % 7}'`,
  (n) => `UPDATE policies SET enabled = ${n % 2} WHERE id IN ('p${n % 7}', 'p${(n + 1) % 7}')`,
  (n) => `UPDATE OR IGNORE policies SET tenant = 'globex' WHERE id = 'p${n % 7}'`,
  (n) =>
    `UPDATE OR REPLACE policies SET tenant = 'acme' WHERE tenant = 'globex' AND id <> 'p${n % 7}'`,
  (n) => `DELETE FROM policies WHERE id = 'p${n % 7}' AND tenant = 'acme'`,
  () => "UPDATE tools SET access = 'write'",
  (n) =>
    `UPDATE policies SET mode = CASE WHEN length(id) % 2 = ${n % 2} THEN 'shadow' ELSE 'enforce' END`,
]

describe('what changed since, on top of what is known', { timeout: 600_000 }, () => {
  it('is what a reading of everything gives, after any edits', async () => {
    await sql("INSERT INTO tenants (id) VALUES ('globex')")
    const { numRuns, seed } = propertyRuns(2_000, env)
    let random = seed
    const next = (below: number): number => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((random / 2_147_483_648) * below)
    }
    let known = await read()
    for (let n = 0; n < numRuns; n += 1) {
      const edits = Array.from({ length: 1 + next(3) }, () =>
        EDITS[next(EDITS.length)]?.(next(1_000)),
      )
      await sql(...edits.filter((edit) => edit !== undefined))
      const whole = await read()
      const incremental = await read(known)
      expect(comparable(incremental)).toEqual(comparable(whole))
      // Not always the last state: an isolate may have slept for a while.
      if (next(3) > 0) known = incremental
    }
    await sql("DELETE FROM policies WHERE tenant = 'globex'")
  })

  it('reads little: a policy that did not change is the very same object', async () => {
    const known = await read()
    await sql("INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'another', 'deny')")
    const { tables } = await read(known)
    expect(tables.policies).toContain(known.tables.policies[0])
    expect((await read()).tables.policies).not.toContain(known.tables.policies[0])
  })
})

describe('everything is read again', () => {
  it('after a table was rebuilt, also by whoever forgot to move the revision on', async () => {
    const known = await read()
    const triggers = await triggersOf('policies')
    const table = await env.DB.prepare(
      "SELECT sql FROM sqlite_master WHERE name = 'policies'",
    ).first<{ sql: string }>()
    await sql(
      'CREATE TABLE aside AS SELECT * FROM policies',
      'DROP TABLE policies',
      table?.sql ?? '',
      "INSERT INTO policies SELECT * FROM aside WHERE effect = 'deny'",
      'DROP TABLE aside',
      ...triggers,
    )
    const after = await read(known)
    expect(after.revision).not.toBe(known.revision)
    expect(policiesOf(after)).toEqual([])
  })

  it('where the restored triggers do not write the history', async () => {
    const known = await read()
    const triggers = await triggersOf('policies')
    const [names] = [triggers.map((text) => /TRIGGER (\w+)/.exec(text)?.[1] ?? '')]
    await sql(
      ...names.map((name) => `DROP TRIGGER ${name}`),
      ...names.map(
        (name) =>
          `CREATE TRIGGER ${name} AFTER ${name.split('_').at(-1)} ON policies BEGIN UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))); END`,
      ),
      "UPDATE policies SET effect = 'deny' WHERE id = 'sales'",
    )
    expect(policiesOf(await read(known))).toMatchObject([{ id: 'sales', effect: 'deny' }])
    await sql(...names.map((name) => `DROP TRIGGER ${name}`), ...triggers)
  })

  it('in a database that was taken back in time and edited as often again', async () => {
    const before = await env.DB.prepare('SELECT max(sequence) AS n FROM policy_history').first<{
      n: number
    }>()
    const triggers = await triggersOf('policy_history')
    const names = triggers.map((text) => /TRIGGER (\w+)/.exec(text)?.[1] ?? '')
    await sql("UPDATE policies SET reason = 'first life' WHERE id = 'sales'")
    const known = await read()
    await sql(
      ...names.map((name) => `DROP TRIGGER ${name}`),
      `DELETE FROM policy_history WHERE sequence > ${before?.n ?? 0}`,
      "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'second-life', 'deny')",
      ...triggers,
    )
    // As many entries as before, and other ones.
    expect((await read()).moment.sequence).toBe(known.moment.sequence)
    expect(comparable(await read(known))).toEqual(comparable(await read()))
  })

  it('after more changes than are worth taking in one by one', async () => {
    const known = await read()
    await sql(
      `INSERT INTO policies (tenant, id, effect) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
       SELECT 'acme', 'many-' || i, 'deny' FROM n`,
    )
    expect(comparable(await read(known))).toEqual(comparable(await read()))
  })
})
