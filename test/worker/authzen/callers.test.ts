import { beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  sql,
  token,
} from '../../support/worker/world.ts'
import { ask, AUDIENCE, callerToken, mayCall, register } from './ask.ts'

inThisWorld()
beforeEach(() => register())

const NOT_PERMITTED = { status: 403, error: 'not_permitted' }

describe('who may ask', () => {
  it('a client with a row, a token of its own and the right audience', async () => {
    const reply = await ask(mayCall('note', await newUser()))
    expect(reply).toMatchObject({ status: 200, decision: true })
  })

  const tokens: readonly [why: string, make: () => Promise<string | null>, status: number][] = [
    ['no token', async () => null, 401],
    ['a token for an MCP server', () => callerToken({ claims: { aud: `${ORIGIN}/crm/mcp` } }), 401],
    [
      'a token for a server called like these doors',
      () => callerToken({ claims: { aud: `${ORIGIN}/access/mcp` } }),
      401,
    ],
    [
      'a token for another origin',
      () => callerToken({ claims: { aud: 'https://x.example/access/v1' } }),
      401,
    ],
    ['an unknown issuer', () => callerToken({ claims: { iss: 'https://other.example' } }), 401],
    ['an unknown key', () => callerToken({ header: { kid: 'k2' } }), 401],
    ['an expired token', () => callerToken({ claims: { exp: 1, iat: 0 } }), 401],
    ['no access token at all', () => callerToken({ header: { typ: 'JWT' } }), 401],
    ['not a token', async () => 'abc', 401],
    ["a person's token", () => callerToken({ claims: { sub: 'alice' } }), 403],
    ['a token that an agent acts with', () => callerToken({ agent: 'bot' }), 403],
    ['a client without a row', () => callerToken({ client: 'acme-agent' }), 403],
  ]
  it.each(tokens)('%s', async (_, make, status) => {
    const reply = await ask(mayCall('note', await newUser()), { token: await make() })
    expect(reply.status).toBe(status)
    expect(reply.decision).toBeUndefined()
    const challenge = reply.headers.get('www-authenticate')
    // A challenge asks for another token, which would not help where this one was good.
    expect(challenge?.startsWith('Bearer realm="access/v1"') ?? false).toBe(status === 401)
  })

  it('the challenge names an error only where a token was sent (RFC 6750 §3.1)', async () => {
    const none = await ask({}, { token: null })
    expect(none.headers.get('www-authenticate')).not.toContain('error')
    const bad = await ask({}, { token: await callerToken({ claims: { aud: 'x:y' } }) })
    expect(bad.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('a token for these doors opens no MCP server', async () => {
    const bearer = await token({ claims: { aud: AUDIENCE } })
    expect(await call('note', { token: bearer })).toMatchObject({ status: 401 })
  })

  it('what is switched off or taken back is felt by the next question', async () => {
    const question = mayCall('note', await newUser())
    const undo: readonly (readonly [does: string, undoes: string, status: number])[] = [
      ['UPDATE pdp_callers SET active = 0', 'UPDATE pdp_callers SET active = 1', 403],
      [
        `UPDATE pdp_callers SET servers = '["other"]'`,
        `UPDATE pdp_callers SET servers = '["crm"]'`,
        403,
      ],
      [
        `INSERT INTO clients (tenant, issuer, id, active) VALUES ('acme', '${ISSUER}', 'pep', 0)`,
        "DELETE FROM clients WHERE id = 'pep'",
        403,
      ],
      [
        "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'pep')",
        'DELETE FROM revocations',
        403,
      ],
      [
        "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', 'the-token')",
        'DELETE FROM revocations',
        401,
      ],
      ['UPDATE issuers SET active = 0', 'UPDATE issuers SET active = 1', 401],
    ]
    const bearer = await callerToken({ claims: { jti: 'the-token' } })
    for (const [does, undoes, status] of undo) {
      await sql(does)
      expect((await ask(question, { token: bearer })).status, does).toBe(status)
      await sql(undoes)
      expect(await ask(question, { token: bearer }), undoes).toMatchObject({ decision: true })
    }
  })
})

describe('what a caller may ask about', () => {
  it('only servers of its row, whether others exist or not', async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO servers (name, tenant, url) VALUES ('hers', 'globex', 'https://hers.example/mcp')",
      "INSERT INTO servers (name, tenant, url) VALUES ('second', 'acme', 'https://second.example/mcp')",
    )
    const sub = await newUser()
    const replies = await Promise.all(
      ['hers', 'second', 'nobody', `${ORIGIN}/hers/mcp`].map((server) =>
        ask(mayCall('note', sub, { server })),
      ),
    )
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1)
    expect(replies[0]).toMatchObject(NOT_PERMITTED)
  })

  it('a row that names a server of another tenant opens nothing', async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO servers (name, tenant, url) VALUES ('hers', 'globex', 'https://hers.example/mcp')",
      `UPDATE pdp_callers SET servers = '["hers","crm"]'`,
    )
    expect(await ask(mayCall('note', await newUser()))).toMatchObject(NOT_PERMITTED)
  })

  it('only subjects of its row', async () => {
    await sql(`UPDATE pdp_callers SET subjects = '["user-*"]'`)
    expect(await ask(mayCall('note', await newUser()))).toMatchObject({ decision: true })
    expect(await ask(mayCall('note', 'alice'))).toMatchObject(NOT_PERMITTED)
    expect(await ask(mayCall('note', 'nobody'))).toMatchObject(NOT_PERMITTED)
  })

  it('a caller of another tenant sees nothing of this one', async () => {
    const theirs = 'https://globex.example'
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('globex', '${theirs}', '${ISSUER}/jwks.json')`,
      "INSERT INTO servers (name, tenant, url) VALUES ('hers', 'globex', 'https://hers.example/mcp')",
      `INSERT INTO pdp_callers (tenant, issuer, client, servers) VALUES ('globex', '${theirs}', 'pep', '["hers","crm"]')`,
    )
    const bearer = await callerToken({ claims: { iss: theirs } })
    const sub = await newUser()
    const issuer = { properties: { client: 'acme-agent', issuer: ISSUER } }
    const question = mayCall('note', sub, { server: 'crm' })
    const spoofed = { ...question, subject: { ...question.subject, ...issuer } }
    for (const asked of [question, spoofed]) {
      expect(await ask(asked, { token: bearer })).toMatchObject(NOT_PERMITTED)
    }
    const own = await ask({ ...spoofed, context: {} }, { token: bearer })
    expect(own).toMatchObject({ decision: false, context: { reason: 'issuer_unknown' } })
  })
})

describe('tenants that share an issuer', () => {
  beforeEach(() =>
    sql(
      "UPDATE issuers SET tenant_claim = 'org'",
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim) VALUES ('globex', '${ISSUER}', '${ISSUER}/jwks.json', 'company')`,
      "INSERT INTO servers (name, tenant, url) VALUES ('hers', 'globex', 'https://hers.example/mcp')",
    ),
  )

  it('the claim says whose caller it is', async () => {
    const question = mayCall('note', await newUser())
    const acme = await callerToken({ claims: { org: 'acme' } })
    expect(await ask(question, { token: acme })).toMatchObject({ decision: true })
    const globex = await callerToken({ claims: { company: 'globex' } })
    expect(await ask(question, { token: globex })).toMatchObject(NOT_PERMITTED)
  })

  it('a token that says nothing, something else or both is no token', async () => {
    for (const claims of [{}, { org: 'globex' }, { org: 'acme', company: 'globex' }]) {
      const bearer = await callerToken({ claims })
      expect((await ask(mayCall('note', 'alice'), { token: bearer })).status).toBe(401)
    }
  })
})
