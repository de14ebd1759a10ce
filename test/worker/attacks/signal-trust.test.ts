import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../support/property-runs.ts'
import {
  addStream,
  CAEP,
  callAfter,
  count,
  effects,
  person,
  push,
  refusedAs,
  REVOKED,
  RISC,
  seconds,
  signedSet,
  SSF,
  tell,
  withStream,
} from '../../support/worker/signals.ts'
import { inThisWorld, ISSUER, newUser, sql } from '../../support/worker/world.ts'

inThisWorld()
withStream()

const opaque = (id: string) => ({ format: 'opaque', id })

describe('an issuer whose clock runs ahead', () => {
  it('ends the tokens that it made before the event, whatever our clock says', async () => {
    const sub = await newUser()
    await tell(REVOKED, person(sub), { event_timestamp: seconds() + 6 })
    expect(await callAfter(sub, -4)).toBe('token_invalid')
    expect(await callAfter(sub, -8)).toBe('allowed')
  })

  it('asks for a login after the event', async () => {
    const sub = await newUser()
    const event = { credential_type: 'password', change_type: 'update' }
    await tell(`${CAEP}credential-change`, person(sub), event, { claims: { iat: seconds() + 6 } })
    expect(await callAfter(sub, 0, { auth_time: seconds() + 4 })).toBe('login_outdated')
    expect(await callAfter(sub, 0, { auth_time: seconds() + 8 })).toBe('allowed')
  })
})

describe('a key that people took back', () => {
  const revoke = (issuer: string) =>
    sql(
      `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', 'issuer_key', 'set-1', '${issuer}')`,
    )

  it.each([ISSUER, '*'])('by %s lifts nothing, and tells nothing', async (issuer) => {
    const sub = await newUser()
    await tell(`${RISC}account-disabled`, person(sub), {}, { claims: { iat: seconds() - 5 } })
    await revoke(issuer)
    const opened = await push(await signedSet(`${RISC}account-enabled`, person(sub)))
    expect(await refusedAs(opened)).toEqual([400, 'invalid_key'])
    expect(await count('signal_events')).toBe(1)
    expect(await callAfter(sub)).toBe('revoked')
  })

  it("another issuer's key of that name is another key", async () => {
    await revoke('https://other.example')
    await tell(REVOKED, person('alice'))
    expect(await effects()).toEqual(['end_older_tokens'])
  })

  it('of a transmitter that is not the issuer', async () => {
    await sql("UPDATE signal_streams SET transmitter = 'https://tx.example'")
    const set = () =>
      signedSet(REVOKED, person('alice'), {}, { claims: { iss: 'https://tx.example' } })
    expect((await push(await set())).status).toBe(202)
    await revoke('https://tx.example')
    expect(await refusedAs(await push(await set()))).toEqual([400, 'invalid_key'])
  })
})

describe('an event that could mean more than it says', () => {
  it('a part of the tenant that is not known here is not the whole tenant', async () => {
    const sub = await newUser()
    const unit = { format: 'complex', tenant: opaque('t'), org_unit: opaque('sales') }
    await tell(`${RISC}account-disabled`, unit)
    expect(await effects()).toEqual(['unsupported_subject'])
    expect(await callAfter(sub, 30)).toBe('allowed')
  })

  it("a recycled email does not end the group's members, or the person's other names", async () => {
    const alias = (member: string, format: string, value: string, sub: string) =>
      `INSERT INTO subject_aliases (tenant, issuer, member, format, value, subject)
       VALUES ('acme', '${ISSUER}', '${member}', '${format}', '${value}', '${sub}')`
    await sql(
      alias('user', 'email', 'a@corp.example', 'alice'),
      alias('user', 'opaque', 'emp-1', 'alice'),
      alias('group', 'opaque', 'sales', 'alice'),
      alias('group', 'opaque', 'sales', 'bob'),
    )
    const identifiers = [{ format: 'email', email: 'a@corp.example' }, opaque('emp-1')]
    const user = { format: 'aliases', identifiers }
    await tell(`${RISC}identifier-recycled`, { format: 'complex', user, group: opaque('sales') })
    const { results } = await env.DB.prepare(
      'SELECT format, value FROM subject_aliases WHERE ended_at IS NOT NULL',
    ).all()
    expect(results).toEqual([{ format: 'email', value: 'a@corp.example' }])
  })

  it('what no login has is no login: an email beside an opaque id', async () => {
    const identifiers = [opaque('emp-1'), person('alice')]
    await tell(REVOKED, { format: 'aliases', identifiers })
    const { results } = await env.DB.prepare(
      'SELECT kind, id FROM revocations ORDER BY kind, id',
    ).all()
    expect(results).toEqual([
      { kind: 'subject', id: 'alice' },
      { kind: 'subject', id: 'emp-1' },
      { kind: 'token_session', id: 'emp-1' },
    ])
  })
})

describe('the row of a stream', () => {
  it('is not replaced by one of another tenant or issuer', async () => {
    await tell(REVOKED, person('alice'))
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "UPDATE issuers SET tenant_claim = 'org'",
      `INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim) VALUES ('globex', '${ISSUER}', '${ISSUER}/jwks.json', 'org')`,
    )
    const columns = '(id, tenant, issuer, audience)'
    const to = (tenant: string) =>
      sql(
        `INSERT OR REPLACE INTO signal_streams ${columns} VALUES ('idp', '${tenant}', '${ISSUER}', 'x')`,
      )
    await expect(to('globex')).rejects.toThrow('keeps its name')
    await to('acme')
  })

  it('cannot be taken away while it has told something', async () => {
    await tell(REVOKED, person('alice'))
    await expect(sql("DELETE FROM signal_streams WHERE id = 'idp'")).rejects.toThrow('FOREIGN KEY')
  })
})

describe('two streams of one issuer', () => {
  it('lift only what they said themselves, and know each their own events', async () => {
    await addStream('second')
    const sub = await newUser()
    const at = seconds()
    const disabled = await signedSet(
      `${RISC}account-disabled`,
      person(sub),
      {},
      { claims: { iat: at - 9, jti: 'same' } },
    )
    expect((await push(disabled)).status).toBe(202)
    expect((await push(disabled, { stream: 'second' })).status).toBe(202)
    expect(await count('signal_events')).toBe(2)
    await tell(`${RISC}account-enabled`, person(sub), {}, { claims: { iat: at - 5 } })
    expect(await callAfter(sub)).toBe('revoked')
    const opened = await signedSet(`${RISC}account-enabled`, person(sub))
    expect((await push(opened, { stream: 'second' })).status).toBe(202)
    expect(await callAfter(sub)).toBe('allowed')
  })
})

describe('a stream that says two things of itself at one moment', () => {
  it.each([
    ['paused', 'enabled'],
    ['enabled', 'paused'],
  ])('%s, then %s: it is paused', async (...order) => {
    const event_timestamp = seconds() - 10
    for (const status of order) {
      await tell(`${SSF}stream-updated`, opaque('idp'), { status, event_timestamp })
    }
    expect(await env.DB.prepare('SELECT status FROM signal_stream_states').first()).toEqual({
      status: 'paused',
    })
  })
})

/** Told again until it is taken: an event that can never be written would hold up all that follow. */
describe('whatever a transmitter says', () => {
  const text = fc.oneof(
    fc.constantFrom(
      'alice',
      '',
      '*',
      "a'b",
      'a"b',
      '%',
      '__proto__',
      'é',
      '\ud800',
      '\u0000',
      ISSUER,
    ),
    fc.string({ unit: 'binary', maxLength: 300 }),
  )
  const identifier = fc.oneof(
    fc.record({ format: fc.constant('iss_sub'), iss: fc.constant(ISSUER), sub: text }),
    fc.record({ format: fc.constant('jwt_id'), iss: fc.constant(ISSUER), jti: text }),
    fc.record({ format: fc.constantFrom('opaque', '__proto__', 'constructor'), id: text }),
    fc.record({ format: fc.constant('email'), email: text }),
  )
  const subject = fc.oneof(
    identifier,
    fc.record({ format: fc.constant('aliases'), identifiers: fc.array(identifier) }),
    fc.record(
      {
        format: fc.constant('complex'),
        user: identifier,
        session: identifier,
        device: identifier,
        application: identifier,
        tenant: identifier,
        group: identifier,
        other: fc.jsonValue(),
      },
      { requiredKeys: ['format'] },
    ),
  )
  const time = fc.oneof(
    fc.nat(),
    fc.constantFrom(0, 9_007_199_254_740_991, 1e300, -0),
    fc.integer(),
  )
  const event = fc.record(
    {
      event_timestamp: time,
      claims: fc.dictionary(fc.oneof(text, fc.constantFrom('scope', 'acr', 'sub')), fc.jsonValue()),
      credential_type: text,
      change_type: text,
      current_level: text,
      current_status: text,
      status: fc.constantFrom('enabled', 'paused', 'disabled', 'x'),
      more: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const type = fc.constantFrom(
    ...['session-revoked', 'token-claims-change', 'credential-change', 'risk-level-change'].map(
      (name) => CAEP + name,
    ),
    ...['account-disabled', 'account-enabled', 'identifier-changed', 'credential-compromise'].map(
      (name) => RISC + name,
    ),
    `${SSF}stream-updated`,
    '',
    '__proto__',
  )

  it('is taken or refused at once, and never put off', { timeout: 60_000 }, async () => {
    const taken = { 202: 0, 400: 0 }
    await fc.assert(
      fc.asyncProperty(type, subject, event, text, async (name, about, told, jti) => {
        const claims = { jti: jti + crypto.randomUUID().slice(0, 8) }
        const set = await signedSet(name, about, told, { claims })
        let { status } = await push(set)
        // Faster than one transmitter may be: as it says, a second later.
        if (status === 429) {
          await scheduler.wait(1_000)
          ;({ status } = await push(set))
        }
        expect([202, 400, 413]).toContain(status)
        if (status === 202 || status === 400) taken[status] += 1
      }),
      propertyRuns(500),
    )
    expect(taken[202]).toBeGreaterThan(5)
    expect(taken[400]).toBeGreaterThan(5)
  })
})
