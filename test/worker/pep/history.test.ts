import { describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  newUser,
  type post,
  seen,
  sql,
  token,
} from '../../support/worker/world.ts'

inThisWorld()

describe('history', () => {
  it('refuses an export after a broad read, whatever the export comes with', async () => {
    const sub = await newUser()
    expect((await call('export_all', { token: await token({ sub }) })).code).toBe('allowed')
    expect((await call('read_all', { token: await token({ sub }) })).code).toBe('allowed')
    const attempts: Parameters<typeof post>[1][] = [
      { token: await token({ sub }) },
      { token: await token({ sub }), headers: { 'mcp-session-id': crypto.randomUUID() } },
      { token: await token({ sub, client: 'other-agent' }) },
      { token: await token({ sub, agent: 'bot' }) },
      { token: await token({ sub, claims: { sid: 'new', auth_time: 1 } }) },
      { token: await token({ sub }), headers: { connection: 'close', 'user-agent': 'another' } },
    ]
    for (const options of attempts) {
      expect((await call('export_all', options)).code).toBe('denied_by_sequence')
    }
    expect((await call('export_all', { token: await token({ sub: await newUser() }) })).code).toBe(
      'allowed',
    )
    expect(seen).toHaveLength(3)
  })

  it('100 parallel calls at a budget of 10 are exactly 10', async () => {
    const bearer = await token({ sub: await newUser() })
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, () => call('delete_one', { token: bearer })),
    )
    expect(verdicts.filter(({ code }) => code === 'allowed')).toHaveLength(10)
    expect(verdicts.filter(({ code }) => code === 'denied_by_sequence')).toHaveLength(90)
    expect(seen).toHaveLength(10)
  })

  it('a rule that comes later sees what came before it', async () => {
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    await call('read_all', { token: await token({ sub }) })
    expect((await call('export_all', { token: await token({ sub }) })).code).toBe('allowed')
    await sql(
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('acme', 'late', 'deny', 'sink.export', 'temporal', '["source.bulk"]', 'late')`,
    )
    expect((await call('export_all', { token: await token({ sub }) })).code).toBe(
      'denied_by_sequence',
    )
  })
})
