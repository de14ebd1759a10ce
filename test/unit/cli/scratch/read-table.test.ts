import { getTableColumns, is } from 'drizzle-orm'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { describe, expect, it } from 'vitest'
import { readTable } from '../../../../src/cli/scratch/read-table.ts'
import { buildScratch } from '../../../../src/cli/scratch/scratch.ts'
import { readTenant } from '../../../../src/cli/scratch/tenant-rows.ts'
import { TRACKED } from '../../../../src/cli/scratch/tracked.ts'
import { sqlSources } from '../../../../src/cli/scratch/sources.ts'
import {
  COMPILED_TABLES,
  FRESH_TABLES,
  OWN_TABLES,
  SIGNAL_TABLES,
} from '../../../../src/storage/freshness.ts'
import * as schema from '../../../../src/storage/schema.ts'

const { database } = buildScratch(
  sqlSources(['local/seed/acme.sql', 'local/seed/globex.sql', 'test/unit/cli/shop.sql']),
)

describe('rows read by the mirror', () => {
  it('have its types: flags are booleans, what is NULL is null', () => {
    const [shop] = readTable(database, schema.servers, 'acme').filter(({ name }) => name === 'shop')
    expect(shop).toMatchObject({
      internal: true,
      consentRequired: true,
      observeUntil: null,
      title: '',
    })
  })

  it('are those of one tenant', () => {
    const clients = readTable(database, schema.clients, 'globex')
    expect(clients.map(({ tenant, id }) => [tenant, id])).toEqual([['globex', 'globex-agent']])
    expect(readTable(database, schema.tenants, 'globex').map(({ id }) => id)).toEqual(['globex'])
  })

  it('can be read of every table of the policy database', () => {
    const tables = Object.values(schema).filter((table) => is(table, SQLiteTable))
    const read = tables.filter((table) => !('shippedAt' in table) && !('decision' in table))
    expect(read.length).toBeGreaterThan(20)
    for (const table of read) {
      for (const row of readTable(database, table, 'acme')) {
        expect(Object.keys(row)).toEqual(Object.keys(getTableColumns(table)))
      }
    }
  })

  it('leave out policies that are switched off, and come in the order of their ids', () => {
    database.exec("UPDATE policies SET enabled = 0 WHERE id = 'sales-may-read'")
    const ids = readTenant(database, 'acme').tables.policies.map(({ id }) => id)
    expect(ids).not.toContain('sales-may-read')
    expect(ids).toEqual(ids.toSorted())
  })
})

it('every table that an author writes is tracked, so that a problem has a place', () => {
  const written = [...COMPILED_TABLES, ...FRESH_TABLES, ...SIGNAL_TABLES].filter(
    (table) => !OWN_TABLES.has(table),
  )
  expect(Object.keys(TRACKED).toSorted()).toEqual(written.toSorted())
})
