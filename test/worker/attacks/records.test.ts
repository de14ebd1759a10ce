import { env } from 'cloudflare:workers'
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { Outbox, type DecisionRow } from '../../../src/durable-objects/outbox.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  seen,
  sessionKey,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'
import { HOSTILE as hostile } from './hostile.ts'

inThisWorld()

const sessionOf = async (subject: string) =>
  env.SESSIONS.get(env.SESSIONS.idFromName(await sessionKey(subject)))

const ship = async (subject: string): Promise<void> => {
  await runDurableObjectAlarm(await sessionOf(subject))
}

interface Stored {
  readonly inputs: {
    readonly request: {
      readonly subject: { readonly id: string }
      readonly resource: { readonly id: string }
      readonly context: { readonly arguments: Record<string, unknown> | null }
    }
    readonly digest: string
    readonly argumentsOmitted?: unknown
    readonly evidenceOmitted?: unknown
  }
}

const recordsOf = async (subject: string) => {
  const { results } = await env.DECISIONS.prepare(
    'SELECT subject, typeof(subject) AS type, tool, record FROM decisions WHERE subject = ? ORDER BY sequence',
  )
    .bind(subject)
    .all<{ subject: string; type: string; tool: string | null; record: string }>()
  return results.map((row) => ({ ...row, stored: JSON.parse(row.record) as Stored }))
}

/** D1 takes no value of more than 2 MB (developers.cloudflare.com/d1/platform/limits); workerd does. */
const D1_VALUE_BYTES = 2_000_000

const shipsAll = (letter: string): Promise<boolean> =>
  runInDurableObject(
    env.SESSIONS.getByName(`outbox-${crypto.randomUUID()}`),
    async (_, { storage }) => {
      const log = {
        prepare: () => ({
          bind: (...values: unknown[]) => {
            for (const value of values) {
              const { length } = new TextEncoder().encode(String(value))
              if (length > D1_VALUE_BYTES) throw new Error('D1_ERROR: string or blob too big')
            }
          },
        }),
        batch: async () => [],
      } as unknown as D1Database
      const outbox = new Outbox(storage, log)
      const inInputs = JSON.stringify(letter).length - 2
      const long = JSON.stringify(letter.repeat(Math.floor(260_000 / inInputs)))
      for (let n = 0; n < 6; n += 1) {
        const row = { id: `${n}`, record: `{"inputs":${long}}` } as DecisionRow
        outbox.add(storage.sql, 'decision', row)
      }
      await outbox.ship(Date.now)
      return storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM outbox').one().n === 0
    },
  )

describe('a shipment fits into what D1 takes', () => {
  it.each([
    ['one-byte letters', 'a'],
    ['letters of two bytes', 'é'],
    ['letters of four bytes', '😀'],
    ['quotes, which every nesting of JSON escapes again', '"'],
    ['control characters, six letters each', '\u0001'],
  ])('with long arguments of %s', async (_, letter) => {
    expect(await shipsAll(letter)).toBe(true)
  })

  it('with long arguments of letters of three bytes', async () => {
    expect(await shipsAll('統')).toBe(true)
  })
})

describe('a shipment after an outage of the log', () => {
  it('holds no more in memory than it sends', async () => {
    const held = await runInDurableObject(
      env.SESSIONS.getByName(`outbox-${crypto.randomUUID()}`),
      async (_, { storage }) => {
        let characters = 0
        const counting = {
          setAlarm: async () => {},
          sql: {
            exec(text: string, ...values: SqlStorageValue[]) {
              const cursor = storage.sql.exec(text, ...values)
              if (!text.startsWith('SELECT')) return cursor
              const count = (row: Record<string, SqlStorageValue>) => {
                characters += typeof row['row'] === 'string' ? row['row'].length : 0
                return row
              }
              return {
                toArray: () => cursor.toArray().map(count),
                next: () => {
                  const { done, value } = cursor.next()
                  return done === true ? { done } : { done, value: count(value) }
                },
                *[Symbol.iterator]() {
                  for (const row of cursor) yield count(row)
                },
              }
            },
          },
        } as unknown as DurableObjectStorage
        const down = {
          prepare: () => ({ bind: () => null }),
          batch: () => Promise.reject(new Error('D1_ERROR: the log is down')),
        } as unknown as D1Database
        const outbox = new Outbox(counting, down)
        for (let n = 0; n < 40; n += 1) {
          const row = { id: `${n}`, record: 'x'.repeat(250_000) } as DecisionRow
          outbox.add(storage.sql, 'decision', row)
        }
        await outbox.ship(Date.now)
        return characters
      },
    )
    expect(held).toBeLessThan(2_000_000)
  })
})

describe('a record keeps what the caller sent', () => {
  it('longer arguments are left out, their digest is not', async () => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }), args: { long: 'x'.repeat(3_000_000) } })
    await ship(sub)
    const inputs = (await recordsOf(sub))[0]?.stored.inputs
    expect(inputs?.argumentsOmitted).toBeTruthy()
    expect(inputs?.request.context.arguments).toBeNull()
    expect(JSON.stringify(inputs)).toMatch(/[0-9a-f]{64}/)
  })

  it('a refusal is short, whatever its person agreed to and its token carries', async () => {
    const sub = await newUser()
    const rows = Array.from(
      { length: 150 },
      (_, n) =>
        `('acme', '${sub}-${n}', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'read', '${'w'.repeat(200)}')`,
    )
    await sql(
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, access, purpose) VALUES ${rows.join(', ')}`,
    )
    const details = [
      { type: 'mcp_tool', locations: ['https://elsewhere.example/mcp'], actions: ['*'] },
    ]
    const bearer = await token({ sub, claims: { authorization_details: details } })
    expect((await call('note', { token: bearer })).code).toBe('outside_authorization')
    await ship(sub)
    const stored = (await recordsOf(sub))[0]?.stored
    expect(stored?.inputs.evidenceOmitted).toEqual({ consents: 150, authorizationDetails: 1 })
    expect(JSON.stringify(stored).length).toBeLessThan(16_000)
  })

  it('hostile text in arguments comes back letter for letter', { timeout: 30_000 }, async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    const args = Object.fromEntries(hostile.map((text, n) => [`${n}${text}`, text]))
    expect((await call('note', { token: bearer, args })).code).toBe('allowed')
    await ship(sub)
    expect((await recordsOf(sub))[0]?.stored.inputs.request.context.arguments).toEqual(args)
  })

  it('hostile names of tools are refused, never a fault, and sent to nobody', async () => {
    const bearer = await token({ sub: await newUser() })
    const codes = await Promise.all(
      hostile.map(async (name) => {
        const { status, code } = await call(name, { token: bearer })
        expect(status, name).toBeLessThan(500)
        return code
      }),
    )
    expect(new Set(codes)).toEqual(new Set(['tool_unknown', 'params_invalid']))
    expect(seen).toEqual([])
  })

  it('hostile names of tools under a pattern are recorded as they are', async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'crm', '*', 'read')",
    )
    const sub = await newUser()
    const bearer = await token({ sub })
    const names = hostile
    const allowed: string[] = []
    for (const name of names) {
      if ((await call(name, { token: bearer })).code === 'allowed') allowed.push(name)
    }
    expect(allowed.length).toBeGreaterThan(60)
    await ship(sub)
    expect((await recordsOf(sub)).map((row) => row.tool)).toEqual(allowed)
  })

  it(
    'hostile subjects are refused or stored as text, never a fault',
    { timeout: 60_000 },
    async () => {
      const subjects = [...hostile, '123', '1e3', 'null', '{"a":1}', '["a"]', "a'--"]
      for (const sub of new Set(subjects)) {
        const bearer = await token({ sub })
        const { status, code } = await call('note', { token: bearer })
        expect(['not_allowed', 'token_invalid'], sub).toContain(code)
        expect(status, sub).toBeLessThan(500)
        if (code === 'token_invalid') continue
        await ship(sub)
        const row = (await recordsOf(sub))[0]
        expect(row).toMatchObject({ subject: sub, type: 'text' })
        expect(row?.stored.inputs.request.subject.id).toBe(sub)
      }
    },
  )

  it('numbers that no double holds stay as they were written', async () => {
    const sub = await newUser()
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"note","arguments":{"a":1e400,"b":-0,"c":12345678901234567890}}}'
    expect((await verdict(await post(body, { token: await token({ sub }) }))).code).toBe('allowed')
    await ship(sub)
    expect((await recordsOf(sub))[0]?.record).toContain('"a":1e400')
    expect((await recordsOf(sub))[0]?.record).toContain('"c":12345678901234567890')
    expect(seen[0]?.body).toBe(body)
  })

  it('members that look like ours do not replace ours', async () => {
    const sub = await newUser()
    const args = { toJSON: 1, decision: 'deny', inputs: {}, repeats: 9, __proto__x: 1 }
    const spoofed = toolCall('note', args).replace('__proto__x', '__proto__')
    expect((await verdict(await post(spoofed, { token: await token({ sub }) }))).code).toBe(
      'allowed',
    )
    await ship(sub)
    const row = (await recordsOf(sub))[0]
    expect(row?.record).toContain('"__proto__":1')
    expect(row?.record).toMatch(/^\{"version":1,"id":"[0-9a-f-]{36}","decision":"allow"/)
    expect(row?.record).not.toContain('"repeats":1')
  })
})

describe('the log can be asked about every decision that a client is told of', () => {
  it('about one that was refused', async () => {
    const sub = await newUser()
    const { decision } = await call('nothing', { token: await token({ sub }) })
    await ship(sub)
    expect((await recordsOf(sub)).map((row) => row.record).join()).toContain(decision)
  })

  it('about one that was refused for asking too often', async () => {
    await sql("UPDATE tenants SET actor_calls_per_minute = 1 WHERE id = 'acme'")
    const sub = await newUser()
    const bearer = await token({ sub })
    for (let n = 0; n < 2; n += 1) await call('note', { token: bearer, args: { n } })
    const { decision } = await call('note', { token: bearer, args: { n: 3 } })
    await ship(sub)
    expect((await recordsOf(sub)).map((row) => row.record).join()).toContain(decision ?? 'no id')
  })
})

describe('no credential is written down', () => {
  it('neither the token nor a part of it is in the record, the log lines or the answer', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    const [, payload = '', signature = ''] = bearer.split('.')
    const refused = await (await post(toolCall('nothing'), { token: bearer })).text()
    await call('note', { token: bearer })
    await sql(
      `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', 'subject', '${sub}', '${ISSUER}')`,
    )
    await call('note', { token: bearer })
    await ship(sub)
    const text = refused + (await recordsOf(sub)).map((row) => row.record).join()
    for (const part of [payload.slice(-30), signature.slice(0, 30)])
      expect(text).not.toContain(part)
  })
})
