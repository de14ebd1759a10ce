import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { lastOf, logOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const asItself = "UPDATE clients SET acts_for_users = 0 WHERE id = 'acme-agent'"

describe('a client that is trusted as itself only', () => {
  it('never acts for a person, whatever the policies allow', async () => {
    await sql(asItself)
    const sub = await newUser()
    const response = await post(toolCall('note'), { token: await token({ sub }) })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      result: {
        isError: true,
        _meta: {
          'sallyport/refusal': {
            code: 'client_not_delegate',
            retryable: false,
            help: { kind: 'ask_an_administrator' },
          },
        },
      },
    })
    expect(seen).toEqual([])
    const { reason, record } = await lastOf(sub)
    expect([reason, record.inputs.facts.clientActsForUsers]).toEqual(['client_not_delegate', false])
    // Nor through another agent, nor where the server is only watched.
    await sql("UPDATE servers SET observe_until = (unixepoch() + 60) * 1000 WHERE name = 'crm'")
    const bot = await token({ sub: await newUser(), agent: 'bot' })
    expect((await call('note', { token: bot })).code).toBe('client_not_delegate')
  })

  it('acts as itself, and the next call feels that the row changed', async () => {
    await sql(
      asItself,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'client', 'acme-agent', 'sales')`,
    )
    const own = { token: await token({ sub: 'acme-agent' }) }
    expect((await call('note', own)).code).toBe('allowed')
    const sub = await newUser()
    const asking = async () => (await call('note', { token: await token({ sub }) })).code
    expect(await asking()).toBe('client_not_delegate')
    await sql("UPDATE clients SET acts_for_users = 1 WHERE id = 'acme-agent'")
    expect(await asking()).toBe('allowed')
    await sql(asItself)
    expect(await asking()).toBe('client_not_delegate')
  })
})

describe('who may act for the subject', () => {
  const outcome = async (claims: Record<string, unknown>) => {
    const sub = await newUser()
    const { status, code } = await call('note', { token: await token({ sub, claims }) })
    return [status, code]
  }

  it.each([
    ['the agent that acts', { act: { sub: 'bot' }, may_act: { sub: 'bot' } }, 'allowed'],
    ['another agent', { act: { sub: 'bot' }, may_act: { sub: 'other' } }, 'token_invalid'],
    [
      'an agent of another issuer',
      { act: { sub: 'bot' }, may_act: { sub: 'bot', iss: 'https://x.example' } },
      'token_invalid',
    ],
    ['more than one member says', { may_act: { sub: 'bot', client_id: 'x' } }, 'token_invalid'],
    ['nobody at all', { may_act: {} }, 'token_invalid'],
  ])('`may_act` names %s', async (_, claims, code) => {
    expect(await outcome(claims)).toEqual([code === 'allowed' ? 200 : 401, code])
  })

  it('a client that is called like a person is not that person, with an agent or without', async () => {
    const sub = await newUser()
    await sql(`INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${sub}')`)
    const posing = (agent?: string) =>
      token({ sub, client: sub, ...(agent === undefined ? {} : { agent }) })
    expect((await call('note', { token: await posing() })).code).toBe('not_allowed')
    expect((await call('note', { token: await posing('bot') })).code).toBe('not_allowed')
    expect(await call('note', { token: await token({ sub, agent: 'bot' }) })).toMatchObject({
      code: 'allowed',
    })
    expect(seen).toHaveLength(1)
  })

  /** `bot` for whom `a1` acted, for whom `a2` acted, and so on. */
  const chain = (length: number): object =>
    Array.from({ length }, (_, at) =>
      at === length - 1 ? 'bot' : `a${length - at - 1}`,
    ).reduce<object>((act, sub) => ({ sub, ...(Object.keys(act).length === 0 ? {} : { act }) }), {})

  it('a chain of four is as long as can be, and its outermost actor is the agent', async () => {
    const sub = await newUser()
    const four = await token({ sub, claims: { act: chain(4) } })
    expect((await call('note', { token: four })).code).toBe('allowed')
    expect(await outcome({ act: chain(5) })).toEqual([401, 'token_invalid'])
    const { record } = await lastOf(sub)
    const { request } = record.inputs as unknown as {
      request: { subject: { id: string; properties: Record<string, unknown> } }
    }
    expect([request.subject.id, request.subject.properties]).toMatchObject([
      sub,
      { client: 'acme-agent', agent: 'bot', actorChain: ['bot', 'a1', 'a2', 'a3'] },
    ])
  })

  it('subject, client and actor stand in columns of their own in the record', async () => {
    const sub = await newUser()
    const bearer = await token({ sub, client: 'other-agent', agent: 'bot' })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    await logOf(sub)
    const { results } = await env.DECISIONS.prepare(
      'SELECT tenant, issuer, subject, client, agent FROM decisions WHERE subject = ?',
    )
      .bind(sub)
      .all()
    expect(results).toEqual([
      { tenant: 'acme', issuer: ISSUER, subject: sub, client: 'other-agent', agent: 'bot' },
    ])
  })
})
