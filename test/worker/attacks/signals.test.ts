import { createExecutionContext } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { base64url, exportSPKI, generateKeyPair } from 'jose'
import { describe, expect, it, vi } from 'vitest'
import { app } from '../../../src/app.ts'
import {
  addStream,
  CAEP,
  callAfter,
  count,
  effects,
  person,
  push,
  refusedAs,
  REVOKED,
  RISC,
  signedSet,
  tell,
  withStream,
} from '../../support/worker/signals.ts'
import { inThisWorld, ISSUER, newUser, ORIGIN, sql, token } from '../../support/worker/world.ts'

inThisWorld()
withStream()

describe("somebody else's subjects", () => {
  it('of another issuer of this tenant: acknowledged, kept, and without effect', async () => {
    const sub = await newUser()
    await tell(REVOKED, { format: 'iss_sub', iss: 'https://other.example', sub })
    await tell(`${RISC}account-disabled`, {
      format: 'jwt_id',
      iss: 'https://other.example',
      jti: 'x',
    })
    expect(await effects()).toEqual(['foreign_subject', 'foreign_subject'])
    expect(await callAfter(sub, 30)).toBe('allowed')
    expect(await count('revocations')).toBe(0)
  })

  it("of a tenant with the same issuer: only the own tenant's calls feel it", async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "UPDATE issuers SET tenant_claim = 'org'",
      `INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim) VALUES ('globex', '${ISSUER}', '${ISSUER}/jwks.json', 'org')`,
    )
    await addStream('globex-idp', { tenant: 'globex' })
    const sub = await newUser()
    for (const type of [`${RISC}account-disabled`, REVOKED, `${CAEP}credential-change`]) {
      const event = { credential_type: 'password', change_type: 'update' }
      const response = await push(await signedSet(type, person(sub), event), {
        stream: 'globex-idp',
      })
      expect(response.status).toBe(202)
    }
    expect(await callAfter(sub, 30, { org: 'acme' })).toBe('allowed')
    const rows = await env.DB.prepare('SELECT DISTINCT tenant FROM revocations').all()
    expect(rows.results).toEqual([{ tenant: 'globex' }])
    // The whole issuer, as that tenant's stream may say it: theirs alone.
    await push(
      await signedSet(REVOKED, { format: 'complex', tenant: { format: 'opaque', id: 'acme' } }),
      {
        stream: 'globex-idp',
      },
    )
    expect(await callAfter(sub, 30, { org: 'acme' })).toBe('allowed')
  })

  it('a stream keeps its tenant and issuer, and speaks for people only', async () => {
    await expect(sql("UPDATE signal_streams SET issuer = 'https://o.example'")).rejects.toThrow(
      'keeps',
    )
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, kind) VALUES ('acme', 'spiffe://corp.example', '${ISSUER}/jwks.json', 'workload')`,
    )
    await expect(addStream('spire', { issuer: 'spiffe://corp.example' })).rejects.toThrow(
      'kind oauth',
    )
    await expect(addStream('mcp')).rejects.toThrow('CHECK')
    await expect(addStream('none', { issuer: 'https://nobody.example' })).rejects.toThrow(
      'FOREIGN KEY',
    )
    await expect(addStream('named', { secret: 'UPSTREAM_X' })).rejects.toThrow('CHECK')
  })
})

describe('who signed it', () => {
  it.each([
    [
      'another key under the same name',
      async () => (await generateKeyPair('RS256')).privateKey,
      {},
    ],
    [
      'the public key as a secret',
      async () => {
        const { publicKey } = await generateKeyPair('RS256', { extractable: true })
        return new TextEncoder().encode(await exportSPKI(publicKey))
      },
      { alg: 'HS256' },
    ],
    [
      "the issuer's key for access tokens",
      async () => (await generateKeyPair('ES256')).privateKey,
      { alg: 'ES256', kid: 'k1' },
    ],
  ] as const)('%s is invalid_key', async (_, keyOf, header) => {
    const body = await signedSet(REVOKED, person('alice'), {}, { key: await keyOf(), header })
    expect(await refusedAs(await push(body))).toEqual([400, 'invalid_key'])
    expect(await count('signal_events')).toBe(0)
  })

  it.each(['none', 'None', 'HS256', 'RS1', 7, null])('alg %s is invalid_key', async (alg) => {
    const good = (await signedSet(REVOKED, person('alice'))).split('.')
    const header = base64url.encode(JSON.stringify({ alg, kid: 'set-1', typ: 'secevent+jwt' }))
    expect(await refusedAs(await push(`${header}.${good[1]}.${good[2]}`))).toEqual([
      400,
      'invalid_key',
    ])
  })

  it('a key inside or beside the event is not looked at', async () => {
    const own = await generateKeyPair('RS256', { extractable: true })
    const fetched = vi.mocked(fetch).mock.calls.length
    const header = { jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x', kid: 'set-1' }
    const body = await signedSet(REVOKED, person('alice'), {}, { key: own.privateKey, header })
    expect(await refusedAs(await push(body))).toEqual([400, 'invalid_key'])
    const urls = vi
      .mocked(fetch)
      .mock.calls.slice(fetched)
      .map(([url]) => JSON.stringify(url))
    expect(urls.filter((url) => url.includes('evil'))).toEqual([])
  })

  it('an access token of the very same issuer is no event', async () => {
    expect(await refusedAs(await push(await token()))).toEqual([400, 'invalid_request'])
  })

  it('an event is no access token', async () => {
    const claims = { aud: `${ORIGIN}/crm/mcp`, client_id: 'acme-agent', scope: 'crm' }
    const set = await signedSet(REVOKED, person('alice'), {}, { claims })
    const response = await exports.default.fetch(
      new Request(`${ORIGIN}/crm/mcp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${set}` },
        body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      }),
    )
    expect(response.status).toBe(401)
  })

  it('where a secret was agreed on, the signature alone is not enough', async () => {
    await sql("UPDATE signal_streams SET secret = 'SIGNALS_IDP'")
    const set = await signedSet(REVOKED, person('alice'))
    // Nobody deployed it: the event is kept for later, by the transmitter.
    expect((await push(set)).status).toBe(503)
    const secret = { tenant: 'acme', origin: ORIGIN, authorization: 'Bearer agreed' }
    const own = { ...env, SIGNALS_IDP: JSON.stringify(secret) }
    const ask = (authorization?: string) =>
      app.fetch(
        new Request(`${ORIGIN}/events/idp`, {
          method: 'POST',
          headers: {
            'content-type': 'application/secevent+jwt',
            ...(authorization === undefined ? {} : { authorization }),
          },
          body: set,
        }),
        own,
        createExecutionContext(),
      )
    expect(await refusedAs(await ask())).toEqual([400, 'authentication_failed'])
    expect(await refusedAs(await ask('Bearer other'))).toEqual([400, 'authentication_failed'])
    expect((await ask('Bearer agreed')).status).toBe(202)
  })
})
