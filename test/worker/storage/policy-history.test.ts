import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import * as schema from '../../../src/storage/schema.ts'
import { getTableColumns } from 'drizzle-orm'
import { inThisWorld, sql } from '../../support/worker/world.ts'

inThisWorld()

interface Entry {
  readonly sequence: number
  readonly tenant: string
  readonly source: string
  readonly id: string
  readonly change: string
  readonly state: string
  readonly revision: string
  readonly changed_at: number
}

/** Other tests of this file leave theirs: history is never deleted. */
const history = async (...ids: string[]): Promise<Entry[]> => {
  const { results } = await env.DB.prepare(
    `SELECT * FROM policy_history WHERE id IN (SELECT value FROM json_each(?)) ORDER BY sequence`,
  )
    .bind(JSON.stringify(ids))
    .all<Entry>()
  return results
}

const revision = async (tenant = 'acme') =>
  (
    await env.DB.prepare("SELECT counter || ':' || nonce AS now FROM revision WHERE tenant = ?")
      .bind(tenant)
      .first<{ now: string }>()
  )?.now

const insert = (id: string, effect = 'deny') =>
  `INSERT INTO policies (tenant, id, effect, reason) VALUES ('acme', '${id}', '${effect}', 'first')`

const changes = (entries: readonly Entry[]) =>
  entries.map(({ id, change, state }) => [
    id,
    change,
    (JSON.parse(state) as { reason: string }).reason,
  ])

describe('the history of a policy', () => {
  it('has every state, and the revision that each began with', async () => {
    const revisions: unknown[] = []
    for (const statement of [
      insert('p'),
      "UPDATE policies SET reason = 'second' WHERE id = 'p'",
      "UPDATE policies SET enabled = 0, reason = 'third' WHERE id = 'p'",
      "DELETE FROM policies WHERE id = 'p'",
    ]) {
      await sql(statement)
      revisions.push(await revision())
    }
    const entries = await history('p')
    expect(changes(entries)).toEqual([
      ['p', 'insert', 'first'],
      ['p', 'update', 'second'],
      ['p', 'update', 'third'],
      ['p', 'delete', 'third'],
    ])
    expect(entries.map((entry) => entry.revision)).toEqual(revisions)
    expect(entries.every(({ changed_at: at }) => Math.abs(at - Date.now()) < 60_000)).toBe(true)
  })

  it('holds every column, so that a replay needs nothing else', async () => {
    await sql(insert('all'))
    const [entry] = await history('all')
    const stored = await env.DB.prepare("SELECT * FROM policies WHERE id = 'all'").first()
    expect(JSON.parse(entry?.state ?? '{}')).toEqual(stored)
    const columns = Object.values(getTableColumns(schema.policies)).map(({ name }) => name)
    expect(Object.keys(stored ?? {}).toSorted()).toEqual(columns.toSorted())
  })

  it('of a row that changes its name ends under the old one', async () => {
    await sql(insert('old'), "UPDATE policies SET id = 'new', reason = 'renamed' WHERE id = 'old'")
    expect(changes(await history('old', 'new'))).toEqual([
      ['old', 'insert', 'first'],
      ['old', 'delete', 'first'],
      ['new', 'update', 'renamed'],
    ])
  })

  it('of a row that is replaced keeps what it was', async () => {
    await sql(
      insert('twice'),
      "INSERT OR REPLACE INTO policies (tenant, id, effect, reason) VALUES ('acme', 'twice', 'allow', 'again')",
      "INSERT INTO policies (tenant, id, effect, reason) VALUES ('acme', 'twice', 'deny', 'upsert') ON CONFLICT DO UPDATE SET reason = 'upserted'",
    )
    expect(changes(await history('twice'))).toEqual([
      ['twice', 'insert', 'first'],
      ['twice', 'insert', 'again'],
      ['twice', 'update', 'upserted'],
    ])
  })

  it('of a row that changes sides is told to both tenants, at the revision of each', async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      insert('moved'),
      "UPDATE policies SET tenant = 'globex' WHERE id = 'moved'",
    )
    const entries = await history('moved')
    expect(entries.map(({ tenant, change }) => [tenant, change])).toEqual([
      ['acme', 'insert'],
      ['acme', 'delete'],
      ['globex', 'update'],
    ])
    expect(entries.slice(1).map((entry) => entry.revision)).toEqual([
      await revision('acme'),
      await revision('globex'),
    ])
  })

  it('of many rows in one statement has each', async () => {
    await sql(
      insert('m1'),
      insert('m2'),
      "UPDATE policies SET reason = 'both' WHERE id IN ('m1', 'm2')",
    )
    expect(changes(await history('m1', 'm2'))).toEqual([
      ['m1', 'insert', 'first'],
      ['m2', 'insert', 'first'],
      ['m1', 'update', 'both'],
      ['m2', 'update', 'both'],
    ])
  })

  it('has nothing of what was taken back', async () => {
    await expect(sql(insert('undone'), insert('undone'))).rejects.toThrow(/constraint/i)
    expect(await history('undone')).toEqual([])
  })
})

describe('the history of a sequence rule', () => {
  it('is kept alike', async () => {
    await sql(
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('acme', 'r', 'audit', 'any', 'temporal', '["a.b"]', 'first')`,
    )
    const stored = await env.DB.prepare("SELECT * FROM sequence_rules WHERE id = 'r'").first()
    await sql(
      "UPDATE sequence_rules SET reason = 'second' WHERE id = 'r'",
      "DELETE FROM sequence_rules WHERE id = 'r'",
    )
    const entries = await history('r')
    expect(changes(entries)).toEqual([
      ['r', 'insert', 'first'],
      ['r', 'update', 'second'],
      ['r', 'delete', 'second'],
    ])
    expect(entries.every(({ source }) => source === 'sequence_rules')).toBe(true)
    expect(JSON.parse(entries[0]?.state ?? '{}')).toEqual(stored)
  })
})

describe('history itself', () => {
  it.each([
    ['edited', "UPDATE policy_history SET state = '{}'"],
    ['deleted', 'DELETE FROM policy_history'],
    [
      'replaced',
      "INSERT OR REPLACE INTO policy_history (sequence, tenant, source, id, change, state, revision) SELECT sequence, tenant, source, id, change, '{}', revision FROM policy_history",
    ],
    [
      'upserted',
      "INSERT INTO policy_history (sequence, tenant, source, id, change, state, revision) SELECT sequence, tenant, source, id, change, '{}', revision FROM policy_history WHERE true ON CONFLICT DO UPDATE SET state = '{}'",
    ],
  ])('is never %s', async (_, statement) => {
    await sql(insert('kept'))
    const before = await history('kept')
    try {
      await expect(sql(statement)).rejects.toThrow('append-only')
      expect(await history('kept')).toEqual(before)
    } finally {
      await sql("DELETE FROM policies WHERE id = 'kept'")
    }
  })

  // A trigger before an insert is told -1 of every row that has no number yet.
  it('is not stopped by an entry numbered -1', async () => {
    await expect(
      sql(
        "INSERT INTO policy_history (sequence, tenant, source, id, change, state, revision) VALUES (-1, 'acme', 'policies', 'x', 'insert', '{}', '1:a')",
      ),
    ).rejects.toThrow('CHECK')
  })
})
