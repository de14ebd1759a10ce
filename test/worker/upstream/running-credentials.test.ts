import { env } from 'cloudflare:workers'
import { importJWK, SignJWT, type JWK } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import type { OwnKeyTexts } from '../../../src/upstream/credentials/own-keys.ts'
import {
  claimsIn,
  eventsOf,
  issuer,
  nextLook,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import {
  closeTask,
  inObject,
  openTask,
  revoke,
  start,
  taskEvents,
  TaskServer,
  tellAgain,
  withRunningTasks,
} from '../../support/worker/running.ts'
import {
  introspect,
  isActive,
  PASSWORD,
  request,
  signsForCrm,
  verifierOf,
} from '../../support/worker/signed.ts'
import { forgetEverything } from '../../support/worker/isolate.ts'
import { ask } from '../../support/worker/modern.ts'
import {
  inThisWorld,
  ISSUER,
  newUser,
  seen,
  sql,
  token,
  UPSTREAM,
} from '../../support/worker/world.ts'

inThisWorld()
withRunningTasks()

const shownIn = (headers: Headers | undefined) =>
  (headers?.get('authorization') ?? '').replace(/^Bearer /, '')

describe('the word to a server of the kind `signed`', () => {
  beforeEach(signsForCrm)

  /** A task that was started and ended: what its server was told. */
  async function ended(options: { agent?: string } = {}) {
    const server = new TaskServer()
    const sub = await newUser()
    if (options.agent !== undefined) {
      await sql(
        "INSERT INTO policies (tenant, id, effect, agent) VALUES ('acme', 'bot', 'allow', 'bot')",
      )
    }
    await openTask('t1', sub)
    const taskId = await start(server, { token: await token({ sub, ...options }) })
    await revoke('subject', sub)
    await nextLook(sub)
    const [told] = server.told
    if (told === undefined) throw new Error('nothing was told')
    return { sub, server, taskId, told, shown: shownIn(told.headers) }
  }

  it.each([
    [{ agent: 'bot' }, { agent: 'bot', task: null }],
    [{}, { agent: null, task: 't1' }],
  ])(
    'is said for whoever started it (%j), and believed though nothing of theirs holds',
    async (by, caller) => {
      const { sub, told, taskId } = await ended(by)
      const verify = await verifierOf({
        introspection: {
          name: 'crm',
          password: PASSWORD,
          fetch: (input, init) => request(new URL(new Request(input).url).pathname, init),
        },
      })
      const verified = await verify(told.headers.get('authorization'), told.body)
      expect(verified).toMatchObject({
        ok: true,
        caller: {
          subject: sub,
          subjectIssuer: ISSUER,
          client: 'acme-agent',
          ...caller,
        },
        message: { method: 'tasks/cancel', params: { taskId } },
      })
      expect(await verify(told.headers.get('authorization'), told.body)).toMatchObject({
        ok: false,
      })
      expect((await taskEvents(sub)).at(-1)).toMatchObject({
        event: 'cancelled',
        carried: 'signed',
      })
    },
  )

  it('is good for nothing else', async () => {
    const { told } = await ended()
    const verify = await verifierOf()
    const authorization = told.headers.get('authorization')
    const sent = JSON.parse(told.body) as { params: object }
    for (const other of [
      { ...sent, params: { ...sent.params, taskId: 'another' } },
      { ...sent, method: 'tasks/get' },
      { ...sent, method: 'tasks/update' },
      { ...sent, method: 'tools/call', params: { name: 'note', arguments: {} } },
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verify(authorization, JSON.stringify(other))).toMatchObject({ ok: false })
    }
    expect(await verify(authorization, '', 'DELETE')).toMatchObject({ ok: false })
  })

  it('lives for a minute, and has a name of its own', async () => {
    const { shown, sub } = await ended()
    const claims = claimsIn(shown)
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(60)
    const call = claimsIn(shownIn(seen[0]?.headers))
    expect(call['sub']).toBe(sub)
    expect(call['jti']).not.toBe(claims['jti'])
    // What the call carried holds no more, and this does.
    expect(await isActive(shownIn(seen[0]?.headers))).toBe(false)
    expect(await isActive(shown)).toBe(true)
    expect(await (await introspect(shown)).text()).not.toContain('sealed')
  })

  it('holds at a server that is switched off, and at no other', async () => {
    const { shown } = await ended()
    await sql("UPDATE servers SET active = 0 WHERE name = 'crm'")
    expect(await isActive(shown)).toBe(true)
    await sql(
      `INSERT INTO servers (name, tenant, url, credential, credential_audience, introspection_digest)
         SELECT 'crm2', tenant, 'https://crm2.example/mcp', 'signed', url, introspection_digest FROM servers WHERE name = 'crm'`,
    )
    expect(await isActive(shown, { name: 'crm2' })).toBe(false)
    await sql("UPDATE servers SET credential = 'none' WHERE name = 'crm'")
    expect(await isActive(shown)).toBe(false)
  })

  it('does not hold for another house that has the name of its server now', async () => {
    const { shown } = await ended()
    const { introspection_digest: digest } =
      (await env.DB.prepare('SELECT introspection_digest FROM servers').first<{
        introspection_digest: string
      }>()) ?? {}
    await sql(
      'DELETE FROM tool_labels',
      'DELETE FROM tools',
      'DELETE FROM servers',
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO servers (name, tenant, url, credential, introspection_digest)
         VALUES ('crm', 'globex', '${UPSTREAM}', 'signed', '${digest}')`,
    )
    // Whether this isolate knew the other house, or never did.
    for (const asked of [
      () => introspect(shown),
      () => forgetEverything().then(() => introspect(shown)),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      const response = await asked()
      // oxlint-disable-next-line no-await-in-loop
      expect([response.status, await response.json()]).toEqual([200, { active: false }])
    }
  })

  it.each<[string, (detail: Record<string, unknown>) => unknown[]]>([
    ['a call', (detail) => [{ ...detail, method: 'tools/call', actions: ['note'] }]],
    ['another task', (detail) => [{ ...detail, params_digest: 'x' }]],
    ['more', (detail) => [detail, { ...detail, method: 'tools/call' }]],
    ['nothing', () => []],
  ])('what is sealed in it lends nothing to a token for %s', async (_what, change) => {
    const { shown } = await ended()
    const { authorization_details: details, ...claims } = claimsIn(shown)
    const sign = async (of: unknown) =>
      new SignJWT({ ...claims, authorization_details: of })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: own.kid ?? '' })
        .sign(await importJWK(own, 'ES256'))
    const [own] = (JSON.parse(String((env as OwnKeyTexts).SIGNING_KEYS)) as { keys: JWK[] })
      .keys as [JWK]
    const [detail] = details as [Record<string, unknown>]
    // So that it can be seen what makes the difference.
    expect(await isActive(await sign([detail]))).toBe(true)
    expect(await isActive(await sign(change(detail)))).toBe(false)
  })

  it('each attempt has a token of its own', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    const works = server.cancel
    server.cancel = () => new Response(null, { status: 500 })
    await revoke('subject', sub)
    await nextLook(sub)
    server.cancel = works
    await tellAgain(sub)
    await expect.poll(() => server.told.length).toBe(2)
    const verify = await verifierOf()
    for (const { headers, body } of server.told) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verify(headers.get('authorization'), body)).toMatchObject({ ok: true })
    }
  })
})

describe('the word to a server of the kind `secret`', () => {
  it('carries its secret', async () => {
    await sql(
      "UPDATE servers SET credential = 'secret', credential_secret = 'UPSTREAM_CRM' WHERE name = 'crm'",
    )
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await revoke('subject', sub)
    await nextLook(sub)
    const [call, told] = [seen[0], server.told[0]].map((one) => one?.headers.get('x-api-key'))
    expect(told).toBeTypeOf('string')
    expect(told).toBe(call)
    expect((await taskEvents(sub)).at(-1)).toMatchObject({ event: 'cancelled', carried: 'secret' })
  })
})

describe('the word to a server of the kind `exchange`', () => {
  withExchange()

  it('carries the token of its call, before that is taken back', async () => {
    const order: string[] = []
    const server = new TaskServer()
    const sub = await newUser()
    await openTask('t1', sub)
    await start(server, { token: await token({ sub }) })
    const carried = shownIn(seen[0]?.headers)
    const works = server.cancel
    server.cancel = async (sent, task) => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      order.push('cancelled')
      return works(sent, task)
    }
    issuer.revoke = () => {
      order.push('revoked')
      return new Response(null, { status: 200 })
    }
    await closeTask('t1')
    await nextLook(sub)
    expect(shownIn(server.told[0]?.headers)).toBe(carried)
    expect(order).toEqual(['cancelled', 'revoked'])
    expect((await taskEvents(sub)).at(-1)).toMatchObject({
      event: 'cancelled',
      carried: 'exchange',
    })
    expect((await eventsOf(sub)).map(({ event }) => event)).toEqual(['issued', 'ended', 'revoked'])
  })

  it('carries it also when the task of ours ends by the clock', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await openTask('t1', sub, 3_000)
    await start(server, { token: await token({ sub }) })
    await new Promise((resolve) => setTimeout(resolve, 3_050))
    await nextLook(sub)
    expect(server.running.size).toBe(0)
    expect(revocations).toHaveLength(1)
  })

  it(
    'holds the taking back up for five seconds at most, where a server hangs',
    { timeout: 20_000 },
    async () => {
      const server = new TaskServer()
      const sub = await newUser()
      await openTask('t1', sub)
      await start(server, { token: await token({ sub }) })
      const works = server.cancel
      server.cancel = () => new Promise(() => undefined)
      await closeTask('t1')
      const began = Date.now()
      await nextLook(sub)
      expect(revocations).toHaveLength(1)
      expect(Date.now() - began).toBeLessThan(6_500)
      // And once it has been taken back, there is nothing to say it with.
      server.cancel = works
      await tellAgain(sub)
      await expect
        .poll(async () => (await taskEvents(sub)).at(-1), { timeout: 4_000 })
        .toMatchObject({
          event: 'lapsed',
          carried: null,
          detail: 'no token of its issuer is left to say it with',
        })
      expect(server.told).toHaveLength(1)
    },
  )

  it('carries a later token of the same actor and task, where that of its call is gone', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await openTask('t1', sub)
    const exp = Math.floor(Date.now() / 1000) + 4
    const taskId = await start(server, { token: await token({ sub, claims: { exp } }) })
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 20 - Date.now()))
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    await ask('tasks/get', { taskId }, { token: await token({ sub }) })
    const later = shownIn(seen.at(-1)?.headers)
    await closeTask('t1')
    await nextLook(sub)
    expect(server.running.size).toBe(0)
    expect(shownIn(server.told[0]?.headers)).toBe(later)
  })

  it('carries no token that was got for another audience', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await sql("UPDATE servers SET credential_audience = 'https://other.example'")
    await revoke('subject', sub)
    await nextLook(sub)
    expect(server.told).toEqual([])
    expect((await taskEvents(sub)).at(-1)).toMatchObject({ event: 'lapsed', carried: null })
  })

  it('takes back by the clock also where nobody can say anything of another token', async () => {
    const sub = await newUser()
    await ask('tools/call', { name: 'note' }, { token: await token({ sub }) })
    const exp = Math.floor(Date.now() / 1000) + 4
    await ask('tools/call', { name: 'note' }, { token: await token({ sub, claims: { exp } }) })
    // Whichever comes first at a look: ids are drawn.
    await inObject(sub, `UPDATE credentials SET id = 'a' WHERE usable_until > ${exp * 1000 + 9}`)
    await inObject(sub, "UPDATE credentials SET id = 'b' WHERE id <> 'a'")
    await sql('ALTER TABLE revocations RENAME TO revocations_gone')
    try {
      await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 20 - Date.now()))
      await nextLook(sub)
      expect(revocations.map(({ form }) => form.get('token'))).toEqual([shownIn(seen[1]?.headers)])
    } finally {
      await sql('ALTER TABLE revocations_gone RENAME TO revocations')
    }
  })

  it('carries no token that no call was let use', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    // As one is kept that came and was not what was asked for.
    await inObject(
      sub,
      `UPDATE credentials SET state = 'ending', usable_until = 0, next_attempt_at = ${Date.now() + 60_000}`,
    )
    await revoke('subject', sub)
    await nextLook(sub)
    expect(server.told).toEqual([])
  })

  it('carries no token of another task of ours', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    for (const id of ['t1', 't2']) {
      // oxlint-disable-next-line no-await-in-loop
      await openTask(id, sub)
      // oxlint-disable-next-line no-await-in-loop
      await start(server, { token: await token({ sub, claims: { txn: id } }) })
    }
    await inObject(sub, `DELETE FROM credentials WHERE about LIKE '%"id":"t1"%'`)
    await closeTask('t1')
    await nextLook(sub)
    expect(server.told).toEqual([])
    await closeTask('t2')
    await nextLook(sub)
    expect(server.told.map(({ taskId }) => taskId)).toEqual(['task-2'])
  })

  it('carries no token of another actor', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await ask(
      'tools/call',
      { name: 'note' },
      { token: await token({ sub, client: 'other-agent' }) },
    )
    // The token of its own call is lost.
    await inObject(sub, "DELETE FROM credentials WHERE about LIKE '%acme-agent%'")
    await revoke('client', 'acme-agent')
    await nextLook(sub)
    expect(server.told).toEqual([])
  })
})
