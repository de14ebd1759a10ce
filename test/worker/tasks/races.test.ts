import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import { inThisWorld, ISSUER, ORIGIN, sessionKey, sql } from '../../support/worker/world.ts'
import {
  ask,
  close,
  notes,
  openerRow,
  openerToken,
  registered,
  replyOf,
  rowsOf,
  setUp,
} from './door.ts'

inThisWorld()
beforeEach(setUp)

describe('one key opens one task', () => {
  it('however often it is sent, and tells the handle once', async () => {
    const first = await ask(notes(), { key: 'k' })
    const second = await ask(notes(), { key: 'k' })
    expect([first.status, second.status]).toEqual([201, 200])
    expect(second.id).toBe(first.id)
    expect(second.handle).toBeUndefined()
    expect(await rowsOf()).toHaveLength(1)
  })

  it('twenty times at once: one of them is told the handle', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask(notes(), { key: 'k' })))
    expect(new Set(replies.map(({ id }) => id)).size).toBe(1)
    expect(replies.filter(({ handle }) => handle !== undefined)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(await rowsOf()).toHaveLength(1)
  })

  it('twenty different bodies at once: one is opened, and the others are told', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, at) => ask(notes({ purpose: `p${at}` }), { key: 'k' })),
    )
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array<number>(19).fill(422),
    ])
    expect(await rowsOf()).toHaveLength(1)
  })

  it('the order of members is no other body', async () => {
    const first = await ask(notes(), { key: 'k' })
    const turned = Object.fromEntries(Object.entries(notes()).toReversed())
    expect(await ask(turned, { key: 'k' })).toMatchObject({ status: 200, id: first.id })
  })

  it('of one opener: another’s key of that name is another', async () => {
    await sql(registered('clerk'), openerRow({ id: 'clerk' }))
    const first = await ask(notes(), { key: 'k' })
    const other = await ask(notes(), { key: 'k', token: await openerToken({ client: 'clerk' }) })
    expect(other).toMatchObject({ status: 201 })
    expect(other.id).not.toBe(first.id)
  })

  it('of a task that is closed tells that it is closed, and opens none', async () => {
    const first = await ask(notes(), { key: 'k' })
    await close(first.id)
    const again = await ask(notes(), { key: 'k' })
    expect(again).toMatchObject({ status: 200, id: first.id, closed: { by: 'client desk' } })
    expect(again.handle).toBeUndefined()
  })

  it('closing at once from everywhere is one closing', async () => {
    const { id } = await ask(notes())
    const replies = await Promise.all(Array.from({ length: 10 }, () => close(id)))
    expect(new Set(replies.map(({ closed }) => closed?.at)).size).toBe(1)
    expect(replies.every(({ status }) => status === 200)).toBe(true)
  })
})

type Fault = 'refuses' | 'loses the answer' | 'works'

/** A database that fails at its nth statement, before it does it or after; or something happens then. */
function failing(at: number, fault: Fault, then: () => Promise<void> = async () => {}) {
  let count = 0
  const around = <T>(work: () => Promise<T>): Promise<T> => {
    count += 1
    if (count !== at) return work()
    return fault === 'refuses'
      ? then().then(() => Promise.reject(new Error('D1_ERROR: no')))
      : work().then(async (done) => {
          await then()
          if (fault === 'works') return done
          throw new Error('D1_ERROR: connection lost')
        })
  }
  const statement = (real: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(real, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        const bound = value.bind(target) as (...args: unknown[]) => unknown
        if (name === 'bind') return (...args: unknown[]) => statement(bound(...args) as typeof real)
        return name === 'run' || name === 'first' || name === 'all'
          ? (...args: unknown[]) => around(async () => bound(...args))
          : bound
      },
    })
  const database = <D extends object>(real: D): D =>
    new Proxy(real, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        const bound = value.bind(target) as (...args: unknown[]) => unknown
        if (name === 'prepare')
          return (text: string) => statement(bound(text) as D1PreparedStatement)
        if (name === 'withSession')
          return (...args: unknown[]) => database(bound(...args) as object)
        return name === 'batch' ? (...args: unknown[]) => around(async () => bound(...args)) : bound
      },
    })
  return { DB: database(env.DB), count: () => count }
}

async function askBy(DB: D1Database, method: string, path: string, body?: unknown, key = 'k') {
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await openerToken()}`,
      'idempotency-key': key,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return replyOf(await app.fetch(request, { ...env, DB } as Env, createExecutionContext()))
}

const DESKS_HISTORY = await sessionKey('desk')

const endsTokensBefore = (at: number): string =>
  `INSERT INTO revocations (tenant, kind, id, issued_before) VALUES ('acme', 'client', 'desk', ${at})
   ON CONFLICT DO UPDATE SET issued_before = excluded.issued_before`

describe('with a database that fails at any step', () => {
  const faults: Fault[] = ['refuses', 'loses the answer']

  it.each(faults)('opening (it %s): one task at most, and the same key finds it', async (fault) => {
    let at = 0
    for (;;) {
      at += 1
      const broken = failing(at, fault)
      const key = `${fault} ${at}`.replaceAll(' ', '-')
      // oxlint-disable-next-line no-await-in-loop
      const reply = await askBy(broken.DB, 'POST', '/tasks', notes(), key)
      if (broken.count() < at) break
      expect([201, 503], reply.text).toContain(reply.status)
      // A repetition that finds the database well.
      // oxlint-disable-next-line no-await-in-loop
      const again = await ask(notes(), { key })
      expect(again.status).toBe(reply.status === 201 ? 200 : again.status)
      expect([200, 201]).toContain(again.status)
      // oxlint-disable-next-line no-await-in-loop
      expect(await rowsOf()).toHaveLength(at)
      // Whoever was told a handle was told the stored one's.
      const told = [reply.handle, again.handle].filter((handle) => handle !== undefined)
      expect(told.length).toBeLessThanOrEqual(1)
    }
    expect(at).toBeGreaterThan(4)
  })

  it.each(faults)('closing (it %s): nobody is told so unless it is', async (fault) => {
    let at = 0
    for (;;) {
      at += 1
      // oxlint-disable-next-line no-await-in-loop
      const { id } = await ask(notes())
      const broken = failing(at, fault)
      // oxlint-disable-next-line no-await-in-loop
      const reply = await askBy(broken.DB, 'DELETE', `/tasks/${id}`)
      // oxlint-disable-next-line no-await-in-loop
      const [row] = await rowsOf(`SELECT closed_at FROM tasks WHERE id = '${id}'`)
      expect([200, 503]).toContain(reply.status)
      expect(reply.status === 200 && row?.['closed_at'] === null).toBe(false)
      // oxlint-disable-next-line no-await-in-loop
      expect((await close(id)).status).toBe(200)
      if (broken.count() < at) break
    }
    expect(at).toBeGreaterThan(4)
  })

  it.each<[string, string, string]>([
    [
      'its row is switched off',
      'UPDATE task_openers SET active = 0',
      'UPDATE task_openers SET active = 1',
    ],
    [
      'it may not approve any more',
      'UPDATE task_openers SET may_approve = 0',
      'UPDATE task_openers SET may_approve = 1',
    ],
    [
      'it is revoked',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'desk')",
      'DELETE FROM revocations',
    ],
    [
      'its client is switched off',
      "UPDATE clients SET active = 0 WHERE id = 'desk'",
      'UPDATE clients SET active = 1',
    ],
    [
      'the client that would act is switched off',
      "UPDATE clients SET active = 0 WHERE id = 'acme-agent'",
      'UPDATE clients SET active = 1',
    ],
    [
      'its history is revoked',
      `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'session', '${DESKS_HISTORY}')`,
      'DELETE FROM revocations',
    ],
    [
      'what ended older tokens of it ends this one',
      endsTokensBefore(9_000_000_000_000),
      endsTokensBefore(1),
    ],
    [
      'its issuer is not heard any more',
      `INSERT INTO signal_streams (id, tenant, issuer, audience, max_silence_s, on_silence, created_at)
       VALUES ('mute', 'acme', '${ISSUER}', 'x', 60, 'deny', 1)`,
      'DELETE FROM signal_streams',
    ],
    [
      'its issuer is switched off',
      'UPDATE issuers SET active = 0',
      'UPDATE issuers SET active = 1',
    ],
    [
      'the tenant is switched off',
      'UPDATE tenants SET active = 0',
      'UPDATE tenants SET active = 1',
    ],
  ])('what is taken back between two steps opens nothing: %s', async (_, takes, gives) => {
    let refused = 0
    for (let at = 1; ; at += 1) {
      let before: string | null = null
      const moving = failing(at, 'works', async () => {
        before = JSON.stringify(await rowsOf())
        await env.DB.prepare(takes).run()
      })
      // oxlint-disable-next-line no-await-in-loop
      const reply = await askBy(moving.DB, 'POST', '/tasks', notes({ approve: true }), `k${at}`)
      // oxlint-disable-next-line no-await-in-loop
      await sql(gives)
      if (before === null) break
      // What was there when it was taken back is all that there is.
      // oxlint-disable-next-line no-await-in-loop
      expect(JSON.stringify(await rowsOf()), `${at}: ${reply.text}`).toBe(before)
      if (reply.status !== 201) refused += 1
    }
    // It was felt behind every step up to the write itself.
    expect(refused).toBeGreaterThan(2)
  })
})
