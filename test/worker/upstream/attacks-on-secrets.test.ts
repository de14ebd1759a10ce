import { beforeEach, describe, expect, it, vi } from 'vitest'
import { newIsolate } from '../../support/worker/isolate.ts'
import { pin, seenAsPinned, serve } from '../../support/worker/upstream.ts'
import {
  behaviour,
  call,
  inThisWorld,
  newUser,
  seen,
  sql,
  token,
  UPSTREAM,
} from '../../support/worker/world.ts'

inThisWorld()

const use = (name: string) =>
  sql(`UPDATE servers SET credential = 'secret', credential_secret = '${name}' WHERE name = 'crm'`)
const VALUE = 'k-4711'
const asked = async () => call('note', { token: await token({ sub: await newUser() }) })

/** Every request that left, whoever was asked. */
const sentWith = (value: string): readonly string[] =>
  vi
    .mocked(fetch)
    .mock.calls.map(([input, init]) => new Request(input as RequestInfo, init))
    .filter(({ headers }) => JSON.stringify([...headers]).includes(value))
    .map(({ url }) => url)

describe('a secret for one origin', () => {
  beforeEach(() => use('UPSTREAM_CRM'))

  it.each([
    ['another port', 'https://crm.example:8443/mcp'],
    ['a subdomain', 'https://a.crm.example/mcp'],
    ['its name as a subdomain', 'https://crm.example.evil.example/mcp'],
    ['a path of another', 'https://evil.example/crm.example/mcp'],
  ])('does not go to %s', async (_what, url) => {
    await sql(`UPDATE servers SET url = '${url}' WHERE name = 'crm'`)
    expect((await asked()).code).not.toBe('allowed')
    expect(sentWith(VALUE)).toEqual([])
  })

  it.each([
    ['its name as a user', 'https://crm.example@evil.example/mcp'],
    ['its name as a password', 'https://a:crm.example@evil.example/mcp'],
    ['a letter that looks the same', 'https://сrm.example/mcp'],
    ['a backslash', 'https://crm.example\\@evil.example/mcp'],
  ])('cannot be pointed by SQL at %s', async (_what, url) => {
    const change = sql(`UPDATE servers SET url = '${url}' WHERE name = 'crm'`)
    await expect(change).rejects.toThrow('CHECK constraint failed')
  })

  it.each([
    ['a call', async () => undefined],
    [
      'a look of our own at its tools',
      async () => {
        const tool = { name: 'note', inputSchema: { type: 'object' } }
        await seenAsPinned('note', await pin(tool), 3_600)
        serve({ tools: () => [tool] })
      },
    ],
  ])('does not follow a redirect: %s', async (_what, setUp) => {
    await setUp()
    behaviour.upstream = () =>
      new Response(null, { status: 307, headers: { location: 'https://evil.example/mcp' } })
    expect((await asked()).code).not.toBe('allowed')
    expect(seen.length).toBeGreaterThan(0)
    expect(new Set(sentWith(VALUE))).toEqual(new Set([UPSTREAM]))
  })
})

describe('a secret that is not what it should be', () => {
  const CRM = { tenant: 'acme', origin: 'https://crm.example', header: 'x-api-key', value: VALUE }
  it.each<[string, string]>([
    ['a list', JSON.stringify([CRM])],
    ['a member too many', JSON.stringify({ ...CRM, note: 'x' })],
    ['a member twice', JSON.stringify(CRM).replace('{', '{"tenant":"globex",')],
    ['no tenant', JSON.stringify({ ...CRM, tenant: undefined })],
    ['an empty tenant', JSON.stringify({ ...CRM, tenant: '' })],
    ['every tenant', JSON.stringify({ ...CRM, tenant: '*' })],
    ['an origin with a path', JSON.stringify({ ...CRM, origin: 'https://crm.example/' })],
    ['an origin in capitals', JSON.stringify({ ...CRM, origin: 'https://CRM.example' })],
    ['an origin without a scheme', JSON.stringify({ ...CRM, origin: 'crm.example' })],
    ['a number for a value', JSON.stringify({ ...CRM, value: 4711 })],
    ['a header with a colon', JSON.stringify({ ...CRM, header: 'x-api-key:' })],
    ['a header of the connection', JSON.stringify({ ...CRM, header: 'Transfer-Encoding' })],
    ['a header of the message', JSON.stringify({ ...CRM, header: 'Mcp-Session-Id' })],
    ['a value with an end of line', JSON.stringify({ ...CRM, value: `${VALUE}\nx: y` })],
    ['a value of another alphabet', JSON.stringify({ ...CRM, value: `${VALUE}é` })],
    ['nothing', ''],
  ])('opens nothing: %s', async (_what, text) => {
    await use('UPSTREAM_CRM')
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const isolate = newIsolate({ UPSTREAM_CRM: text } as Partial<Env>)
    expect(await isolate('note', await newUser())).toMatchObject({ code: 'credential_unavailable' })
    expect(seen).toEqual([])
    expect(JSON.stringify(warned.mock.calls)).not.toContain(VALUE)
  })

  it('may be the header that everybody has', async () => {
    await use('UPSTREAM_CRM')
    const text = JSON.stringify({ ...CRM, header: 'Authorization', value: `Bearer ${VALUE}` })
    await newIsolate({ UPSTREAM_CRM: text } as Partial<Env>)('note', await newUser())
    expect(seen.map(({ headers }) => headers.get('authorization'))).toEqual([`Bearer ${VALUE}`])
  })
})
