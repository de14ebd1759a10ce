import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { app } from '../../../src/app.ts'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  ORIGIN,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

/** The same Worker with another environment: what production or an outage would hand it. */
async function callWith(
  changed: Partial<Env>,
  url = `${ORIGIN}/crm/mcp`,
  audience = RESOURCE,
): Promise<Response> {
  const context = createExecutionContext()
  const request = new Request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await token({ claims: { aud: audience } })}`,
    },
    body: toolCall('note'),
  })
  const response = await app.fetch(request, { ...env, ...changed } as Env, context)
  await waitOnExecutionContext(context)
  return response
}

/** A database that counts its sessions, and behaves as told from the nth reading on. */
function database(behave: (reading: number) => 'works' | 'fails' | 'hangs'): D1Database {
  let readings = 0
  const wrap = (session: D1DatabaseSession) =>
    new Proxy(session, {
      get(target, name) {
        const how = behave((readings += 1))
        if (how === 'fails') throw new Error('D1_ERROR: Network connection lost')
        if (how === 'hangs') {
          const statement = { bind: () => statement, first: () => new Promise(() => {}) }
          return () => statement
        }
        return Reflect.get(target, name).bind(target)
      },
    })
  return new Proxy(env.DB, {
    get: (target, name) =>
      name === 'withSession'
        ? () => wrap(target.withSession('first-primary'))
        : Reflect.get(target, name).bind(target),
  })
}

const sessions = (admit: () => Promise<unknown>): Env['SESSIONS'] =>
  new Proxy(env.SESSIONS, {
    get: (target, name) =>
      name === 'get'
        ? () => ({ admit, noteDenial: admit, settle: async () => {} })
        : Reflect.get(target, name).bind(target),
  })

describe('with D1 down, hung or shaken', () => {
  it.each(['fails', 'hangs'] as const)('a database that %s is a 503', async (how) => {
    const response = await callWith({ DB: database(() => how) })
    expect(response.headers.get('retry-after')).not.toBeNull()
    expect(await verdict(response)).toMatchObject({ status: 503, code: 'facts_unavailable' })
    expect(seen).toEqual([])
  })

  it('one failed reading is tried again', async () => {
    const response = await callWith({
      DB: database((reading) => (reading === 1 ? 'fails' : 'works')),
    })
    expect((await verdict(response)).code).toBe('allowed')
  })

  it('rows that were good a moment ago let nobody in', async () => {
    let broken = false
    const DB = database(() => (broken ? 'fails' : 'works'))
    const changed = { ...env, DB } as Env
    const context = createExecutionContext()
    const ask = async () =>
      app.fetch(
        new Request(`${ORIGIN}/crm/mcp`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
          body: toolCall('note'),
        }),
        changed,
        context,
      )
    expect((await verdict(await ask())).code).toBe('allowed')
    broken = true
    expect((await verdict(await ask())).code).toBe('facts_unavailable')
    broken = false
    expect((await verdict(await ask())).code).toBe('allowed')
    expect(seen).toHaveLength(2)
  })

  it('a bad token of a known issuer costs no reading', async () => {
    let readings = 0
    const DB = database(() => {
      readings += 1
      return 'works'
    })
    const changed = { ...env, DB } as Env
    const ask = async (bearer: string) =>
      app.fetch(
        new Request(`${ORIGIN}/crm/mcp`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
          body: toolCall('note'),
        }),
        changed,
        createExecutionContext(),
      )
    await ask(await token())
    const before = readings
    const good = await token()
    const [head = '', payload = '', signature = ''] = good.split('.')
    const forged = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    for (let n = 0; n < 20; n += 1) expect((await ask(forged)).status).toBe(401)
    expect(readings).toBe(before)
  })
})

describe('with the session down or hung', () => {
  it('fails: 503, and nothing is sent', async () => {
    const SESSIONS = sessions(() => Promise.reject(new Error('object reset')))
    expect(await verdict(await callWith({ SESSIONS }))).toMatchObject({
      status: 503,
      code: 'session_unavailable',
    })
    expect(seen).toEqual([])
  })

  it('hangs: 503, and nothing is sent', { timeout: 15_000 }, async () => {
    const SESSIONS = sessions(() => new Promise(() => {}))
    expect(await verdict(await callWith({ SESSIONS }))).toMatchObject({
      status: 503,
      code: 'session_unavailable',
    })
    expect(seen).toEqual([])
  })

  it('a denial that cannot be recorded is a 503 too', async () => {
    await sql('DELETE FROM policies')
    const SESSIONS = sessions(() => Promise.reject(new Error('object reset')))
    expect((await verdict(await callWith({ SESSIONS }))).code).toBe('session_unavailable')
  })

  /** A session whose first admission comes too late, after something else has happened. */
  const slow = (meanwhile: () => Promise<void>): Env['SESSIONS'] => {
    let wasLate = false
    return new Proxy(env.SESSIONS, {
      get: (target, name) =>
        name === 'get'
          ? (id: DurableObjectId) => {
              const stub = target.get(id)
              return {
                admit: async (request: Parameters<typeof stub.admit>[0]) => {
                  const answer = await stub.admit(request)
                  // Before it the session may ask for the rules.
                  if (wasLate || answer.kind === 'rules_needed') return answer
                  wasLate = true
                  await meanwhile()
                  await new Promise((resolve) => setTimeout(resolve, 600))
                  return answer
                },
                noteDenial: (note: Parameters<typeof stub.noteDenial>[0]) => stub.noteDenial(note),
                settle: (outcome: Parameters<typeof stub.settle>[0]) => stub.settle(outcome),
              }
            }
          : Reflect.get(target, name).bind(target),
    })
  }

  it('slow beyond the age of the facts: they are read and decided again', async () => {
    const SESSIONS = slow(() =>
      sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'acme-agent')"),
    )
    expect((await verdict(await callWith({ SESSIONS }))).code).toBe('revoked')
    expect(seen).toEqual([])
  })

  it('what is decided again is another decision, by the rules of that moment', async () => {
    const SESSIONS = slow(() =>
      sql(
        `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES ('acme', 'no-notes', 'deny', 'sink.update', 'temporal', '["sink.update"]', 'no notes')`,
      ),
    )
    expect((await verdict(await callWith({ SESSIONS }))).code).toBe('denied_by_sequence')
    expect(seen).toEqual([])
  })
})

describe('with a table whose triggers are gone', () => {
  it('is a 503 that names the table, until they are back', async () => {
    const rebuild = [
      'CREATE TABLE policies_new AS SELECT * FROM policies',
      'DROP TABLE policies',
      'ALTER TABLE policies_new RENAME TO policies',
    ]
    const { results } = await env.DB.prepare(
      "SELECT sql FROM sqlite_master WHERE tbl_name = 'policies' AND sql IS NOT NULL ORDER BY type",
    ).all<{ sql: string }>()
    expect((await call('note')).code).toBe('allowed')
    await sql(...rebuild)
    expect(await call('note')).toMatchObject({ status: 503, code: 'unsafe_configuration' })
    const health = await app.fetch(new Request(`${ORIGIN}/healthz`), env, createExecutionContext())
    expect(health.status).toBe(503)
    expect(await health.text()).toContain('`policies`')
    const [table = '', ...triggers] = results.map((row) => row.sql)
    await sql('DROP TABLE policies', table, ...triggers)
    await sql(
      "INSERT INTO policies (tenant, id, effect, role, agent) VALUES ('acme', 'sales', 'allow', 'sales', '*')",
    )
    expect((await call('note')).code).toBe('allowed')
  })
})

describe('behind a public origin', () => {
  const PUBLIC = {
    PUBLIC_ORIGIN: 'https://mcp.example.com',
    PUBLIC_ORIGIN_ALIASES: '',
    ALLOW_LOOPBACK_UPSTREAMS: '',
  } as Partial<Env>
  const publicCall = (more: Partial<Env> = {}) =>
    callWith(
      { ...PUBLIC, ...more },
      'https://mcp.example.com/crm/mcp',
      'https://mcp.example.com/crm/mcp',
    )
  const health = (more: Partial<Env> = {}) =>
    app.fetch(
      new Request('https://mcp.example.com/healthz'),
      { ...env, ...PUBLIC, ...more } as Env,
      createExecutionContext(),
    )

  it('calls are served when nothing local is trusted', async () => {
    expect(await verdict(await publicCall())).toMatchObject({ status: 200, code: 'allowed' })
    expect((await health()).status).toBe(200)
  })

  it.each<[string, string, Partial<Env>]>([
    ['the switch for loopback upstreams', '', { ALLOW_LOOPBACK_UPSTREAMS: 'true' } as Partial<Env>],
    ['a demo issuer', `UPDATE issuers SET demo = 1 WHERE url = '${ISSUER}'`, {}],
    [
      'a loopback issuer',
      "INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'http://127.0.0.1:8788', 'http://127.0.0.1:8788/jwks.json')",
      {},
    ],
    [
      'a loopback issuer over https',
      "INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'https://127.1', 'https://127.1/jwks.json')",
      {},
    ],
    [
      'a loopback server',
      "INSERT INTO servers (name, tenant, url) VALUES ('local', 'acme', 'http://localhost:9000/mcp')",
      {},
    ],
    [
      'a demo issuer of another tenant',
      "INSERT INTO tenants (id) VALUES ('globex'); INSERT INTO issuers (tenant, url, jwks_uri, demo) VALUES ('globex', 'https://demo.example', 'https://demo.example/k', 1)",
      {},
    ],
  ])('%s makes every call a 503, and /healthz says why', async (_, statements, more) => {
    for (const statement of statements.split(';')) if (statement !== '') await sql(statement)
    expect(await verdict(await publicCall(more))).toMatchObject({
      status: 503,
      code: 'unsafe_configuration',
    })
    const said = await health(more)
    expect(said.status).toBe(503)
    expect(((await said.json()) as { reasons: string[] }).reasons).toHaveLength(1)
    expect(seen).toEqual([])
  })
})

describe('with a slow upstream', () => {
  it('a client that left leaves the call committed: it may have acted', async () => {
    let push: (text: string) => void = () => {}
    behaviour.upstream = () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            push = (text) => controller.enqueue(new TextEncoder().encode(text))
            push(': hello\n\n')
            // It ends by itself: before 2026-07-28 to leave is not to cancel.
            setTimeout(() => controller.close(), 200)
          },
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      )
    const response = await post(toolCall('note'))
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await reader?.cancel()
    await vi.waitFor(async () => {
      const row = await env.DECISIONS.prepare(
        "SELECT state FROM outcomes WHERE detail = 'the client left, and no answer came'",
      ).first<{ state: string }>()
      expect(row?.state).toBe('committed')
    }, 5_000)
  })
})
