import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import { lastClaims, lastShown, signsForCrm, verifierOf } from '../../support/worker/signed.ts'
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
  UPSTREAM,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()
beforeEach(signsForCrm)

const noteArguments = { b: 2, a: ['ü', 1.0] }

describe('a signed call', () => {
  it('tells its server who calls, through what, and exactly what', async () => {
    const sub = await newUser()
    const bearer = await token({ sub, claims: { acr: 'phr', auth_time: 1_700_000_000 } })
    expect((await call('note', { token: bearer, args: noteArguments })).code).toBe('allowed')
    const claims = lastClaims()
    expect(claims).toMatchObject({
      iss: ORIGIN,
      aud: UPSTREAM,
      sub,
      sub_id: { format: 'iss_sub', iss: ISSUER, sub },
      client_id: 'acme-agent',
      tenant: 'acme',
      acr: 'phr',
      auth_time: 1_700_000_000,
      authorization_details: [
        {
          type: 'mcp_call',
          locations: [UPSTREAM],
          method: 'tools/call',
          actions: ['note'],
          arguments_digest: expect.stringMatching(/^[\w-]{43}$/),
        },
      ],
    })
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(60)
    expect(claims).not.toHaveProperty('act')
    expect(claims).not.toHaveProperty('txn')
    // What is sealed is for nobody else to read.
    expect(JSON.stringify(claims)).not.toContain('crm.call')
    expect(lastShown()).not.toContain(bearer.split('.')[1])
  })

  it('is accepted by a server that checks for itself, once, and for this message alone', async () => {
    const bearer = await token({ sub: await newUser(), claims: { act: { sub: 'bot' } } })
    await sql(
      "INSERT INTO policies (tenant, id, effect, agent) VALUES ('acme', 'bot', 'allow', 'bot')",
    )
    await post(toolCall('note', noteArguments), { token: bearer })
    const [{ headers, body }] = [seen.at(-1) ?? { headers: new Headers(), body: '' }]
    const verify = await verifierOf()
    const authorization = headers.get('authorization')
    expect(await verify(authorization, body.replace('"b":2', '"b":3'))).toMatchObject({ ok: false })
    expect(await verify(authorization, body.replace('note', 'delete_one'))).toMatchObject({
      ok: false,
    })
    expect(await verify(authorization, body)).toMatchObject({
      ok: true,
      caller: { client: 'acme-agent', agent: 'bot', tenant: 'acme', subjectIssuer: ISSUER },
    })
    expect(await verify(authorization, body)).toMatchObject({
      ok: false,
      detail: 'this token was used before',
    })
  })

  it('is named by its record', async () => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }) })
    const { id, record } = await lastOf(sub)
    expect(record.inputs).toMatchObject({ credential: { kind: 'signed', id } })
    expect(lastClaims()['jti']).toBe(id)
  })

  it.each([
    ['tools/list', undefined],
    ['tools/list', { cursor: 'x' }],
    ['ping', undefined],
  ])('can be %s with %j', async (method, params) => {
    await post(message(method, params), { token: await token({ sub: await newUser() }) })
    const verify = await verifierOf()
    const { headers, body } = seen.at(-1) ?? { headers: new Headers(), body: '' }
    expect(await verify(headers.get('authorization'), body)).toMatchObject({ ok: true })
  })

  it('is for what goes beside its arguments as well', async () => {
    const params = { name: 'note', arguments: noteArguments, task: { ttl: 1_000 } }
    const bearer = await token({ sub: await newUser() })
    expect((await verdict(await post(message('tools/call', params), { token: bearer }))).code).toBe(
      'allowed',
    )
    const verify = await verifierOf()
    const { headers, body } = seen.at(-1) ?? { headers: new Headers(), body: '' }
    const authorization = headers.get('authorization')
    for (const other of [body.replace('1000', '9000'), body.replace(/,"task":\{[^}]*\}/, '')]) {
      expect(other).not.toBe(body)
      // oxlint-disable-next-line no-await-in-loop
      expect(await verify(authorization, other)).toMatchObject({ ok: false })
    }
    expect(await verify(authorization, body)).toMatchObject({ ok: true })
  })

  it('ends with the token that it came from', async () => {
    const exp = Math.floor(Date.now() / 1000) + 20
    await call('note', { token: await token({ sub: await newUser(), claims: { exp } }) })
    expect(lastClaims()['exp']).toBe(exp)
  })

  it('names its task, and ends with it', async () => {
    const sub = await newUser()
    const endsAt = Date.now() + 30_000
    await openTask('t1', sub, endsAt)
    await call('note', { token: await token({ sub }) })
    expect(lastClaims()).toMatchObject({ txn: 't1', exp: Math.ceil(endsAt / 1000) })
  })

  it('names the audience that its row has', async () => {
    await sql("UPDATE servers SET credential_audience = 'urn:crm' WHERE name = 'crm'")
    await call('note', { token: await token({ sub: await newUser() }) })
    expect(lastClaims()).toMatchObject({
      aud: 'urn:crm',
      authorization_details: [{ locations: ['urn:crm'] }],
    })
  })

  it('has a name of its own each time', async () => {
    const bearer = await token({ sub: await newUser() })
    await Promise.all(Array.from({ length: 8 }, () => call('note', { token: bearer })))
    const names = seen.map(({ headers }) => headers.get('authorization'))
    expect(new Set(names).size).toBe(8)
  })
})

async function openTask(id: string, subject: string, expiresAt: number): Promise<void> {
  await sql(
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
     VALUES ('acme', '${id}', '${ISSUER}', '${subject}', 'acme-agent', 'work', '${subject}', ${expiresAt})`,
  )
}
