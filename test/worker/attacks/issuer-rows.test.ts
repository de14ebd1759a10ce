import { exports } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { forgetEverything } from '../../support/worker/isolate.ts'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  RESOURCE,
  seen,
  sql,
  token,
} from '../../support/worker/world.ts'

inThisWorld()

describe('issuer rows and the next call', () => {
  const newKey = async (uri: string, kid = 'k1') => {
    const pair = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' }
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: ISSUER,
      sub: 'alice',
      aud: RESOURCE,
      client_id: 'acme-agent',
      scope: 'crm',
    }
    const bearer = await new SignJWT({ ...claims, jti: 'j', iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
      .sign(pair.privateKey)
    const old = globalThis.fetch
    globalThis.fetch = (async (input: RequestInfo, init?: RequestInit) =>
      new Request(input, init).url === uri
        ? Response.json({ keys: [jwk] })
        : old(input, init)) as typeof fetch
    return { bearer, restore: () => (globalThis.fetch = old) }
  }

  // Rows that were confirmed within the last second are believed when they refuse an unsigned token.
  beforeEach(forgetEverything)

  it('keys that moved to another address under the same `kid` are found, a second later', async () => {
    const uri = `${ISSUER}/moved-1.json`
    const { bearer, restore } = await newKey(uri)
    try {
      expect((await call('note')).code).toBe('allowed')
      await sql(`UPDATE issuers SET jwks_uri = '${uri}' WHERE url = '${ISSUER}'`)
      await new Promise((resolve) => setTimeout(resolve, 1_100))
      expect((await call('note', { token: bearer })).code).toBe('allowed')
    } finally {
      restore()
    }
  })

  it('keys that moved to another address under another `kid` are found, a second later', async () => {
    const uri = `${ISSUER}/moved-2.json`
    const { bearer, restore } = await newKey(uri, 'k2')
    try {
      await sql(`UPDATE issuers SET jwks_uri = '${uri}' WHERE url = '${ISSUER}'`)
      await new Promise((resolve) => setTimeout(resolve, 1_050))
      expect((await call('note', { token: bearer })).code).toBe('allowed')
    } finally {
      restore()
    }
  })

  it('keys that moved away are gone with the row, for the very next call', async () => {
    expect((await call('note')).code).toBe('allowed')
    behaviour.jwks = () => Response.json({ keys: [] })
    await sql(`UPDATE issuers SET jwks_uri = '${ISSUER}/gone.json' WHERE url = '${ISSUER}'`)
    const { code } = await call('note', { token: await token({ sub: await newUser() }) })
    expect(['token_invalid', 'issuer_unavailable']).toContain(code)
    expect(seen).toHaveLength(1)
  })

  it.each(['workload', 'access'])('an issuer that is %s now speaks for no caller', async (kind) => {
    expect((await call('note')).code).toBe('allowed')
    // Whatever the row says besides: its tokens were for people, and now nobody is named by them.
    await sql(
      kind === 'access'
        ? "UPDATE issuers SET kind = 'access', audience = 'aud-1'"
        : "UPDATE issuers SET kind = 'workload', url = 'spiffe://corp.example'",
    )
    expect((await call('note')).status).toBe(401)
    expect(seen).toHaveLength(1)
  })

  it('only authorization servers are told to those who ask where to get a token', async () => {
    await sql(
      "INSERT INTO issuers (tenant, url, jwks_uri, kind) VALUES ('acme', 'spiffe://corp.example', 'https://corp.example/k', 'workload')",
      "INSERT INTO issuers (tenant, url, jwks_uri, kind, audience) VALUES ('acme', 'https://team.cloudflareaccess.com', 'https://team.cloudflareaccess.com/k', 'access', 'a')",
    )
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    const url = `${ORIGIN}/.well-known/oauth-protected-resource/crm/mcp`
    const response = await exports.default.fetch(new Request(url))
    const { authorization_servers: told } = (await response.json()) as Record<string, unknown>
    expect(told).toEqual([ISSUER])
  })

  it('an issuer that was added is told to those who ask where to get a token', async () => {
    const ask = async () => {
      const url = `${ORIGIN}/.well-known/oauth-protected-resource/crm/mcp`
      const response = await exports.default.fetch(new Request(url))
      return ((await response.json()) as { authorization_servers: string[] }).authorization_servers
    }
    expect(await ask()).toEqual([ISSUER])
    await sql(
      "INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'https://new.example', 'https://new.example/k')",
    )
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(await ask()).toEqual([ISSUER, 'https://new.example'])
  })

  it('a server that moved to another tenant is that tenant’s for the very next call', async () => {
    expect((await call('note')).code).toBe('allowed')
    const other = 'https://other.example'
    await sql(
      'DELETE FROM tool_labels',
      'DELETE FROM tools',
      "DELETE FROM servers WHERE name = 'crm'",
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('globex', '${other}', '${ISSUER}/jwks.json')`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('globex', '${other}', 'acme-agent')`,
      "INSERT INTO servers (name, tenant, url, internal) VALUES ('crm', 'globex', 'https://crm.example/mcp', 1)",
      "INSERT INTO tools (tenant, server, name, access) VALUES ('globex', 'crm', 'note', 'write')",
      "INSERT INTO policies (tenant, id, effect, agent) VALUES ('globex', 'all', 'allow', '*')",
    )
    expect((await call('note', { token: await token({ claims: { iss: other } }) })).code).toBe(
      'allowed',
    )
    expect((await call('note')).status).toBe(401)
  })
})
