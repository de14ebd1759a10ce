import { createExecutionContext } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import { inThisWorld, newUser, ORIGIN, sql } from '../../support/worker/world.ts'
import { ask, askMany, callerToken, mayCall, register } from './ask.ts'

inThisWorld()
beforeEach(() => register())

describe('the form of a request', () => {
  const refused: readonly [why: string, options: Parameters<typeof ask>[1], status: number][] = [
    ['another host', { origin: 'http://evil.example' }, 403],
    ['a foreign page', { headers: { origin: 'https://evil.example' } }, 403],
    ['GET', { method: 'GET' }, 405],
    ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
    ['a packed body', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['no JSON wanted', { headers: { accept: 'text/html' } }, 406],
  ]
  it.each(refused)('%s', async (_, options, status) => {
    const reply = await ask(mayCall('note', await newUser()), options)
    expect(reply.status).toBe(status)
    expect(reply.decision).toBeUndefined()
  })

  it('a body up to 64 KiB', async () => {
    const question = JSON.stringify(mayCall('note', await newUser()))
    const fits = question.padEnd(64 * 1024)
    expect(await ask(fits)).toMatchObject({ status: 200, decision: true })
    expect((await ask(`${fits} `)).status).toBe(413)
  })

  const question = mayCall('note', 'alice')
  const bodies: readonly unknown[] = [
    '',
    'null',
    '[]',
    '"x"',
    '{"a":1,"a":2}',
    '{',
    new Uint8Array([0xff, 0xfe]),
    '['.repeat(30_000),
    '{}',
    { ...question, subject: undefined },
    { ...question, subject: 'alice' },
    { ...question, subject: { type: 'user' } },
    { ...question, subject: { type: 'user', id: 7 } },
    { ...question, subject: { type: 'user', id: '' } },
    { ...question, subject: { type: 'user', id: 'a'.repeat(300) } },
    { ...question, subject: { type: 'user', id: 'a\nb' } },
    { ...question, subject: { type: 'user', id: 'alice', properties: [] } },
    { ...question, subject: { type: 'user', id: 'alice', properties: { client: 7 } } },
    { ...question, subject: { type: 'user', id: 'alice', properties: { scopes: 'crm' } } },
    { ...question, subject: { type: 'user', id: 'alice', properties: { auth_time: '1' } } },
    { ...question, subject: { type: 'user', id: 'alice', properties: { auth_time: 9e12 } } },
    { ...question, subject: { type: 'user', id: 'alice', properties: { sender_constrained: 1 } } },
    { ...question, action: 'tools/call' },
    { ...question, action: { name: null } },
    { ...question, resource: null },
    { ...question, resource: { type: 'tool' } },
    { ...question, resource: { type: 'todo', id: 'note' } },
    { ...question, context: null },
    { ...question, context: { arguments: [] } },
    { ...question, context: { server: 7 } },
    { ...question, context: { admit: true } },
    { ...question, context: { admit: {} } },
    '{"subject":{"type":"user","id":"\\ud800"},"action":{"name":"x"},"resource":{"type":"a","id":"b"}}',
  ]
  it.each(bodies)('ill-shaped: %j', async (body) => {
    for (const path of ['/access/v1/evaluation', '/access/v1/evaluations']) {
      const reply = await ask(body, { path })
      expect(reply.status).toBe(400)
      expect(Object.keys(JSON.parse(reply.text) as object).toSorted()).toEqual(['error', 'message'])
    }
  })

  it('members that nobody knows are left alone', async () => {
    const question = { ...mayCall('note', await newUser()), more: [1], ['__proto__']: {} }
    expect(await ask(question)).toMatchObject({ decision: true })
  })
})

describe('X-Request-ID', () => {
  it.each([
    ['bfe9eb29-ab87-4ca3-be83-a1d5d8305716', true],
    ['a'.repeat(129), false],
    ['a b', false],
  ])('%s', async (id, echoed) => {
    for (const token of [undefined, null]) {
      const reply = await ask(mayCall('note', 'alice'), {
        headers: { 'x-request-id': id },
        ...(token === null ? { token } : {}),
      })
      expect(reply.headers.get('x-request-id')).toBe(echoed ? id : null)
    }
  })
})

describe('what cannot be decided', () => {
  const isolateWith = (more: object) => ({ ...env, ...more }) as Env
  const send = async (isolate: Env, path = 'evaluation') =>
    app.fetch(
      new Request(`${ORIGIN}/access/v1/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${await callerToken()}`,
        },
        body: JSON.stringify(mayCall('note', 'alice')),
      }),
      isolate,
      createExecutionContext(),
    )

  it('is 503 with Retry-After, and never a yes', async () => {
    const DB = new Proxy(env.DB, {
      get: () => () => {
        throw new Error('D1 is down')
      },
    })
    for (const path of ['evaluation', 'evaluations']) {
      const response = await send(isolateWith({ DB }), path)
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('2')
      expect(await response.json()).toMatchObject({ error: 'facts_unavailable' })
    }
  })

  it('so are keys of the issuer that cannot be had', async () => {
    await sql("UPDATE issuers SET jwks_uri = jwks_uri || '?other'")
    const reply = await ask(mayCall('note', 'alice'))
    expect(reply.status).toBe(503)
    expect(reply.headers.has('www-authenticate')).toBe(false)
  })

  it('and an unsafe deployment', async () => {
    const isolate = isolateWith({
      PUBLIC_ORIGIN: 'https://sallyport.example',
      PUBLIC_ORIGIN_ALIASES: ORIGIN,
    })
    expect((await send(isolate)).status).toBe(503)
  })
})

describe('a flood of bad tokens', () => {
  it('costs no reading of the database', async () => {
    const cost = { statements: 0 }
    const DB = new Proxy(env.DB, {
      get: (target, name) =>
        name !== 'withSession'
          ? Reflect.get(target, name).bind(target)
          : () => {
              const session = target.withSession('first-primary')
              return new Proxy(session, {
                get(_, member) {
                  if (member === 'prepare') cost.statements += 1
                  return Reflect.get(session, member).bind(session)
                },
              })
            },
    })
    const isolate = { ...env, DB } as Env
    const send = (bearer: string) =>
      app.fetch(
        new Request(`${ORIGIN}/access/v1/evaluation`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
          body: JSON.stringify(mayCall('note', 'alice')),
        }),
        isolate,
        createExecutionContext(),
      )
    expect((await send(await callerToken())).status).toBe(200)
    const good = await callerToken()
    const forged = `${good.slice(0, -4)}AAAA`
    const [header = '', , signature = ''] = good.split('.')
    const madeUp = (at: number): string => {
      const payload = btoa(JSON.stringify({ iss: `https://x${at}.example` })).replace(/=+$/, '')
      return [header, payload, signature].join('.')
    }
    const before = cost.statements
    for (let at = 0; at < 300; at += 1) expect((await send(forged)).status).toBe(401)
    // Once a second it is asked whether newer rows would know the key.
    expect(cost.statements - before).toBeLessThan(10)
    const between = cost.statements
    const statuses = new Set<number>()
    for (let at = 0; at < 300; at += 1) statuses.add((await send(madeUp(at))).status)
    // Fifty lookups a second, and beyond it nobody can say.
    expect(cost.statements - between).toBeLessThanOrEqual(150)
    expect(statuses).toEqual(new Set([401, 503]))
    expect((await send(good)).status).toBe(200)
  })
})

describe('the configuration', () => {
  const at = async (origin: string) => {
    const response = await exports.default.fetch(`${origin}/.well-known/authzen-configuration`)
    return { status: response.status, text: await response.text() }
  }

  it.each([ORIGIN, 'http://127.0.0.1:8787'])(
    'names the origin that was asked: %s',
    async (origin) => {
      const { status, text } = await at(origin)
      expect(status).toBe(200)
      expect(JSON.parse(text)).toEqual({
        policy_decision_point: origin,
        access_evaluation_endpoint: `${origin}/access/v1/evaluation`,
        access_evaluations_endpoint: `${origin}/access/v1/evaluations`,
      })
    },
  )

  it('is served nowhere else', async () => {
    expect((await at('http://evil.example')).status).toBe(403)
  })

  it('its endpoints answer', async () => {
    const { text } = await at(ORIGIN)
    const named = JSON.parse(text) as Record<string, string>
    const sub = await newUser()
    const path = (name: string) => new URL(named[name] ?? '').pathname
    const one = await ask(mayCall('note', sub), { path: path('access_evaluation_endpoint') })
    expect(one.decision).toBe(true)
    const many = await askMany(
      { ...mayCall('note', sub), evaluations: [{}] },
      { path: path('access_evaluations_endpoint') },
    )
    expect(many.evaluations).toHaveLength(1)
  })
})
