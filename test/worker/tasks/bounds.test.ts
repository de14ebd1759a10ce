import { exports } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { forgetEverything } from '../../support/worker/isolate.ts'
import { inThisWorld, ORIGIN, sql } from '../../support/worker/world.ts'
import {
  ask,
  close,
  notes,
  openerRow,
  openerToken,
  read,
  registered,
  rowsOf,
  setUp,
} from './door.ts'

inThisWorld()
beforeEach(async () => {
  await setUp()
  // What may be asked in a minute counts from here.
  await forgetEverything()
})

const refusedHere = async (): Promise<Record<string, number>> => {
  const response = await exports.default.fetch(new Request(`${ORIGIN}/healthz`))
  return ((await response.json()) as { refused_unrecorded: Record<string, number> })
    .refused_unrecorded
}

describe('a caller asks no more in a minute than the tenant lets an actor', () => {
  beforeEach(() => sql('UPDATE tenants SET actor_calls_per_minute = 5'))

  it('whatever it asks, and is told when to come again', async () => {
    for (let at = 0; at < 4; at += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(notes())).status).toBe(201)
    }
    expect((await read('task_x')).status).toBe(404)
    for (const reply of [await ask(notes()), await read('task_x'), await close('txn:t-1')]) {
      expect(reply).toMatchObject({ status: 429, error: 'rate_limited' })
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect(await rowsOf()).toHaveLength(4)
    expect(await rowsOf('SELECT * FROM revocations')).toEqual([])
    expect(await refusedHere()).toMatchObject({ rate_limited: 3, task_unknown: 1 })
  })

  it('also one that may open nothing, and another is not held up by it', async () => {
    await sql(registered('nosy'))
    const nosy = await openerToken({ client: 'nosy' })
    const statuses = []
    for (let at = 0; at < 7; at += 1) {
      // oxlint-disable-next-line no-await-in-loop
      statuses.push((await ask(notes(), { token: nosy })).status)
    }
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429])
    expect((await ask(notes())).status).toBe(201)
  })

  it('a new token is no new caller', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, async () => ask(notes(), { token: await openerToken() })),
    )
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(await rowsOf()).toHaveLength(5)
  })
})

it('what is refused here is counted by its name', async () => {
  await sql(registered('nosy'))
  const nosy = await openerToken({ client: 'nosy' })
  await ask(notes(), { token: nosy })
  await ask(notes(), { key: null })
  await ask({}, {})
  await ask(notes({ client: 'desk' }))
  await ask(notes(), { token: null })
  expect(await refusedHere()).toMatchObject({
    not_permitted: 1,
    malformed: 2,
    opener_acts: 1,
    credentials_missing: 1,
  })
})

describe('a task that only tokens declare', () => {
  const revoked = () => rowsOf('SELECT id, issuer FROM revocations')

  it.each([
    ['of the longest name', 't'.repeat(256)],
    ['of the longest name in other letters', 'ü'.repeat(128)],
    ['whose name looks like one', 'txn:t-1'],
    ['whose name has a slash and a percent sign', 'a/b%2F?c#d'],
  ])('%s can be ended', async (_, txn) => {
    expect((await close(`txn:${txn}`)).status).toBe(200)
    expect(await revoked()).toMatchObject([{ id: `txn:${txn}` }])
  })

  it.each([
    ['that no token can name', `txn:${'t'.repeat(257)}`],
    ['without a name', 'txn:'],
    ['in other letters', 'TXN:t-1'],
  ])('%s is none', async (_, id) => {
    expect((await close(id)).status).toBe(404)
    expect(await revoked()).toEqual([])
  })

  it.each(['?isuer=x', '?issuer=a&issuer=b', '?issuer=a&x=1', '?Issuer=a'])(
    'is not ended where it is not said clearly whose it is: %s',
    async (query) => {
      const path = `/tasks/txn:t-1${query}`
      expect(await ask(null, { path, method: 'DELETE' })).toMatchObject({ status: 400 })
      expect(await revoked()).toEqual([])
    },
  )

  it.each(['*', ''])('is not ended for the issuer `%s`', async (issuer) => {
    const path = `/tasks/txn:t-1?issuer=${issuer}`
    expect(await ask(null, { path, method: 'DELETE' })).toMatchObject({ status: 422 })
    expect(await revoked()).toEqual([])
  })

  it('is ended by nobody who may open for one client, or comes another way', async () => {
    await sql(
      'DELETE FROM task_openers',
      registered('portal'),
      openerRow({ client: 'acme-agent' }),
      openerRow({ kind: 'user', id: 'alice', client: '*', through: 'portal' }),
    )
    expect((await close('txn:t-1')).status).toBe(403)
    const elsewhere = await openerToken({ sub: 'alice', client: 'other-agent' })
    expect((await close('txn:t-1', { token: elsewhere })).status).toBe(403)
    const portal = await openerToken({ sub: 'alice', client: 'portal' })
    expect((await close('txn:t-1', { token: portal })).status).toBe(200)
  })
})
