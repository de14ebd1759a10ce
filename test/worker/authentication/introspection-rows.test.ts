// Introspection in the Worker while its rows change: whom tokens are shown to, and what counts.

import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { app } from '../../../src/app.ts'
import {
  inThisWorld,
  ISSUER,
  newUser,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const OTHER = 'https://other-issuer.example'

/** What either issuer was asked about, and what it answers. */
const asked: { url: string; token: string | null }[] = []
let answer: object = { active: false }

beforeEach(() => {
  asked.length = 0
  const world = vi.mocked(globalThis.fetch).getMockImplementation()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init)
    if (!request.url.endsWith('/introspect')) return world!(input, init)
    asked.push({
      url: request.url,
      token: new URLSearchParams(await request.text()).get('token'),
    })
    return Response.json(answer)
  })
})
afterEach(() => void vi.useRealTimers())

const secret = (origin: string) =>
  JSON.stringify({ tenant: 'acme', origin, client_id: 'sallyport', client_secret: 'x' })

/** An isolate of its own, with the secrets for both. */
function isolate() {
  const own = { ...env, INTROSPECTION_A: secret(ISSUER), INTROSPECTION_B: secret(OTHER) } as Env
  return async (bearer: string, server = 'crm') => {
    const request = new Request(RESOURCE.replace('crm', server), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${bearer}`,
      },
      body: toolCall('note'),
    })
    return verdict(await app.fetch(request, own, createExecutionContext()))
  }
}

const askAt = (url: string, name: string, what: string) =>
  sql(
    `UPDATE issuers SET introspection = '${what}', introspection_url = '${url}/introspect',
       introspection_secret = 'INTROSPECTION_${name}' WHERE url = '${url}'`,
  )

const said = (sub: string, more: object = {}) => ({
  active: true,
  sub,
  client_id: 'acme-agent',
  aud: RESOURCE,
  scope: 'crm',
  exp: Math.floor(Date.now() / 1000) + 200,
  ...more,
})

describe('an issuer that is asked from now on', () => {
  it('narrows the very next call of a token that was let in by the old rows', async () => {
    await sql("UPDATE tools SET required_scope = 'more' WHERE name = 'note'")
    const sub = await newUser()
    const send = isolate()
    const bearer = await token({ sub, scope: 'crm more' })
    expect(await send(bearer)).toMatchObject({ code: 'allowed' })
    await askAt(ISSUER, 'A', 'jwt')
    answer = said(sub)
    expect(await send(bearer)).toMatchObject({ status: 403, code: 'insufficient_scope' })
    expect(asked).toHaveLength(1)
    expect(seen).toHaveLength(1)
  })
})

describe('an opaque token', () => {
  it('is never shown to an issuer that was switched off while this isolate slept', async () => {
    await askAt(ISSUER, 'A', 'opaque')
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', '${OTHER}', '${OTHER}/jwks.json')`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${OTHER}', 'acme-agent')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${OTHER}', 'user', 'alice', 'sales')`,
    )
    const send = isolate()
    answer = said(await newUser())
    expect(await send('opaque-of-the-first')).toMatchObject({ code: 'allowed' })
    expect(asked.map(({ url }) => new URL(url).origin)).toEqual([ISSUER])

    await sql(`UPDATE issuers SET introspection = 'never', active = 0 WHERE url = '${ISSUER}'`)
    await askAt(OTHER, 'B', 'opaque')
    asked.length = 0
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    answer = said('alice')
    expect(await send('opaque-of-the-second')).toMatchObject({ code: 'allowed' })
    expect(new Set(asked.map(({ url }) => new URL(url).origin))).toEqual(new Set([OTHER]))
  })

  it("of a holder passes while strangers flood another tenant's server with tokens of nobody", async () => {
    await askAt(ISSUER, 'A', 'opaque')
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO servers (name, tenant, url) VALUES ('hers', 'globex', 'https://hers.example/mcp')",
    )
    const send = isolate()
    answer = said(await newUser())
    expect(await send('opaque')).toMatchObject({ code: 'allowed' })
    const nobodys = await token({ claims: { iss: 'https://nobody.example' } })
    await send(nobodys, 'hers')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_000 })
    const flood = await Promise.all(Array.from({ length: 60 }, () => send(nobodys, 'hers')))
    expect(flood.map(({ status }) => status)).toContain(503)
    expect(await send('opaque')).toMatchObject({ code: 'allowed' })
  })

  it('that is a refresh token of its issuer opens nothing', async () => {
    await askAt(ISSUER, 'A', 'opaque')
    const sub = await newUser()
    const send = isolate()
    for (const kind of [
      { token_type: 'refresh_token' },
      { token_use: 'refresh' },
      { typ: 'Refresh' },
    ]) {
      answer = said(sub, kind)
      expect(await send('opaque-refresh')).toMatchObject({ status: 401, code: 'token_invalid' })
    }
    expect(seen).toEqual([])
  })
})
