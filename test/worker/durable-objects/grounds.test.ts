import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { err } from '../../../src/result.ts'
import { PolicyStore } from '../../../src/storage/policy-store.ts'
import {
  eventsOf,
  exchanges,
  nextLook,
  objectOf,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import {
  inObject,
  rowsOf,
  start,
  TaskServer,
  withRunningTasks,
} from '../../support/worker/running.ts'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  newUser,
  sql,
  token,
} from '../../support/worker/world.ts'

inThisWorld()
withExchange()
withRunningTasks()
afterEach(() => {
  vi.restoreAllMocks()
})

const MANY = 12

/** A subject with that many live tokens, each on a ground of its own, and one look at them. */
async function withTokens(count: number): Promise<string> {
  const sub = await newUser()
  for (let number = 0; number < count; number += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const bearer = await token({ sub, claims: { jti: `${sub}-${number}` } })
    // oxlint-disable-next-line no-await-in-loop
    expect((await call('note', { token: bearer })).code).toBe('allowed')
  }
  await nextLook(sub)
  expect(revocations).toEqual([])
  return sub
}

/** Something that runs on at a server for this subject, and one look at it. */
async function startTask(sub: string): Promise<void> {
  const before = behaviour.upstream
  await start(new TaskServer(), { token: await token({ sub }) })
  behaviour.upstream = before
  await nextLook(sub)
  expect(await rowsOf(sub)).toHaveLength(1)
}

/** How many statements one look sends to D1. */
async function costOfLook(sub: string): Promise<number> {
  // A look by the clock in between would be counted as well.
  await runInDurableObject(await objectOf(sub), (_, { storage }) => storage.deleteAlarm())
  const session = env.DB.withSession('first-primary')
  const sent = vi.spyOn(Object.getPrototypeOf(session) as D1DatabaseSession, 'prepare')
  await nextLook(sub)
  const count = sent.mock.calls.length
  sent.mockRestore()
  return count
}

const causesOf = async (sub: string) => {
  await nextLook(sub)
  return (await eventsOf(sub)).flatMap(({ event, cause }) => (event === 'ended' ? [cause] : []))
}

describe('a look at many tokens', () => {
  it('is one statement where nothing moved, also with tasks that run', async () => {
    const sub = await withTokens(MANY)
    expect(await costOfLook(sub)).toBe(1)
    await startTask(sub)
    expect(await costOfLook(sub)).toBe(1)
  })

  it('takes nothing for granted of a task when a token of the same subject ends', async () => {
    const sub = await withTokens(MANY)
    await startTask(sub)
    await inObject(
      sub,
      'UPDATE credentials SET usable_until = 1 WHERE id = (SELECT max(id) FROM credentials)',
    )
    // The task's own ground is asked about before the token is taken back; other tokens are not.
    expect(await costOfLook(sub)).toBe(2)
    expect(revocations).toHaveLength(1)
  })

  it('is none where nothing lives', async () => {
    const sub = await newUser()
    expect(await costOfLook(sub)).toBe(0)
  })

  it('is one for each ground where a row moved, and one again after it', async () => {
    const sub = await withTokens(MANY)
    await newUser()
    expect(await costOfLook(sub)).toBe(1 + MANY)
    expect(await costOfLook(sub)).toBe(1)
    expect(revocations).toEqual([])
  })

  it('asks once about grounds that are alike', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await call('note', { token: bearer })
    await sql("UPDATE servers SET credential_scope = 'crm.read' WHERE name = 'crm'")
    await call('note', { token: bearer })
    expect(exchanges).toHaveLength(2)
    await nextLook(sub)
    await newUser()
    expect(await costOfLook(sub)).toBe(2)
  })

  it.each<[string, (sub: string) => string, string]>([
    [
      'a row that is read afresh',
      (sub) => `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`,
      'revoked:subject',
    ],
    [
      'a row that is compiled',
      () => "UPDATE servers SET active = 0 WHERE name = 'crm'",
      'server_inactive',
    ],
  ])('feels %s for every token, at the very next one', async (_what, change, cause) => {
    const sub = await withTokens(MANY)
    await sql(change(sub))
    await nextLook(sub)
    expect(new Set(revocations.map(({ form }) => form.get('token'))).size).toBe(MANY)
    expect(await causesOf(sub)).toEqual(Array.from({ length: MANY }, () => cause))
  })

  it('feels what concerns one of them for that one', async () => {
    const sub = await withTokens(3)
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', '${sub}-1')`)
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    expect(await causesOf(sub)).toEqual(['revoked:token'])
    expect(await costOfLook(sub)).toBe(1)
  })
})

describe('what no row tells', () => {
  it('a consent that ends by the clock is felt at the next look', async () => {
    await sql("UPDATE servers SET consent_required = 1 WHERE name = 'crm'")
    const sub = await newUser()
    const end = Date.now() + 2_000
    await sql(
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool, granted_at, expires_at)
       VALUES ('acme', '${crypto.randomUUID()}', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'note', ${Date.now()}, ${end})`,
    )
    expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
    await nextLook(sub)
    expect(revocations).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, end + 20 - Date.now()))
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    expect(await causesOf(sub)).toEqual(['consent_required'])
  })

  it('is asked about after half a minute in any case', async () => {
    const sub = await withTokens(1)
    const now = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => now + 29_000)
    expect(await costOfLook(sub)).toBe(1)
    vi.spyOn(Date, 'now').mockImplementation(() => now + 31_000)
    expect(await costOfLook(sub)).toBe(2)
  })
})

describe('where D1 does not answer', () => {
  it('one question is enough, and only a clock ends anything', async () => {
    const sub = await withTokens(3)
    await newUser()
    const gather = vi.spyOn(PolicyStore.prototype, 'gather')
    const read = vi
      .spyOn(PolicyStore.prototype, 'read')
      .mockResolvedValue(err({ kind: 'unavailable' }))
    await nextLook(sub)
    expect([revocations.length, read.mock.calls.length]).toEqual([0, 1])
    // The last in order, so that the silence comes first.
    await inObject(
      sub,
      'UPDATE credentials SET usable_until = 1 WHERE id = (SELECT max(id) FROM credentials)',
    )
    await nextLook(sub)
    expect(gather).not.toHaveBeenCalled()
    expect(revocations).toHaveLength(1)
    read.mockRestore()
    expect(await causesOf(sub)).toEqual(['expired'])
  })

  it('nor of the facts: whoever was not asked about then is asked about at the next look', async () => {
    const sub = await withTokens(3)
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
    const gather = vi
      .spyOn(PolicyStore.prototype, 'gather')
      .mockResolvedValue(err({ kind: 'unavailable' }))
    await nextLook(sub)
    expect([revocations.length, gather.mock.calls.length]).toEqual([0, 1])
    gather.mockRestore()
    await nextLook(sub)
    expect(revocations).toHaveLength(3)
  })
})

describe('a token that cannot be opened any more', () => {
  it('is ended under a name of its own, and another one is got', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await call('note', { token: bearer })
    await inObject(sub, "UPDATE credentials SET sealed = 'by a key that is gone'")
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    expect(exchanges).toHaveLength(2)
    expect(await causesOf(sub)).toEqual(['unsealable'])
  })
})
