import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../support/property-runs.ts'
import { call, inThisWorld, ISSUER, newUser, sql, token } from '../../support/worker/world.ts'

inThisWorld()

/** Each pair closes and opens again what one call needs; all go through the Worker's own binding. */
const EDITS: readonly (readonly [close: string, open: string])[] = [
  ["UPDATE policies SET enabled = 0 WHERE id = 'sales'", 'UPDATE policies SET enabled = 1'],
  ["UPDATE policies SET role = 'nobody' WHERE id = 'sales'", "UPDATE policies SET role = 'sales'"],
  [
    "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'note')",
    "DELETE FROM policies WHERE id = 'no'",
  ],
  [
    "UPDATE role_assignments SET role = 'guest' WHERE role = 'sales'",
    "UPDATE role_assignments SET role = 'sales' WHERE role = 'guest'",
  ],
  [
    "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'acme-agent')",
    'DELETE FROM revocations',
  ],
  ['UPDATE tools SET required_scope = $none$', "UPDATE tools SET required_scope = ''"],
].map(([close = '', open = '']) => [close.replace('$none$', "'none'"), open] as const)

describe('10,000 edits and calls, one after the other', { timeout: 1_200_000 }, () => {
  it('every call is decided by what was committed before it was sent', async () => {
    await sql('UPDATE tenants SET actor_calls_per_minute = 1000000000')
    const bearer = await token({ sub: await newUser() })
    const { numRuns } = propertyRuns(10_000, env)
    const wrong: string[] = []
    for (let edit = 0; edit < numRuns; edit += 1) {
      const [close, open] = EDITS[(edit >> 1) % EDITS.length] ?? ['', '']
      const opens = edit % 2 === 1
      await env.DB.prepare(opens ? open : close).run()
      const { code } = await call('note', { token: bearer })
      if ((code === 'allowed') !== opens) wrong.push(`${edit}: ${code}`)
    }
    expect(wrong).toEqual([])
  })
})

describe('a database that was taken back in time', () => {
  it('and then edited as often as before is not taken for what it was', async () => {
    const bearer = await token({ sub: await newUser() })
    const state = () => env.DB.prepare("SELECT counter, nonce FROM revision WHERE tenant = 'acme'")
    const before = await state().first<{ counter: number; nonce: string }>()
    await sql("INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'no', 'deny')")
    // Compiled and remembered under this counter.
    expect((await call('note', { token: bearer })).code).toBe('denied_by_policy')
    // Back: rows and revision as they were; then one edit, which gives the same counter again.
    await sql("DELETE FROM policies WHERE id = 'no'")
    await env.DB.prepare("UPDATE revision SET counter = ?, nonce = ? WHERE tenant = 'acme'")
      .bind(before?.counter, before?.nonce)
      .run()
    await sql("UPDATE policies SET reason = 'another edit' WHERE id = 'sales'")
    expect((await call('note', { token: bearer })).code).toBe('allowed')
  })
})

describe('roles and issuers', () => {
  it('a role that another issuer gives is no role here', async () => {
    const sub = 'somebody-else'
    await sql(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', 'https://other.example', 'user', '${sub}', 'sales')`,
    )
    expect((await call('note', { token: await token({ sub }) })).code).toBe('not_allowed')
    await sql(`UPDATE role_assignments SET issuer = '${ISSUER}' WHERE holder = '${sub}'`)
    expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
  })
})
