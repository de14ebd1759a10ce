import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import {
  CAEP,
  callAfter,
  person,
  RISC,
  seconds,
  tell,
  withStream,
} from '../../support/worker/signals.ts'

inThisWorld()
withStream()

const opaque = (id: string) => ({ format: 'opaque', id })

describe('the very next call feels', () => {
  it('session-revoked of a person: older tokens end, a later token works', async () => {
    const sub = await newUser()
    expect(await callAfter(sub, 30)).toBe('allowed')
    await tell(`${CAEP}session-revoked`, person(sub), { event_timestamp: seconds() - 10 })
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(await callAfter(sub, 10)).toBe('token_invalid')
    expect(await callAfter(sub, 5)).toBe('allowed')
  })

  it('session-revoked of a login: its tokens, whenever they were made, and those that name none', async () => {
    const sub = await newUser()
    const subject = { format: 'complex', user: person(sub), session: opaque('login-1') }
    await tell(`${CAEP}session-revoked`, subject, { event_timestamp: seconds() - 10 })
    expect(await callAfter(sub, 30, { sid: 'login-1' })).toBe('token_invalid')
    expect(await callAfter(sub, 0, { sid: 'login-1' })).toBe('token_invalid')
    expect(await callAfter(sub, 30, { sid: 'login-2' })).toBe('allowed')
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(await callAfter(sub, 0)).toBe('allowed')
  })

  it('session-revoked of an application of a person: that client only', async () => {
    const sub = await newUser()
    const subject = { format: 'complex', user: person(sub), application: opaque('acme-agent') }
    await tell(`${CAEP}session-revoked`, subject)
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(await callAfter(sub, 30, { client_id: 'other-agent' })).toBe('allowed')
  })

  it('account-disabled until account-enabled, in whichever order they come', async () => {
    const sub = await newUser()
    const at = seconds()
    await tell(`${RISC}account-disabled`, person(sub), {}, { claims: { iat: at - 20 } })
    expect(await callAfter(sub)).toBe('revoked')
    await tell(`${RISC}account-enabled`, person(sub), {}, { claims: { iat: at - 10 } })
    expect(await callAfter(sub)).toBe('allowed')
    await tell(`${RISC}account-disabled`, person(sub), {}, { claims: { iat: at - 15 } })
    expect(await callAfter(sub)).toBe('allowed')
    await tell(`${RISC}account-disabled`, person(sub), {}, { claims: { iat: at - 5 } })
    await tell(`${RISC}account-enabled`, person(sub), {}, { claims: { iat: at - 8 } })
    expect(await callAfter(sub)).toBe('revoked')
  })

  it('account-enabled lifts what its stream closed, and no revocation of a person', async () => {
    const sub = await newUser()
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
    await tell(`${RISC}account-disabled`, person(sub), {}, { claims: { iat: seconds() - 5 } })
    await tell(`${RISC}account-enabled`, person(sub))
    expect(await callAfter(sub)).toBe('revoked')
  })

  it('credential-change: another login, as a challenge says', async () => {
    const sub = await newUser()
    const event = { credential_type: 'password', change_type: 'update' }
    await tell(`${CAEP}credential-change`, person(sub), {
      ...event,
      event_timestamp: seconds() - 10,
    })
    expect(await callAfter(sub, 30)).toBe('login_outdated')
    expect(await callAfter(sub, 0, { auth_time: seconds() - 30 })).toBe('login_outdated')
    expect(await callAfter(sub, 0, { auth_time: seconds() - 5 })).toBe('allowed')
  })

  it('token-claims-change: a scope that is gone, and never one that is new', async () => {
    const sub = await newUser()
    const scope = { claims: { scope: 'other crm:admin' } }
    await tell(`${CAEP}token-claims-change`, person(sub), scope)
    expect(await callAfter(sub, 30)).toBe('insufficient_scope')
    await tell(`${CAEP}token-claims-change`, person(sub), { claims: { scope: 'crm' } })
    expect(await callAfter(sub, 30, { scope: 'other' })).toBe('insufficient_scope')
    expect(await callAfter(sub, 30)).toBe('allowed')
  })

  it('token-claims-change: what a token is ends the token', async () => {
    const sub = await newUser()
    const event = { claims: { client_id: 'another' }, event_timestamp: seconds() - 10 }
    await tell(`${CAEP}token-claims-change`, person(sub), event)
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(await callAfter(sub)).toBe('allowed')
  })

  it('token-claims-change: policies see the rest, until a later token', async () => {
    const sub = await newUser()
    await sql(
      `INSERT INTO policies (tenant, id, effect, condition) VALUES ('acme', 'untrusted', 'deny',
       'has(signals.claims.trusted_network) && signals.claims.trusted_network == false')`,
    )
    const jti = `token-${sub}`
    const subject = { format: 'jwt_id', iss: person(sub).iss, jti }
    await tell(`${CAEP}token-claims-change`, subject, { claims: { trusted_network: false } })
    expect(await callAfter(sub, 0, { jti })).toBe('denied_by_policy')
    expect(await callAfter(sub)).toBe('allowed')
  })

  it('a device that is not compliant, by a row that says whose it is', async () => {
    const sub = await newUser()
    const device = { format: 'complex', device: person('laptop-7'), tenant: opaque('t') }
    await tell(`${CAEP}device-compliance-change`, device, { current_status: 'not-compliant' })
    expect(await callAfter(sub)).toBe('allowed')
    await sql(
      `INSERT INTO subject_aliases (tenant, issuer, member, format, value, subject)
       VALUES ('acme', '${person(sub).iss}', 'device', 'iss_sub', 'laptop-7', '${sub}')`,
    )
    await tell(`${CAEP}device-compliance-change`, device, {
      current_status: 'not-compliant',
      event_timestamp: seconds() - 30,
    })
    expect(await callAfter(sub)).toBe('signal_raised')
    expect(await callAfter(sub, 0, {}, { tool: 'read_all' })).toBe('allowed')
    await tell(`${CAEP}device-compliance-change`, device, {
      current_status: 'compliant',
      event_timestamp: seconds() - 60,
    })
    expect(await callAfter(sub)).toBe('signal_raised')
    await tell(`${CAEP}device-compliance-change`, device, { current_status: 'compliant' })
    expect(await callAfter(sub)).toBe('allowed')
  })

  it('a raised risk, which a login that the stream names overcomes', async () => {
    await sql("UPDATE signal_streams SET raised_acr = 'phr phrh'")
    const sub = await newUser()
    await tell(`${CAEP}risk-level-change`, person(sub), {
      current_level: 'HIGH',
      principal: 'USER',
      event_timestamp: seconds() - 20,
    })
    expect(await callAfter(sub, 30, { acr: 'phr' })).toBe('login_outdated')
    expect(await callAfter(sub, 10, { acr: 'pwd' })).toBe('login_outdated')
    expect(await callAfter(sub, 10, { acr: 'phr' })).toBe('allowed')
    await tell(`${CAEP}risk-level-change`, person(sub), { current_level: 'LOW', principal: 'USER' })
    expect(await callAfter(sub, 30)).toBe('allowed')
  })

  it('a level of assurance that fell asks for another login, one that rose does not', async () => {
    const sub = await newUser()
    const event = {
      namespace: 'NIST-AAL',
      current_level: 'nist-aal1',
      event_timestamp: seconds() - 10,
    }
    await tell(`${CAEP}assurance-level-change`, person(sub), {
      ...event,
      change_direction: 'decrease',
    })
    expect(await callAfter(sub, 30)).toBe('login_outdated')
    expect(await callAfter(sub)).toBe('allowed')
    await tell(`${CAEP}assurance-level-change`, person(sub), {
      ...event,
      change_direction: 'increase',
      event_timestamp: seconds() - 5,
    })
    expect(await callAfter(sub, 30)).toBe('allowed')
  })

  it('an identifier that was given to somebody else: it ends older tokens and the alias', async () => {
    const sub = await newUser()
    await sql(
      `INSERT INTO subject_aliases (tenant, issuer, format, value, subject)
       VALUES ('acme', '${person(sub).iss}', 'email', 'a@corp.example', '${sub}')`,
    )
    const email = { format: 'email', email: 'a@corp.example' }
    await tell(`${RISC}identifier-recycled`, email)
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    await tell(`${RISC}account-disabled`, email)
    const { results } = await env.DB.prepare(
      'SELECT effect FROM signal_events ORDER BY received_at',
    ).all<{ effect: string }>()
    expect(results.map(({ effect }) => effect)).toEqual([
      'end_older_tokens end_identifier',
      'unknown_subject',
    ])
  })
})
