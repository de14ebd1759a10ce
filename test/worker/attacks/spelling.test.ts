import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
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
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const raw = async (url: string, init: RequestInit = {}, changed: Partial<Env> = {}) =>
  app.fetch(
    new Request(url, {
      method: 'POST',
      body: init.method === 'GET' ? null : toolCall('note'),
      ...init,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await token()}`,
        ...(init.headers as Record<string, string> | undefined),
      },
    }),
    { ...env, ...changed } as Env,
    createExecutionContext(),
  )

describe('spellings of an endpoint', () => {
  it.each([
    '/crm/mcp/',
    '//crm/mcp',
    '/crm//mcp',
    '/CRM/mcp',
    '/crm/MCP',
    '/crm%2Fmcp',
    '/x/../crm/mcp/x',
    '/crm%00/mcp',
    '/crm%20/mcp',
    '/%2e%2e%2fcrm/mcp',
    '/crm;a=b/mcp',
    '/%E0%A4%A/mcp',
    '/%FF%FE/mcp',
    `/${'a'.repeat(4000)}/mcp`,
    "/crm'--/mcp",
    '/constructor/mcp',
    '/__proto__/mcp',
  ])('%s is nobody', async (path) => {
    expect((await raw(`${ORIGIN}${path}`)).status).toBe(404)
    expect(seen).toEqual([])
  })

  it('an encoded letter is that letter: same server, same policies, same history', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    expect((await call('read_all', { token: bearer, server: '%63rm' })).code).toBe('allowed')
    expect((await call('export_all', { token: bearer })).code).toBe('denied_by_sequence')
  })

  it.each([
    'http://localhost.:8787',
    'http://localhost:8788',
    'http://localhost',
    'http://127.0.0.1.example:8787',
    'http://[::1]:8787',
  ])('host of %s is not served', async (origin) => {
    expect((await raw(`${origin}/crm/mcp`)).status).toBeGreaterThanOrEqual(400)
    expect(seen).toEqual([])
  })

  it.each(['HTTP://LOCALHOST:8787', 'http://user:pw@localhost:8787', 'http://127.1:8787'])(
    'host of %s is one of ours, in other letters',
    async (origin) => {
      // A request cannot carry user information; where one can be built, it changes nothing.
      const url = new URL(`${origin}/crm/mcp`)
      url.username = ''
      url.password = ''
      expect((await verdict(await raw(url.href))).code).toBe('allowed')
    },
  )

  it.each([
    ['x-forwarded-host', 'evil.example'],
    ['x-forwarded-proto', 'https'],
    ['forwarded', 'host=evil.example'],
    ['x-original-url', '/other/mcp'],
    ['x-rewrite-url', '/other/mcp'],
    ['x-http-method-override', 'GET'],
    ['x-method-override', 'DELETE'],
  ])('header %s changes nothing', async (name, value) => {
    const without = await verdict(await raw(`${ORIGIN}/crm/mcp`))
    const withIt = await verdict(await raw(`${ORIGIN}/crm/mcp`, { headers: { [name]: value } }))
    expect(withIt).toEqual(without)
    expect(seen[1]?.headers.has(name)).toBe(false)
  })

  it('plain http to a public origin that is https is not served', async () => {
    const origin = { PUBLIC_ORIGIN: 'https://mcp.example.com', PUBLIC_ORIGIN_ALIASES: '' }
    const closed = { ...origin, ALLOW_LOOPBACK_UPSTREAMS: '' } as Partial<Env>
    const bearer = await token({ claims: { aud: 'https://mcp.example.com/crm/mcp' } })
    const headers = { authorization: `Bearer ${bearer}` }
    const said = await raw('http://mcp.example.com/crm/mcp', { headers }, closed)
    expect(said.status).toBeGreaterThanOrEqual(400)
  })
})

describe('spellings of an origin, a form, a method', () => {
  it.each([
    'null',
    'http://localhost:8787.evil.example',
    'HTTP://LOCALHOST:8787',
    '',
    'file://',
    '*',
  ])('Origin `%s` may not call', async (origin) => {
    const response = await raw(`${ORIGIN}/crm/mcp`, { headers: { origin } })
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(seen).toEqual([])
  })

  it.each([
    'text/plain',
    'application/json-patch+json',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; boundary=x',
    'application/jsonx',
    'multipart/form-data; x=application/json',
  ])('Content-Type `%s` is refused', async (type) => {
    const response = await raw(`${ORIGIN}/crm/mcp`, { headers: { 'content-type': type } })
    expect(response.status).toBe(415)
    expect(seen).toEqual([])
  })

  it.each(['PUT', 'PATCH', 'PROPFIND'])('%s is refused', async (method) => {
    const init = { method, body: toolCall('note') }
    expect((await raw(`${ORIGIN}/crm/mcp`, init)).status).toBe(405)
    expect(seen).toEqual([])
  })

  it.each(['gzip', 'br', 'gzip, identity', 'x'])(
    'Content-Encoding %s is refused',
    async (coding) => {
      const response = await raw(`${ORIGIN}/crm/mcp`, { headers: { 'content-encoding': coding } })
      expect(response.status).toBe(415)
    },
  )
})

describe('spellings of a tool', () => {
  it.each([
    'READ_ALL',
    'read_all ',
    ' read_all',
    'read_all\u00a0',
    'read\u200b_all',
    'ｒead_all',
    'read_all\u0000',
    'read%5Fall',
    'crm/read_all',
    '*',
    'read_*',
    '',
  ])('%j is no tool', async (name) => {
    expect((await call(name)).code).toMatch(/tool_unknown|params_invalid/)
    expect(seen).toEqual([])
  })

  it('an escaped letter is that letter, to the policy and to the upstream', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'd', 'deny', 'note')",
    )
    const body = toolCall('note').replace('"note"', '"\\u006eote"')
    expect((await verdict(await post(body))).code).toBe('denied_by_policy')
  })

  it.each([
    ['two names', '"name":"note","name":"delete_one"'],
    ['two names, one escaped', '"name":"note","n\\u0061me":"delete_one"'],
    ['a name in another case besides', '"name":"note","Name":"delete_one"'],
    ['a task besides with more to it', '"name":"note","task":{"name":"delete_one"}'],
    ['answers to questions besides', '"name":"note","inputResponses":{}'],
  ])('%s are refused', async (_, members) => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${members},"arguments":{}}}`
    expect((await verdict(await post(body))).code).not.toBe('allowed')
    expect(seen).toEqual([])
  })

  it.each([
    ['a byte order mark', (body: string) => `\ufeff${body}`],
    ['a second message', (body: string) => `${body}${body}`],
    ['a batch', (body: string) => `[${body}]`],
    ['a comment', (body: string) => `${body}/**/`],
    ['a trailing comma', (body: string) => body.replace(/\}$/, ',}')],
    ['a NUL after it', (body: string) => `${body}\0`],
  ])('a message with %s is refused', async (_, spell) => {
    expect((await verdict(await post(spell(toolCall('note'))))).status).toBe(400)
    expect(seen).toEqual([])
  })

  it('what is deep, wide or not UTF-8 is refused in good time', async () => {
    const args = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const deep = toolCall('note').replace('{}', args)
    const wide = toolCall('note').replace('{}', `{"a":[${'{},'.repeat(300_000)}{}]}`)
    const bytes = new TextEncoder().encode(toolCall('note', { a: 'xx' }))
    bytes[bytes.indexOf(0x78)] = 0xff
    for (const body of [deep, wide, bytes]) {
      expect((await verdict(await post(body))).code).toBe('malformed_json')
    }
    expect(seen).toEqual([])
  })

  it('a tool that another server of the tenant has is unknown here', async () => {
    await sql(
      "INSERT INTO servers (name, tenant, url) VALUES ('b', 'acme', 'https://crm.example/mcp/b')",
      "INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'b', 'only_b', 'read')",
    )
    expect((await call('only_b')).code).toBe('tool_unknown')
  })
})

describe('spellings of a subject', () => {
  it.each(['ALICE', 'alice ', 'Alice', 'alice\u0301', 'аlice', 'alice%00'])(
    '%j is somebody else, without the roles of alice',
    async (sub) => {
      expect((await call('note', { token: await token({ sub }) })).code).toMatch(
        /not_allowed|token_invalid/,
      )
    },
  )

  it.each([`${ISSUER}/`, ISSUER.toUpperCase(), ISSUER.replace('https', 'http'), `${ISSUER}:443`])(
    'issuer %s is not the one that is trusted',
    async (iss) => {
      expect((await call('note', { token: await token({ claims: { iss } }) })).status).toBe(401)
    },
  )

  it('an initialize of a version that is not enforced is at least no way around a header', async () => {
    const params = { protocolVersion: '2026-07-28' }
    const headers = { 'mcp-protocol-version': '2026-07-28' }
    expect((await verdict(await post(message('initialize', params), { headers }))).status).toBe(400)
  })
})
