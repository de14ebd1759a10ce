import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { factsStatement, type FactKeys } from '../../../src/storage/facts.ts'
import type { D1Reader } from '../../../src/storage/freshness.ts'
import { historyOf } from '../../support/worker/console.ts'
import { inThisWorld, sql } from '../../support/worker/world.ts'

inThisWorld()

const insert = (id: string, more = '') =>
  `INSERT ${more} INTO revocations (tenant, kind, id, reason, revoked_by) VALUES ('acme', 'subject', '${id}', 'first', 'desk')`

const told = async (id: string) =>
  (await historyOf(id)).map(({ change, reason, changed_by: by }) => [change, reason, by])

describe('the history of a revocation', () => {
  it('has every state, also by hand', async () => {
    await sql(
      insert('h1'),
      "UPDATE revocations SET reason = 'second' WHERE id = 'h1'",
      "UPDATE revocations SET reason = 'third', revoked_by = 'dora', revoked_at = revoked_at + 1 WHERE id = 'h1'",
      "DELETE FROM revocations WHERE id = 'h1'",
    )
    expect(await told('h1')).toEqual([
      ['insert', 'first', 'desk'],
      // Whoever wrote it first did not change it.
      ['update', 'second', ''],
      ['update', 'third', 'dora'],
      ['delete', 'third', ''],
    ])
  })

  it('names who lifts it, with its end only', async () => {
    await sql(insert('h2'), "UPDATE revocations SET lifted_by = 'dora' WHERE id = 'h2'")
    expect(await told('h2')).toEqual([['insert', 'first', 'desk']])
    await sql("DELETE FROM revocations WHERE id = 'h2'")
    expect(await told('h2')).toEqual([
      ['insert', 'first', 'desk'],
      ['delete', 'first', 'dora'],
    ])
  })

  it('keeps what was replaced or renamed', async () => {
    await sql(
      insert('h3'),
      "INSERT OR REPLACE INTO revocations (tenant, kind, id, reason) VALUES ('acme', 'subject', 'h3', 'other')",
      "UPDATE revocations SET id = 'h4' WHERE id = 'h3'",
    )
    expect(await told('h3')).toEqual([
      ['insert', 'first', 'desk'],
      ['insert', 'other', ''],
      ['delete', 'other', ''],
    ])
    expect(await told('h4')).toEqual([['update', 'other', '']])
  })

  it.each([
    ['edited', "UPDATE revocation_history SET changed_by = 'nobody'"],
    ['deleted', 'DELETE FROM revocation_history'],
    [
      'replaced',
      `INSERT OR REPLACE INTO revocation_history (sequence, tenant, kind, id, issuer, source, only_client,
         only_without_session, reason, revoked_at, revoked_by, change, changed_by)
       SELECT sequence, tenant, kind, id, issuer, source, only_client, only_without_session, reason,
         revoked_at, revoked_by, change, 'nobody' FROM revocation_history`,
    ],
  ])('cannot be %s', async (_, statement) => {
    await sql(insert('h5'))
    await expect(sql(statement)).rejects.toThrow('append-only')
    expect((await told('h5')).at(-1)).toEqual(['insert', 'first', 'desk'])
  })

  it.each([-1, 0])(
    'has no place %i, which would stand in the way of every other entry',
    async (n) => {
      await expect(
        sql(
          `INSERT INTO revocation_history (sequence, tenant, kind, id, issuer, source, only_client,
           only_without_session, reason, revoked_at, revoked_by, change, changed_by)
         VALUES (${n}, 'acme', 'subject', 'h7', '*', '', '', 0, '', 1, '', 'insert', '')`,
        ),
      ).rejects.toThrow(/constraint/i)
      await sql(insert(`h8${n}`))
      expect(await told(`h8${n}`)).toEqual([['insert', 'first', 'desk']])
    },
  )

  it.each(['revoked_by', 'lifted_by'])('takes no `%s` without end', async (column) => {
    await sql(insert('h6'))
    await expect(
      sql(`UPDATE revocations SET ${column} = '${'x'.repeat(1_001)}' WHERE id = 'h6'`),
    ).rejects.toThrow(/constraint/i)
  })
})

it('the list that people see costs calls nothing: their reading goes by the key', async () => {
  const explaining = {
    prepare: (text: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`),
  } as D1Reader
  const keys: FactKeys = {
    tenant: 'acme',
    issuer: 'i',
    subject: 's',
    client: 'c',
    agent: null,
    subjectHolder: ['user', 's'],
    agentHolder: null,
    revocable: [],
    server: 'crm',
    tool: 'note',
    row: 'note',
    listing: false,
    named: [],
    transaction: null,
    taskHandle: null,
    underTask: null,
    issuedAt: null,
    tokenSession: null,
  }
  const { results } = await factsStatement(explaining, keys).all<{ detail: string }>()
  const plan = results.map(({ detail }) => detail)
  expect(plan.filter((step) => step.includes('revocations_by_time'))).toEqual([])
  expect(
    plan.some((step) => /SEARCH revoked USING .*\(tenant=\? AND kind=\? AND id=\?/.test(step)),
  ).toBe(true)
})
