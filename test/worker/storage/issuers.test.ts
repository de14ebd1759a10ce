import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'

type Row = Readonly<Record<string, string | number | null>>

const OAUTH: Row = {
  tenant: 'acme',
  url: 'https://i.example',
  jwks_uri: 'https://i.example/keys',
}
const WORKLOAD: Row = { ...OAUTH, kind: 'workload', url: 'spiffe://corp.example' }
const ACCESS: Row = {
  ...OAUTH,
  kind: 'access',
  url: 'https://team.cloudflareaccess.com',
  audience: 'aud-1',
}
const OPAQUE: Row = {
  ...OAUTH,
  introspection: 'opaque',
  introspection_url: 'https://i.example/introspect',
  introspection_secret: 'INTROSPECTION_ACME',
}
const LOGIN: Row = { ...OAUTH, login_client: 'pages', login_secret: 'LOGIN_ACME' }

const insert = (row: Row): Promise<unknown> =>
  env.DB.prepare(
    `INSERT INTO issuers (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row)
      .map((_, at) => `?${at + 1}`)
      .join(', ')})`,
  )
    .bind(...Object.values(row))
    .run()

describe('rows of issuers', () => {
  beforeAll(async () => {
    await env.DB.prepare("INSERT INTO tenants (id) VALUES ('acme'), ('globex')").run()
  })
  afterEach(async () => {
    await env.DB.prepare('DELETE FROM issuers').run()
  })

  it.each([
    ['an authorization server', OAUTH],
    ['a SPIFFE trust domain', WORKLOAD],
    ['a WIMSE trust domain', { ...WORKLOAD, url: 'wimse://corp.example' }],
    ['Cloudflare Access', ACCESS],
    ['one that is asked about opaque tokens', OPAQUE],
    ['one that is asked about JWTs', { ...OPAQUE, introspection: 'jwt' }],
    ['one where people log in', LOGIN],
    ['one where people log in without a secret', { ...LOGIN, login_secret: null }],
    ['one that is asked no more, until it is again', { ...OPAQUE, introspection: 'never' }],
  ])('%s is one', async (_what, row) => {
    await expect(insert(row)).resolves.toMatchObject({ success: true })
  })

  it.each([
    ['another kind', { ...OAUTH, kind: 'saml' }],
    ['a trust domain that is an oauth issuer', { ...OAUTH, url: 'spiffe://corp.example' }],
    ['a workload issuer at an https url', { ...WORKLOAD, url: 'https://i.example' }],
    ['a trust domain with a path', { ...WORKLOAD, url: 'spiffe://corp.example/agent' }],
    ['a trust domain in capitals', { ...WORKLOAD, url: 'spiffe://Corp.example' }],
    ['a trust domain with a port', { ...WORKLOAD, url: 'spiffe://corp.example:443' }],
    ['an empty trust domain', { ...WORKLOAD, url: 'spiffe://' }],
    ['a trust domain whose workloads log in', { ...WORKLOAD, login_client: 'pages' }],
    ['a trust domain that is asked', { ...OPAQUE, ...WORKLOAD }],
    ['Access without an audience', { ...ACCESS, audience: null }],
    ['an audience of anybody else', { ...OAUTH, audience: 'aud-1' }],
    ['Access where people log in to our pages', { ...ACCESS, login_client: 'pages' }],
    ['introspection of some other kind', { ...OPAQUE, introspection: 'sometimes' }],
    ['introspection at no address', { ...OPAQUE, introspection_url: null }],
    ['introspection without a secret', { ...OPAQUE, introspection_secret: null }],
    ['introspection over plain http', { ...OPAQUE, introspection_url: 'http://i.example/x' }],
    ['a secret of another purpose', { ...OPAQUE, introspection_secret: 'LOGIN_ACME' }],
    ['a secret that is a setting', { ...OPAQUE, introspection_secret: 'PUBLIC_ORIGIN' }],
    ['a secret named by its prefix alone', { ...OPAQUE, introspection_secret: 'INTROSPECTION_' }],
    ['a secret in small letters', { ...OPAQUE, introspection_secret: 'INTROSPECTION_acme' }],
    ['a login secret of another purpose', { ...LOGIN, login_secret: 'INTROSPECTION_ACME' }],
    ['a login secret without a client', { ...LOGIN, login_client: null }],
  ])('%s is refused', async (_what, row) => {
    await expect(insert(row)).rejects.toThrow(/CHECK constraint failed/)
  })

  const OTHER = { url: 'https://j.example', jwks_uri: 'https://j.example/keys' }

  it('take opaque tokens for one active issuer of a tenant at most', async () => {
    await insert(OPAQUE)
    await expect(insert({ ...OPAQUE, ...OTHER })).rejects.toThrow(/UNIQUE/)
    await expect(insert({ ...OPAQUE, ...OTHER, introspection: 'always' })).rejects.toThrow(/UNIQUE/)
    await insert({ ...OPAQUE, ...OTHER, introspection: 'jwt' })
    await insert({ ...OPAQUE, url: 'https://l.example', tenant: 'globex' })
    await insert({ ...OPAQUE, url: 'https://k.example', active: 0 })
  })

  it('share a team of Access between tenants, by application', async () => {
    await insert(ACCESS)
    await expect(insert({ ...ACCESS, tenant: 'globex' })).rejects.toThrow('tenant_claim')
    await insert({ ...ACCESS, tenant: 'globex', audience: 'aud-2' })
    await expect(
      env.DB.prepare("UPDATE issuers SET audience = 'aud-1' WHERE tenant = 'globex'").run(),
    ).rejects.toThrow('tenant_claim')
  })
})
