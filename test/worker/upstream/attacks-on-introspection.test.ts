import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/sha256.ts'
import {
  introspect,
  isActive,
  jwks,
  lastShown,
  PASSWORD,
  request,
  signsForCrm,
  verifierOf,
} from '../../support/worker/signed.ts'
import { pin, serve } from '../../support/worker/upstream.ts'
import { call, inThisWorld, newUser, seen, sql, token } from '../../support/worker/world.ts'

inThisWorld()
beforeEach(signsForCrm)

const NOTE = { name: 'note', description: 'Writes a note', inputSchema: { type: 'object' } }

const shown = async (): Promise<string> => {
  expect((await call('note', { token: await token({ sub: await newUser() }) })).code).toBe(
    'allowed',
  )
  return lastShown()
}

/** Another tenant's server in front of the very same upstream, with the very same password. */
const theirs = () =>
  sql(
    "INSERT INTO tenants (id) VALUES ('globex')",
    `INSERT INTO servers (name, tenant, url, credential, introspection_digest)
       SELECT 'theirs', 'globex', url, 'signed', introspection_digest FROM servers WHERE name = 'crm'`,
  )

describe('what Sallyport asks a server by itself', () => {
  it('is of that tenant, for its verifier and for whoever asks', async () => {
    await pin(NOTE)
    serve({ tools: () => [NOTE] })
    await theirs()
    await call('note', { token: await token({ sub: await newUser() }) })
    const own = seen.find(({ body }) => !body.includes('tools/call'))
    const authorization = own?.headers.get('authorization') ?? ''
    const text = authorization.replace('Bearer ', '')
    expect(await isActive(text, { name: 'theirs' })).toBe(false)
    expect(await isActive(text)).toBe(true)
    const body = own?.body ?? ''
    expect(await (await verifierOf({ tenant: 'globex' }))(authorization, body)).toMatchObject({
      ok: false,
    })
    expect(await (await verifierOf({ tenant: 'acme' }))(authorization, body)).toMatchObject({
      ok: true,
      caller: { isSallyport: true },
    })
  })
})

describe('whoever asks', () => {
  it.each([
    ['with every character escaped', (text: string) => escaped(text)],
    ['with blanks as plus', (text: string) => encodeURIComponent(text).replaceAll('%20', '+')],
  ])('may spell the password %s (RFC 6749 §2.3.1)', async (_what, spelled) => {
    const basic = btoa(`crm:${spelled(PASSWORD)}`)
    const response = await introspect(await shown(), {
      headers: { authorization: `Basic ${basic}` },
    })
    expect(await response.json()).toMatchObject({ active: true })
  })

  it.each([
    ['a colon in the password', 'a:b'],
    ['a percent sign', '100%'],
    ['letters of other scripts', 'пароль-密码'],
    ['a quote and a backslash', '"\\'],
  ])('may have %s', async (_what, password) => {
    const digest = await sha256(password)
    await sql(`UPDATE servers SET introspection_digest = '${digest}' WHERE name = 'crm'`)
    expect(await isActive(await shown(), { password })).toBe(true)
  })

  it.each([
    ['half an escape', btoa('crm:%')],
    ['bytes that are no text', btoa('crm:%ff')],
    ['no colon', btoa('crm')],
    ['no name', btoa(`:${PASSWORD}`)],
    ['the digest for the password', 'digest'],
    ['a name of the prototype', btoa(`__proto__:${PASSWORD}`)],
    ['nothing', ''],
  ])('is nobody with %s', async (_what, given) => {
    const basic = given === 'digest' ? btoa(`crm:${await sha256(PASSWORD)}`) : given
    const response = await introspect('x', { headers: { authorization: `Basic ${basic}` } })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ error: 'invalid_client' })
  })

  it.each([
    ['a second token by an escape', 'token=a&%74oken=b'],
    ['ten thousand members', Array.from({ length: 10_000 }, (_, at) => `a${at}=1`).join('&')],
  ])('is not answered for %s', async (_what, body) => {
    expect((await introspect('', { body })).status).toBe(400)
  })

  it('hears the same of any token that is not for it', async () => {
    const text = await shown()
    await theirs()
    const answers = await Promise.all(
      [text, 'x', `${text}x`, await token({ sub: 'alice' })].map(async (one) => {
        const response = await introspect(one, { name: 'theirs' })
        return [response.status, [...response.headers], await response.text()]
      }),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.[2]).toBe('{"active":false}')
  })
})

describe('an answer that is signed', () => {
  const signedFor = async (text: string, name = 'crm') =>
    (
      await introspect(text, { name, headers: { accept: 'application/token-introspection+jwt' } })
    ).text()

  it('is for whoever asked, and no token for a call', async () => {
    const text = await shown()
    await theirs()
    const keys = createLocalJWKSet(await jwks())
    const [mine, others] = [await signedFor(text), await signedFor(text, 'theirs')]
    const { payload } = await jwtVerify(others, keys, { audience: 'theirs' })
    expect(payload['token_introspection']).toEqual({ active: false })
    await expect(jwtVerify(mine, keys, { audience: 'theirs' })).rejects.toThrow('aud')
    const { body } = seen.at(-1) ?? { body: '' }
    expect(await (await verifierOf({ audience: 'crm' }))(`Bearer ${mine}`, body)).toMatchObject({
      ok: false,
      detail: expect.stringContaining('typ'),
    })
    expect(await isActive(mine)).toBe(false)
  })

  it('is no credential for Sallyport, and neither is what it signs for servers', async () => {
    const text = await shown()
    for (const bearer of [text, await signedFor(text)]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await call('note', { token: bearer })).status).toBe(401)
    }
    expect((await request('/tasks', { headers: { authorization: `Bearer ${text}` } })).ok).toBe(
      false,
    )
  })
})

const escaped = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
    .join('')
