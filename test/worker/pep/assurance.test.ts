import type { JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  listed,
  newUser,
  post,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const seconds = () => Math.floor(Date.now() / 1000)

async function person() {
  const sub = await newUser()
  const ask = async (claims: JWTPayload = {}) =>
    post(toolCall('note'), { token: await token({ sub, claims }) })
  const code = async (claims: JWTPayload = {}) =>
    (await call('note', { token: await token({ sub, claims }) })).code
  return { sub, ask, code }
}

describe('an allow that asks for another login', () => {
  it('is a challenge that says which one (RFC 9470 §3)', async () => {
    await sql("UPDATE policies SET require_acr = 'urn:gold urn:silver', max_auth_age_s = 60")
    const { sub, ask } = await person()
    const response = await ask()
    expect(response.status).toBe(401)
    const challenge = response.headers.get('www-authenticate') ?? ''
    expect(challenge).toMatch(/^Bearer /)
    expect(challenge).toContain('error="insufficient_user_authentication"')
    expect(challenge).toContain('acr_values="urn:gold urn:silver"')
    expect(challenge).toContain('max_age=60')
    expect(challenge).toContain('resource_metadata="http')
    expect(await response.json()).toMatchObject({
      error: {
        data: {
          'sallyport/refusal': {
            code: 'insufficient_authentication',
            retryable: false,
            help: {
              kind: 'log_in_again',
              acrValues: ['urn:gold', 'urn:silver'],
              maxAgeSeconds: 60,
            },
          },
        },
      },
    })
    expect(seen).toEqual([])
    expect(await lastOf(sub)).toMatchObject({
      decision: 'deny',
      reason: 'insufficient_authentication',
    })
  })

  it.each<[string, JWTPayload, string]>([
    ['of no class', {}, 'insufficient_authentication'],
    ['of another class', { acr: 'bronze' }, 'insufficient_authentication'],
    ['of a class in other letters', { acr: 'GOLD' }, 'insufficient_authentication'],
    ['of part of a class', { acr: 'gol' }, 'insufficient_authentication'],
    ['of both in one', { acr: 'gold silver' }, 'insufficient_authentication'],
    ['of an empty class', { acr: '' }, 'token_invalid'],
    ['of one of the classes', { acr: 'silver' }, 'allowed'],
  ])('a login %s', async (_, claims, outcome) => {
    await sql("UPDATE policies SET require_acr = 'gold  silver'")
    expect(await (await person()).code(claims)).toBe(outcome)
  })

  it.each<[string, () => JWTPayload, string]>([
    ['that nobody dates', () => ({}), 'insufficient_authentication'],
    ['long ago', () => ({ auth_time: seconds() - 120 }), 'insufficient_authentication'],
    ['just now', () => ({ auth_time: seconds() - 5 }), 'allowed'],
    ['in the future', () => ({ auth_time: seconds() + 3_600 }), 'token_invalid'],
    ['at no number', () => ({ auth_time: String(seconds()) }), 'token_invalid'],
  ])('a login %s', async (_, claims, outcome) => {
    await sql('UPDATE policies SET max_auth_age_s = 60')
    expect(await (await person()).code(claims())).toBe(outcome)
  })

  it('counts for nothing where another allow asks for none', async () => {
    await sql(
      "UPDATE policies SET require_acr = 'gold'",
      "INSERT INTO policies (tenant, id, effect, agent) VALUES ('acme', 'plain', 'allow', '*')",
    )
    expect(await (await person()).code()).toBe('allowed')
  })

  it('does not tell of a login where a deny would still say no', async () => {
    await sql(
      "UPDATE policies SET require_acr = 'gold'",
      "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'no', 'deny')",
    )
    const response = await (await person()).ask()
    expect(response.status).toBe(200)
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await response.text()).toContain('denied_by_policy')
  })

  it('is shown in a listing: it could be allowed', async () => {
    await sql("UPDATE policies SET require_acr = 'gold', max_auth_age_s = 0, require_approval = 1")
    expect(await listed({ token: await token({ sub: await newUser() }) })).toContain('note')
  })

  it('may say what no header can hold', async () => {
    await sql(`UPDATE policies SET require_acr = 'a"b\\c' || char(10) || 'X-Evil:1 é'`)
    const challenge = (await (await person()).ask()).headers.get('www-authenticate') ?? ''
    expect(challenge).toContain('acr_values="a\\"b\\\\cX-Evil:1 "')
  })
})

describe('an allow that asks for a person', () => {
  it('is told to the model, and recorded as what it is', async () => {
    await sql('UPDATE policies SET require_approval = 1')
    const { sub, ask } = await person()
    const response = await ask()
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      result: {
        isError: true,
        _meta: {
          'sallyport/refusal': { code: 'approval_required', help: { kind: 'ask_for_approval' } },
        },
      },
    })
    expect(await lastOf(sub)).toMatchObject({ decision: 'approve', reason: 'approval_required' })
    expect(seen).toEqual([])
  })

  it('is no denial: nobody is locked out by it', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, agent, tool, require_approval) VALUES ('acme', 'ask', 'allow', '*', 'delete_one', 1)",
      "UPDATE policies SET tool = 'note' WHERE id = 'sales'",
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, scope, timespan_s, condition, reason) VALUES
        ('acme', 'lock', 'deny', 'any', 'event_count', '["decision.denied"]', 'actor', 600, '{"gte":1}', 'locked')`,
    )
    const sub = await newUser()
    const bearer = await token({ sub })
    for (let n = 0; n < 3; n += 1) {
      expect((await call('delete_one', { token: bearer, args: { n } })).code).toBe(
        'approval_required',
      )
    }
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    expect((await call('read_all', { token: bearer })).code).toBe('not_allowed')
    expect((await call('note', { token: bearer })).code).toBe('denied_by_sequence')
  })

  it('counts for nothing where another allow asks for nobody', async () => {
    await sql(
      'UPDATE policies SET require_approval = 1',
      "INSERT INTO policies (tenant, id, effect, agent) VALUES ('acme', 'plain', 'allow', '*')",
    )
    expect(await (await person()).code()).toBe('allowed')
  })

  it('comes last: first the login, then the person', async () => {
    await sql("UPDATE policies SET require_approval = 1, require_acr = 'gold'")
    const { code } = await person()
    expect(await code()).toBe('insufficient_authentication')
    expect(await code({ acr: 'gold' })).toBe('approval_required')
  })
})

describe('an allow that asks for a bound token', () => {
  it('is refused to a bearer token, without a challenge that would not help', async () => {
    await sql('UPDATE policies SET require_sender_constrained = 1')
    const { ask } = await person()
    const response = await ask()
    expect(response.status).toBe(200)
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await response.text()).toContain('binding_required')
    expect(seen).toEqual([])
  })

  it('and no claim that nobody checked makes it one', async () => {
    await sql('UPDATE policies SET require_sender_constrained = 1')
    const { code } = await person()
    expect(await code({ cnf: { jkt: 'x' } })).toBe('token_invalid')
  })
})

describe('SQL refuses', () => {
  it.each([
    "require_acr = 'gold'",
    'max_auth_age_s = 1',
    'require_approval = 1',
    'require_sender_constrained = 1',
  ])('a deny with %s: it says no, and asks for nothing', async (columns) => {
    await expect(sql(`UPDATE policies SET effect = 'deny', ${columns}`)).rejects.toThrow(
      /constraint/i,
    )
  })
})
