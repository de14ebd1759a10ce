import { env } from 'cloudflare:workers'
import type { JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  administrator,
  assertion,
  AUD,
  CAROL,
  CERTS,
  HEADER,
  TEAM,
  withAccess,
} from '../../support/worker/access.ts'
import { Browser, formIn, grantNote, withLogin } from '../../support/worker/pages.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  RESOURCE,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()
withLogin()
withAccess()

const ALL = '/consents/crm/all'

async function person() {
  const sub = await newUser()
  const browser = new Browser()
  await browser.logIn(sub)
  await grantNote(browser, 'open', `words of ${sub}`)
  const bearer = await token({ sub })
  return { sub, browser, code: async () => (await call('note', { token: bearer })).code }
}

describe('an administrator', () => {
  it('sees what everybody gave at this server, and withdraws it', async () => {
    const [one, two] = [await person(), await person()]
    const carol = await administrator()
    const page = await carol.get(ALL)
    expect(page.text).toContain(`words of ${one.sub}`)
    expect(page.text).toContain(`words of ${two.sub}`)
    expect(await one.code()).toBe('allowed')
    const form = formIn(page, `${ALL}/withdraw`)
    const { results } = await env.DB.prepare('SELECT subject FROM consents WHERE id = ?1')
      .bind(form['consent'])
      .all<{ subject: string }>()
    const [mine, other] = results[0]?.subject === one.sub ? [one, two] : [two, one]
    expect((await carol.post(`${ALL}/withdraw`, form)).location).toBe(`${ALL}?done=withdrawn`)
    expect([await mine.code(), await other.code()]).toEqual(['consent_required', 'allowed'])
    const row = await env.DB.prepare('SELECT revoked_by FROM consents WHERE subject = ?1')
      .bind(mine.sub)
      .first()
    expect(row).toEqual({ revoked_by: `administrator ${CAROL}` })
    expect((await carol.get(ALL)).text).toContain(`administrator ${CAROL}`)
    // The person is told as well.
    expect((await mine.browser.get('/consents/crm')).text).toContain(`administrator ${CAROL}`)
  })

  it('grants nothing, and is nobody at a person’s page', async () => {
    const carol = await administrator()
    expect((await carol.get('/consents/crm')).text).toContain('Sign in at')
    expect((await carol.post('/consents/crm/grant', { client: 'acme-agent' })).status).toBe(401)
  })

  it.each<[string, JWTPayload, Record<string, unknown>]>([
    ['for another application', { aud: ['e'.repeat(64)] }, {}],
    ['for no application', { aud: [] }, {}],
    ['of another team', { iss: 'https://evil.cloudflareaccess.example' }, {}],
    ['that has expired', { iat: 1_600_000_000, exp: 1_600_003_600 }, {}],
    ['of tomorrow', { iat: 4_000_000_000, exp: 4_000_003_600 }, {}],
    ['for a year', { exp: Math.floor(Date.now() / 1000) + 366 * 86_400 }, {}],
    ['for the whole team', { type: 'org' }, {}],
    ['of a service', { sub: '', common_name: 'x.access' }, {}],
    ['without an email', { email: undefined }, {}],
    ['of somebody without the role', { email: 'mallory@acme.example' }, {}],
    ['in other letters', { email: 'Carol@acme.example' }, {}],
    ['with a space', { email: `${CAROL} ` }, {}],
    ['with a letter that nobody sees', { email: `${CAROL}\u200b` }, {}],
    ['with a list of emails', { email: [CAROL] }, {}],
    ['for this application and others', { aud: ['e'.repeat(64)], audience: AUD }, {}],
    ['of another kind', {}, { typ: 'at+jwt' }],
    ['with an unknown key', {}, { kid: 'access-2' }],
  ])('is nobody with a document %s', async (_, claims, header) => {
    expect((await (await administrator(claims, header)).get(ALL)).status).toBe(403)
  })

  it('is nobody by headers that say so', async () => {
    const browser = new Browser({ 'cf-access-authenticated-user-email': CAROL })
    expect((await browser.get(ALL)).status).toBe(403)
    const [head = '', body = '', signature = ''] = (await assertion()).split('.')
    const forged = new Browser({ [HEADER]: `${head}.${body}.${signature.slice(0, -8)}AAAAAAAA` })
    expect((await forged.get(ALL)).status).toBe(403)
    // Signed by the issuer that people log in at, who may not name administrators.
    const foreign = new Browser({
      [HEADER]: await token({ claims: { aud: AUD, email: CAROL }, header: { typ: 'JWT' } }),
    })
    expect((await foreign.get(ALL)).status).toBe(403)
  })

  it.each([
    ['role', "DELETE FROM role_assignments WHERE role = 'administrator'"],
    ['role, in time', "UPDATE role_assignments SET expires_at = 1 WHERE role = 'administrator'"],
    ['issuer', "UPDATE issuers SET active = 0 WHERE kind = 'access'"],
    ['trust', `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${CAROL}')`],
  ])('loses the page with the %s, at the next request', async (_, change) => {
    await person()
    const carol = await administrator()
    const form = formIn(await carol.get(ALL), `${ALL}/withdraw`)
    await sql(change)
    expect((await carol.get(ALL)).status).toBe(403)
    expect((await carol.post(`${ALL}/withdraw`, form)).status).toBe(403)
    const left = await env.DB.prepare('SELECT revoked_at FROM consents').first()
    expect(left).toEqual({ revoked_at: null })
  })

  it('is asked from their own page only, and withdraws what stood there', async () => {
    const { code } = await person()
    const carol = await administrator()
    const form = formIn(await carol.get(ALL), `${ALL}/withdraw`)
    const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    expect((await carol.post(`${ALL}/withdraw`, form, evil)).status).toBe(403)
    expect((await carol.post(`${ALL}/withdraw`, { ...form, consent: 'x' })).status).toBe(403)
    // A form of a person is none of an administrator.
    expect((await carol.post('/consents/crm/withdraw', form)).status).toBe(401)
    expect(await code()).toBe('allowed')
  })

  it('is not one of another tenant', async () => {
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO servers (name, tenant, url) VALUES ('gx', 'globex', 'https://crm.example/mcp/gx')",
    )
    expect((await (await administrator()).get('/consents/gx/all')).status).toBe(403)
    // Nor where that tenant has the same team, for another application, and the same name in its roles.
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, algorithms, kind, audience)
       VALUES ('globex', '${TEAM}', '${CERTS}', '["RS256"]', 'access', '${'e'.repeat(64)}')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
       VALUES ('globex', '${TEAM}', 'user', '${CAROL}', 'administrator')`,
    )
    expect((await (await administrator()).get('/consents/gx/all')).status).toBe(403)
    const theirs = await administrator({ aud: ['e'.repeat(64)] })
    expect((await theirs.get('/consents/gx/all')).status).toBe(200)
    expect((await theirs.get(ALL)).status).toBe(403)
  })

  it.each([
    ['at the issuer of people', `issuer = '${ISSUER}'`],
    ['as software', "holder_kind = 'client'"],
    ['by another name', "role = 'Administrator'"],
  ])('is nobody with a role that is held %s', async (_, change) => {
    await sql(`UPDATE role_assignments SET ${change} WHERE role = 'administrator'`)
    expect((await (await administrator()).get(ALL)).status).toBe(403)
  })

  it('gets into no MCP endpoint with it', async () => {
    const document = await assertion()
    const asBearer = await post(toolCall('note'), { token: document })
    const alone = await post(toolCall('note'), { token: null, headers: { [HEADER]: document } })
    const dressed = await assertion(
      { aud: RESOURCE, client_id: 'acme-agent', jti: 'x', scope: 'crm', sub: 'alice' },
      { typ: 'at+jwt' },
    )
    const asAccessToken = await post(toolCall('note'), { token: dressed })
    expect([asBearer.status, alone.status, asAccessToken.status]).toEqual([401, 401, 401])
  })
})
