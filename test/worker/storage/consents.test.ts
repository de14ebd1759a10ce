import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'

const run = (sql: string) => env.DB.prepare(sql).run()
const HASH = 'a'.repeat(64)

const insert = (verb: string, columns: string, values: string) =>
  `${verb} INTO consents (tenant, issuer, subject, client, server, ${columns})
   VALUES ('acme', 'https://i.example', 'alice', 'agent', 'crm', ${values})`

beforeEach(async () => {
  await run("INSERT INTO tenants (id) VALUES ('acme'), ('globex') ON CONFLICT DO NOTHING")
  await run(
    "INSERT INTO servers (name, tenant, url) VALUES ('crm', 'acme', 'https://crm.example/mcp') ON CONFLICT DO NOTHING",
  )
})

const given = async () => {
  const { results } = await env.DB.prepare('SELECT * FROM consents ORDER BY id').all()
  return results
}

let number = 0
/** A new row each time: none of them ever goes. */
async function consent(columns = '', values = ''): Promise<string> {
  const id = `c${String((number += 1)).padStart(3, '0')}`
  await run(insert('INSERT', `id, tool${columns}`, `'${id}', 'note'${values}`))
  return id
}

describe('a consent is proof', () => {
  it.each([
    ['tenant', "'globex'"],
    ['id', "'x'"],
    ['issuer', "'https://other.example'"],
    ['subject', "'bob'"],
    ['client', "'other'"],
    ['server', "'demo'"],
    ['tool', "'delete'"],
    ['tool', 'NULL'],
    ['access', "'destructive'"],
    ['purpose', "'anything'"],
    ['definition_hash', `'${HASH}'`],
    ['granted_at', '0'],
    ['expires_at', '9000000000000'],
    ['revoked_at', 'NULL'],
    ['revoked_by', "'person'"],
  ])('whose %s never becomes %s, alone or while it is taken back', async (column, value) => {
    const id = await consent()
    const before = await given()
    for (const more of ['', ', revoked_at = granted_at']) {
      if (more !== '' && column === 'revoked_by') continue
      for (const verb of ['UPDATE', 'UPDATE OR REPLACE', 'UPDATE OR IGNORE']) {
        const sql = `${verb} consents SET ${column} = ${value}${column === 'revoked_at' ? '' : more} WHERE id = '${id}'`
        await expect(run(sql), sql).rejects.toThrow(/is proof|constraint/i)
      }
    }
    expect(await given()).toEqual(before)
  })

  it('that is taken back once, and not before it was given', async () => {
    const id = await consent()
    await expect(
      run(`UPDATE consents SET revoked_at = granted_at - 1 WHERE id = '${id}'`),
    ).rejects.toThrow(/constraint/i)
    await run(
      `UPDATE consents SET revoked_at = granted_at + 5, revoked_by = 'person' WHERE id = '${id}'`,
    )
    for (const change of [
      'revoked_at = NULL',
      'revoked_at = granted_at + 9',
      'revoked_at = revoked_at',
      "revoked_by = 'x'",
    ]) {
      await expect(run(`UPDATE consents SET ${change} WHERE id = '${id}'`)).rejects.toThrow(
        'is proof',
      )
    }
  })

  it('that is not taken back at a time that has passed, when it still allowed something', async () => {
    const anHourAgo = Date.now() - 3_600_000
    const id = await consent(', granted_at', `, ${anHourAgo}`)
    const takeBack = (at: number) =>
      run(`UPDATE consents SET revoked_at = ${at} WHERE id = '${id}'`)
    for (const at of [anHourAgo, anHourAgo + 1, Date.now() - 120_000]) {
      await expect(takeBack(at)).rejects.toThrow('is proof')
    }
    await takeBack(Date.now() - 1_000)
  })

  it('of which one person gives 200 a day to one client at one server', async () => {
    const HOUR_MS = 3_600_000
    const rows = (count: number, prefix: string, at: number) =>
      run(`INSERT INTO consents (tenant, id, issuer, subject, client, server, tool, granted_at, revoked_at)
        WITH RECURSIVE counted(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < ${count})
        SELECT 'acme', '${prefix}' || n, 'https://i.example', 'many', 'agent', 'crm', 'note', ${at}, ${at} FROM counted`)
    await rows(300, 'old', Date.now() - 25 * HOUR_MS)
    await rows(200, 'new', Date.now() - 23 * HOUR_MS)
    await expect(rows(1, 'last', Date.now())).rejects.toThrow('at most 200')
    await expect(rows(1, 'older', Date.now() - 25 * HOUR_MS)).rejects.toThrow('at most 200')
  })

  it('that is never deleted, replaced, or pushed out by another key', async () => {
    const id = await consent()
    const before = await given()
    for (const sql of [
      'DELETE FROM consents',
      `DELETE FROM consents WHERE id = '${id}'`,
      insert('INSERT OR REPLACE', 'id, tool', `'${id}', 'other'`),
      insert('REPLACE', 'id, tool', `'${id}', 'other'`),
      insert('INSERT OR IGNORE', 'id, tool', `'${id}', 'other'`),
      `${insert('INSERT', 'id, tool', `'${id}', 'other'`)} ON CONFLICT (tenant, id) DO UPDATE SET tool = 'other'`,
      insert('INSERT OR REPLACE', 'rowid, id, tool', "1, 'another', 'other'"),
      "DELETE FROM servers WHERE name = 'crm'",
      "DELETE FROM tenants WHERE id = 'acme'",
    ]) {
      await expect(run(sql), sql).rejects.toThrow(/is proof|rowid|constraint/i)
    }
    expect(await given()).toEqual(before)
  })
})

describe('what was agreed to', () => {
  it('stays as it was', async () => {
    const write = (verb: string, definition: string) =>
      run(
        `${verb} INTO consented_definitions (tenant, hash, definition) VALUES ('acme', '${HASH}', '${definition}')`,
      )
    await write('INSERT', '{"name":"note"}')
    await expect(write('INSERT OR REPLACE', '{}')).rejects.toThrow('append-only')
    await expect(run("UPDATE consented_definitions SET definition = '{}'")).rejects.toThrow(
      'append-only',
    )
    await expect(run('DELETE FROM consented_definitions')).rejects.toThrow('append-only')
  })
})

describe('a page session', () => {
  const session = (hours: number, digest = HASH) =>
    run(
      `INSERT INTO page_sessions (digest, tenant, issuer, subject, created_at, expires_at)
       VALUES ('${digest}', 'acme', 'https://i.example', 'alice', 0, ${hours} * 3600 * 1000)`,
    )

  it('lives for eight hours at most, and is nobody else’s later', async () => {
    await expect(session(9)).rejects.toThrow(/constraint/i)
    await expect(session(0)).rejects.toThrow(/constraint/i)
    await expect(session(8, 'not a digest')).rejects.toThrow(/constraint/i)
    await session(8)
    await expect(run("UPDATE page_sessions SET subject = 'bob'")).rejects.toThrow('never changes')
    await run('DELETE FROM page_sessions')
  })
})
