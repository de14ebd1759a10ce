import { describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  ISSUER,
  message,
  newUser,
  ORIGIN,
  post,
  seen,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'the-secret-that-was-read'

/** A second server, outside the organisation, and a rule: nothing goes out after a confidential read. */
const seedOutside = () =>
  sql(
    "INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('ext', 'acme', 'https://crm.example/mcp/outside', 0, 'crm')",
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'ext', 'note', 'read', 1)",
    `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, reason) VALUES
      ('acme', 'nothing-out', 'deny', 'sink.external_send', 'temporal', '["source.confidential"]', 1800, 'exfiltration')`,
  )

const outside = async (sub: string) => ({
  server: 'ext',
  token: await token({ sub, claims: { aud: `${ORIGIN}/ext/mcp` } }),
})

const leaked = () => seen.some(({ body }) => body.includes(SECRET))

describe('after a confidential read nothing of it reaches a server outside', () => {
  it('not as arguments of a tool', async () => {
    await seedOutside()
    const sub = await newUser()
    await call('read_all', { token: await token({ sub }) })
    const said = await call('note', { ...(await outside(sub)), args: { SECRET } })
    expect(said.code).toBe('denied_by_sequence')
    expect(leaked()).toBe(false)
  })

  it.each([
    [
      'the name of the client',
      'initialize',
      { protocolVersion: '2025-11-25', clientInfo: { name: SECRET, version: '1' } },
    ],
    [
      'a capability',
      'initialize',
      { protocolVersion: '2025-11-25', capabilities: { experimental: { [SECRET]: {} } } },
    ],
    ['the cursor of a listing', 'tools/list', { cursor: SECRET }],
    ['the `_meta` of a ping', 'ping', { _meta: { note: SECRET } }],
  ])('not as %s', async (_, method, params) => {
    await seedOutside()
    const sub = await newUser()
    // Before the read the very same message passes.
    expect((await post(message(method, params), await outside(sub))).status).toBe(200)
    expect(leaked()).toBe(true)
    seen.length = 0
    await call('read_all', { token: await token({ sub }) })
    const said = await verdict(await post(message(method, params), await outside(sub)))
    expect(said.code).toBe('denied_by_sequence')
    expect(leaked()).toBe(false)
  })

  it('nor from somebody who may call nothing any more', async () => {
    await seedOutside()
    const sub = await newUser()
    await call('read_all', { token: await token({ sub }) })
    await sql('DELETE FROM policies')
    await post(message('tools/list', { cursor: SECRET }), await outside(sub))
    expect(leaked()).toBe(false)
  })
})

describe('headers that copy the body say what the body says', () => {
  const withParam = async (name: string, value: string) => {
    const said = await call('note', {
      token: await token({ sub: await newUser() }),
      args: { region: 'eu', nested: { dry: true }, count: 3 },
      headers: { [`mcp-param-${name}`]: value },
    })
    return { ...said, sent: seen.length }
  }

  it.each([
    ['Region', 'eu'],
    ['Region', '=?base64?ZXU=?='],
    ['Dry', 'true'],
    ['Count', '3'],
  ])('Mcp-Param-%s: %s is true and passes', async (name, value) => {
    expect(await withParam(name, value)).toMatchObject({ code: 'allowed', sent: 1 })
  })

  it.each([
    ['Region', 'us'],
    ['Region', '=?base64?dXM=?='],
    ['Region', '=?base64?%%%?='],
    ['Dry', 'false'],
  ])('Mcp-Param-%s: %s is no value of the arguments', async (name, value) => {
    expect(await withParam(name, value)).toMatchObject({ code: 'header_mismatch', sent: 0 })
  })
})

describe('a listing is filtered by the gates that a call meets', () => {
  const listed = async (options: Parameters<typeof post>[1] = {}): Promise<string[]> => {
    const response = await post(message('tools/list'), options)
    const body = (await response.json()) as { result?: { tools: { name: string }[] } }
    return (body.result?.tools ?? []).map(({ name }) => name)
  }

  it('tools that a policy denies are not shown, whatever the arguments', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no-note', 'deny', 'note')",
    )
    expect(await listed()).not.toContain('note')
  })

  it('tools whose scope the token lacks are not shown', async () => {
    await sql("UPDATE tools SET required_scope = 'crm.write' WHERE name = 'note'")
    expect(await listed()).toEqual(['read_all', 'export_all', 'delete_one'])
  })

  it('tools that were revoked are not shown', async () => {
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')")
    expect((await call('note')).code).toBe('revoked')
    expect(await listed()).not.toContain('note')
  })

  it('history does not change what is shown', async () => {
    const sub = await newUser()
    const before = await listed({ token: await token({ sub }) })
    await call('read_all', { token: await token({ sub }) })
    expect(await listed({ token: await token({ sub }) })).toEqual(before)
  })
})

describe('lock-outs and budgets', () => {
  it('what is refused uses up nothing', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool, condition) VALUES ('acme', 'd', 'deny', 'delete_one', 'args.no == true')",
    )
    for (let n = 0; n < 15; n += 1) await call('delete_one', { token: bearer, args: { no: true } })
    const codes: string[] = []
    for (let n = 0; n < 11; n += 1) {
      codes.push((await call('delete_one', { token: bearer, args: { no: false, n } })).code)
    }
    expect(codes.filter((code) => code === 'allowed')).toHaveLength(10)
  })

  it('a budget is one, over all clients, agents and spellings of a server', async () => {
    const sub = await newUser()
    const ways = [
      { token: await token({ sub }) },
      { token: await token({ sub, client: 'other-agent' }) },
      { token: await token({ sub, agent: 'bot' }) },
      { token: await token({ sub }), server: 'cr%6D' },
      { token: await token({ sub }), query: '?session=new' },
    ]
    const codes = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const { code } = await call('delete_one', { ...ways[n % ways.length], args: { n } })
        return code
      }),
    )
    expect(codes.filter((code) => code === 'allowed')).toHaveLength(10)
  })

  it('a lock-out after denials holds for the one who was denied, through the same client', async () => {
    const [sub, other] = [await newUser(), await newUser()]
    await sql(
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, scope, timespan_s, condition, reason) VALUES
        ('acme', 'lock', 'deny', 'any', 'event_count', '["decision.denied"]', 'actor', 600, '{"gte":3}', 'locked')`,
      `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', 'tool', 'crm/read_all', '${ISSUER}')`,
    )
    const bearer = await token({ sub })
    for (let n = 0; n < 3; n += 1) await call('read_all', { token: bearer })
    expect((await call('note', { token: bearer })).code).toBe('denied_by_sequence')
    expect((await call('note', { token: await token({ sub }) })).code).toBe('denied_by_sequence')
    expect((await call('note', { token: await token({ sub: other }) })).code).toBe('allowed')
  })
})

describe('a workload and a user of one name', () => {
  it('a client that acts for itself has no right of the user of its name', async () => {
    const sub = await newUser()
    await sql(`INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${sub}')`)
    const said = await call('note', { token: await token({ sub, client: sub }) })
    expect(said.code).toBe('not_allowed')
  })

  // Told apart by anything the caller can choose, they would be a way to a clean slate.
  it('share one history', async () => {
    const sub = await newUser()
    await sql(
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${sub}')`,
      `INSERT INTO policies (tenant, id, effect, client) VALUES ('acme', 'own', 'allow', '${sub}')`,
    )
    const workload = await token({ sub, client: sub })
    expect((await call('read_all', { token: workload })).code).toBe('allowed')
    expect((await call('export_all', { token: await token({ sub }) })).code).toBe(
      'denied_by_sequence',
    )
  })
})
