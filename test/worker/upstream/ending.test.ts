import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { MOST_LIVE } from '../../../src/durable-objects/credentials.ts'
import {
  eventsOf,
  exchanges,
  gives,
  issuer,
  nextLook,
  objectOf,
  restart,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import { call, inThisWorld, ISSUER, newUser, seen, sql, token } from '../../support/worker/world.ts'
import { ask, close, notes, setUp } from '../tasks/door.ts'

inThisWorld()
withExchange()

const shownAt = (at: number) =>
  (seen.at(at)?.headers.get('authorization') ?? '').replace(/^Bearer /, '')

async function openTask(id: string, subject: string, ms = 60_000): Promise<void> {
  await sql(
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
     VALUES ('acme', '${id}', '${ISSUER}', '${subject}', 'acme-agent', 'work', '${subject}', ${Date.now() + ms})`,
  )
}

const closeTask = (id: string) =>
  sql(`UPDATE tasks SET closed_at = ${Date.now()}, closed_by = 'x' WHERE id = '${id}'`)

const names = async (sub: string) => (await eventsOf(sub)).map(({ event }) => event)

/** Everything that waits to be tried again, tried now. */
async function tryAgain(sub: string): Promise<void> {
  await runInDurableObject(await objectOf(sub), (_, { storage }) => {
    storage.sql.exec('UPDATE credentials SET next_attempt_at = 0')
  })
  await nextLook(sub)
}

describe('the end of a task', () => {
  it('takes its token back at the issuer, and proves it', async () => {
    const sub = await newUser()
    await openTask('t1', sub)
    await call('note', { token: await token({ sub }) })
    await nextLook(sub)
    expect(revocations).toEqual([])
    await closeTask('t1')
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    const [asked] = revocations
    expect(asked?.authorization).toBe(`Basic ${btoa('sallyport:c')}`)
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      token: shownAt(0),
      token_type_hint: 'access_token',
    })
    await nextLook(sub)
    expect(await eventsOf(sub)).toMatchObject([
      { event: 'issued', task: 't1' },
      { event: 'ended', cause: 'task_ended', task: 't1' },
      { event: 'revoked', status: 200, attempts: 1, task: 't1' },
    ])
    expect(revocations).toHaveLength(1)
  })

  it('is noticed by itself, however it was closed', { timeout: 15_000 }, async () => {
    const sub = await newUser()
    await openTask('t1', sub)
    await call('note', { token: await token({ sub }) })
    await closeTask('t1')
    const began = Date.now()
    while (revocations.length === 0 && Date.now() - began < 9_000) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(revocations).toHaveLength(1)
    expect(Date.now() - began).toBeLessThan(7_000)
  })

  it('is felt at once where a desk closes it', async () => {
    const sub = await newUser()
    await setUp()
    const opened = await ask(notes({ subject: sub }))
    expect(opened.status).toBe(201)
    await call('note', { token: await token({ sub }) })
    // By itself it would not look again so soon.
    await runInDurableObject(await objectOf(sub), (_, { storage }) =>
      storage.setAlarm(Date.now() + 60_000),
    )
    expect((await close(opened.id)).status).toBe(200)
    await vi.waitFor(() => expect(revocations).toHaveLength(1), { timeout: 2_500 })
  })

  it('leaves tokens of other tasks and other people alone', async () => {
    const [one, other] = [await newUser(), await newUser()]
    await openTask('t1', one)
    await openTask('t2', other)
    await call('note', { token: await token({ sub: one }) })
    await call('note', { token: await token({ sub: other }) })
    await closeTask('t1')
    await nextLook(one)
    await nextLook(other)
    expect(revocations.map(({ form }) => form.get('token'))).toEqual([shownAt(0)])
  })

  it('also by the clock', async () => {
    const sub = await newUser()
    await openTask('t1', sub, 2_500)
    await call('note', { token: await token({ sub }) })
    await new Promise((resolve) => setTimeout(resolve, 2_600))
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
  })
})

describe('what else takes a token back', () => {
  it.each<[string, (sub: string) => string, string]>([
    ['its subject', (sub) => revoked('subject', sub), 'revoked:subject'],
    ['its token', () => revoked('token', 'jti-1'), 'revoked:token'],
    ['its client', () => revoked('client', 'acme-agent'), 'revoked:client'],
    ['its server', () => "UPDATE servers SET active = 0 WHERE name = 'crm'", 'server_inactive'],
    ['its tenant', () => 'UPDATE tenants SET active = 0', 'tenant_inactive'],
    ['its issuer', () => 'UPDATE issuers SET active = 0', 'issuer_inactive'],
  ])('%s is gone', async (_what, change, cause) => {
    const sub = await newUser()
    await call('note', { token: await token({ sub, claims: { jti: 'jti-1' } }) })
    await sql(change(sub))
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    await nextLook(sub)
    expect((await eventsOf(sub))[1]).toMatchObject({ event: 'ended', cause })
  })

  it('the token that it came from is over', async () => {
    const sub = await newUser()
    const exp = Math.floor(Date.now() / 1000) + 4
    await call('note', { token: await token({ sub, claims: { exp } }) })
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 20 - Date.now()))
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
  })

  it('is not a question that nobody answers', async () => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }) })
    await sql('ALTER TABLE revocations RENAME TO revocations_gone')
    try {
      await nextLook(sub)
      expect(revocations).toEqual([])
    } finally {
      await sql('ALTER TABLE revocations_gone RENAME TO revocations')
    }
  })
})

const revoked = (kind: string, id: string) =>
  `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', '${kind}', '${id}')`

describe('an issuer that does not take a token back', () => {
  const outages: readonly [string, () => Response | Promise<Response>, number | null][] = [
    ['is down', () => Promise.reject(new TypeError('connection refused')), null],
    ['fails', () => new Response('oops', { status: 500 }), 500],
    [
      'asks to come again',
      () => new Response(null, { status: 503, headers: { 'retry-after': '7' } }),
      503,
    ],
    ['does not know us', () => new Response(null, { status: 401 }), 401],
    [
      'sends us elsewhere',
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example' } }),
      307,
    ],
    ['says something else than 200', () => new Response(null, { status: 204 }), 204],
  ]
  it.each(outages)(
    '%s: is asked until it does, also after a restart',
    async (_what, answer, status) => {
      const sub = await newUser()
      await openTask('t1', sub)
      await call('note', { token: await token({ sub }) })
      issuer.revoke = answer
      await closeTask('t1')
      await nextLook(sub)
      await tryAgain(sub)
      await restart(sub)
      await tryAgain(sub)
      expect(await names(sub)).not.toContain('revoked')
      issuer.revoke = () => new Response(null, { status: 200 })
      await tryAgain(sub)
      await nextLook(sub)
      expect(await eventsOf(sub)).toMatchObject([
        { event: 'issued' },
        { event: 'ended', cause: 'task_ended' },
        { event: 'failed', status, attempts: 1 },
        { event: 'revoked', status: 200, attempts: 4 },
      ])
      expect(new Set(revocations.map(({ form }) => form.get('token')))).toEqual(
        new Set([shownAt(0)]),
      )
    },
  )

  it('is left alone for as long as it asks', async () => {
    const sub = await newUser()
    await openTask('t1', sub)
    await call('note', { token: await token({ sub }) })
    issuer.revoke = () => new Response(null, { status: 503, headers: { 'retry-after': '40' } })
    await closeTask('t1')
    const before = Date.now()
    await nextLook(sub)
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    const next = await runInDurableObject(
      await objectOf(sub),
      (_, { storage }) =>
        storage.sql.exec<{ at: number }>('SELECT next_attempt_at AS at FROM credentials').one().at,
    )
    expect(next - before).toBeGreaterThanOrEqual(40_000)
  })

  it('never gives its token to a call again', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await openTask('t1', sub)
    await call('note', { token: bearer })
    issuer.revoke = () => new Response(null, { status: 500 })
    await closeTask('t1')
    await nextLook(sub)
    await call('note', { token: bearer })
    expect(shownAt(1)).not.toBe(shownAt(0))
    expect(exchanges).toHaveLength(2)
  })

  it('has nowhere to do so: that is written down', async () => {
    await sql('UPDATE issuers SET revocation_url = NULL')
    const sub = await newUser()
    await openTask('t1', sub)
    await call('note', { token: await token({ sub }) })
    await closeTask('t1')
    await nextLook(sub)
    await nextLook(sub)
    expect((await eventsOf(sub)).at(-1)).toMatchObject({
      event: 'lapsed',
      detail: 'its issuer takes nothing back',
    })
    expect(revocations).toEqual([])
  })

  it('is given up a day after the token is dead, and that is written down', async () => {
    const sub = await newUser()
    await openTask('t1', sub)
    await call('note', { token: await token({ sub }) })
    issuer.revoke = () => new Response(null, { status: 500 })
    await closeTask('t1')
    await nextLook(sub)
    await runInDurableObject(await objectOf(sub), (_, { storage }) => {
      storage.sql.exec('UPDATE credentials SET gone_at = ?', Date.now() - 25 * 3_600_000)
    })
    await tryAgain(sub)
    await nextLook(sub)
    expect(await names(sub)).toEqual(['issued', 'ended', 'failed', 'lapsed'])
  })
})

describe('what is kept', () => {
  it('is bounded: whoever has too many tokens loses the oldest', { timeout: 30_000 }, async () => {
    const sub = await newUser()
    const more = 3
    for (let number = 0; number < MOST_LIVE + more; number += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
    }
    await nextLook(sub)
    await nextLook(sub)
    expect(revocations.length).toBe(more)
    expect((await eventsOf(sub)).filter(({ cause }) => cause === 'too_many')).toHaveLength(more)
  })

  it('holds no token that could be read', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await call('note', { token: bearer })
    const rows = await runInDurableObject(await objectOf(sub), (_, { storage }) =>
      JSON.stringify(storage.sql.exec('SELECT * FROM credentials').toArray()),
    )
    expect(rows).not.toContain(shownAt(0).split('.')[1])
    expect(rows).not.toContain(bearer.split('.')[1])
    await nextLook(sub)
    const { results } = await env.DECISIONS.prepare('SELECT * FROM credential_events').all()
    expect(JSON.stringify(results)).not.toContain(shownAt(0).split('.')[1])
  })

  it('opens nothing where it does not belong', async () => {
    const [one, other] = [await newUser(), await newUser()]
    const bearer = await token({ sub: other })
    await call('note', { token: await token({ sub: one }) })
    await call('note', { token: bearer })
    const sealed = await runInDurableObject(
      await objectOf(one),
      (_, { storage }) =>
        storage.sql.exec<{ sealed: string }>('SELECT sealed FROM credentials').one().sealed,
    )
    await runInDurableObject(await objectOf(other), (_, { storage }) => {
      storage.sql.exec('UPDATE credentials SET sealed = ?', sealed)
    })
    await call('note', { token: bearer })
    expect(shownAt(2)).not.toBe(shownAt(0))
    expect(exchanges).toHaveLength(3)
  })

  it('answers nobody who reaches the wrong object', async () => {
    const [one, other] = [await newUser(), await newUser()]
    const bearer = await token({ sub: one })
    await call('note', { token: bearer })
    const about = await runInDurableObject(
      await objectOf(one),
      (_, { storage }) =>
        JSON.parse(
          storage.sql.exec<{ about: string }>('SELECT about FROM credentials').one().about,
        ) as { context: never },
    )
    const wrong = (await objectOf(other)) as unknown as {
      obtain(request: unknown): Promise<unknown>
    }
    expect(
      await wrong.obtain({
        version: 1,
        decision: 'd',
        exchange: {},
        context: about.context,
        subjectToken: bearer,
        actorToken: null,
        until: Date.now() + 60_000,
      }),
    ).toEqual({ kind: 'unavailable', detail: 'these are credentials of another subject' })
  })

  it('is proof: the log changes nothing', async () => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }) })
    await nextLook(sub)
    for (const text of [
      "UPDATE credential_events SET event = 'revoked'",
      'DELETE FROM credential_events',
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(env.DECISIONS.prepare(text).run()).rejects.toThrow('append-only')
    }
  })

  it('waits where the log is down', async () => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }) })
    await env.DECISIONS.prepare('ALTER TABLE credential_events RENAME TO gone').run()
    await nextLook(sub)
    await env.DECISIONS.prepare('ALTER TABLE gone RENAME TO credential_events').run()
    await nextLook(sub)
    expect(await names(sub)).toEqual(['issued'])
  })
})

describe('an answer that comes while the task is closed', () => {
  it('is taken back, and its call does not go', async () => {
    const sub = await newUser()
    await openTask('t1', sub)
    issuer.token = async (asked) => {
      await closeTask('t1')
      await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
      await new Promise((resolve) => setTimeout(resolve, 600))
      return gives(asked)
    }
    expect((await call('note', { token: await token({ sub }) })).code).toBe('revoked')
    expect(seen).toEqual([])
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
  })
})
