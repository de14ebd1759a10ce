import * as dpop from 'dpop'
import { env, exports } from 'cloudflare:workers'
import { calculateJwkThumbprint, exportJWK, type JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import { lastOf, logOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

// Who is calling decides: each test is a way in which a gateway that looks at less lets a call pass.

inThisWorld()

const seconds = () => Math.floor(Date.now() / 1000)

const consentOf = (subject: string, client: string) =>
  `INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
   VALUES ('acme', '${subject} ${client}', '${ISSUER}', '${subject}', '${client}', 'crm', 'write')`

describe('the same person through another client', () => {
  it('is denied what only the first client may do, with the same right of the person', async () => {
    await sql(
      'UPDATE policies SET agent = NULL',
      "INSERT INTO policies (tenant, id, effect, client) VALUES ('acme', 'app', 'allow', 'acme-agent')",
    )
    const sub = await newUser()
    expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
    const other = await call('note', { token: await token({ sub, client: 'other-agent' }) })
    expect(other.code).toBe('not_allowed')
    expect((await lastOf(sub)).record.refusal).toMatchObject({ pass: 'agent' })
    expect(seen).toHaveLength(1)
  })

  it('is never served by the consent that the person gave to the first one', async () => {
    await sql("UPDATE servers SET consent_required = 1 WHERE name = 'crm'")
    const sub = await newUser()
    const through = async (client: string) =>
      (await call('note', { token: await token({ sub, client }) })).code
    await sql(consentOf(sub, 'acme-agent'))
    expect(await through('acme-agent')).toBe('allowed')
    expect(await through('other-agent')).toBe('consent_required')
    expect((await lastOf(sub)).record.refusal).toMatchObject({
      state: 'missing',
      client: 'other-agent',
    })
    // Nor another person's consent to the same client.
    const another = await newUser()
    expect((await call('note', { token: await token({ sub: another }) })).code).toBe(
      'consent_required',
    )
    await sql(consentOf(sub, 'other-agent'))
    expect(await through('other-agent')).toBe('allowed')
  })

  it('is one history all the same: what one client read, the other may not export', async () => {
    const sub = await newUser()
    expect((await call('read_all', { token: await token({ sub }) })).code).toBe('allowed')
    const other = await call('export_all', { token: await token({ sub, client: 'other-agent' }) })
    expect(other.code).toBe('denied_by_sequence')
  })
})

describe('a person and the agent that acts for them', () => {
  /** What the person may do and what the agent may do are rows of their own. */
  const rights = (person: boolean, agent: boolean) =>
    sql(
      'DELETE FROM policies',
      "INSERT INTO policies (tenant, id, effect, role, tool) VALUES ('acme', 'people', 'allow', 'sales', '" +
        `${person ? 'note' : 'read_all'}')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'agent', 'bot', 'software')`,
      "INSERT INTO policies (tenant, id, effect, role, tool) VALUES ('acme', 'software', 'allow', 'software', '" +
        `${agent ? 'note' : 'read_all'}')`,
    )

  it.each([
    [true, true, 'allowed', null],
    [true, false, 'not_allowed', 'agent'],
    [false, true, 'not_allowed', 'subject'],
    [false, false, 'not_allowed', 'subject'],
  ])('person %s, agent %s: %s', async (person, agent, code, pass) => {
    await rights(person, agent)
    const sub = await newUser()
    expect((await call('note', { token: await token({ sub, agent: 'bot' }) })).code).toBe(code)
    expect(seen).toHaveLength(code === 'allowed' ? 1 : 0)
    expect((await lastOf(sub)).record.refusal).toEqual(
      pass === null ? null : { at: 'decide', reason: 'not_allowed', pass },
    )
    // Whoever acted, the record says for whom, through what, and by whom.
    await logOf(sub)
    const { results } = await env.DECISIONS.prepare(
      'SELECT subject, client, agent FROM decisions WHERE subject = ?',
    )
      .bind(sub)
      .all()
    expect(results).toEqual([{ subject: sub, client: 'acme-agent', agent: 'bot' }])
  })

  it('an agent that nobody registered does nothing, whatever the person may', async () => {
    const sub = await newUser()
    const stranger = await token({ sub, agent: 'stranger' })
    expect((await call('note', { token: stranger })).code).toBe('agent_not_registered')
  })
})

describe('a scope', () => {
  it('that is there allows nothing where no policy does', async () => {
    await sql('DELETE FROM policies', "UPDATE tools SET required_scope = 'crm:note'")
    const sub = await newUser()
    const bearer = await token({ sub, scope: 'crm crm:note admin *' })
    expect((await call('note', { token: bearer })).code).toBe('not_allowed')
    expect(seen).toEqual([])
  })

  it('that is absent is asked for with all others of the call at once', async () => {
    await sql("UPDATE tools SET required_scope = 'crm:note crm:write' WHERE name = 'note'")
    const sub = await newUser()
    const response = await post(toolCall('note'), { token: await token({ sub }) })
    expect(response.status).toBe(403)
    const challenge = response.headers.get('www-authenticate') ?? ''
    expect(challenge).toContain('error="insufficient_scope"')
    expect(challenge).toContain('scope="crm crm:note crm:write"')
    // What it names is enough.
    const enough = await token({ sub, scope: 'crm crm:note crm:write' })
    expect((await call('note', { token: enough })).code).toBe('allowed')
  })
})

describe('a weak login', () => {
  it('is asked for a stronger and more recent one, and that one is honoured', async () => {
    await sql("UPDATE policies SET require_acr = 'phr', max_auth_age_s = 300")
    const sub = await newUser()
    const ask = async (claims: JWTPayload) =>
      post(toolCall('note'), { token: await token({ sub, claims }) })
    for (const weak of [
      {},
      { acr: 'pwd', auth_time: seconds() },
      { acr: 'phr', auth_time: seconds() - 3_600 },
      { acr: 'phr' },
    ]) {
      const response = await ask(weak)
      expect(response.status).toBe(401)
      const challenge = response.headers.get('www-authenticate') ?? ''
      expect(challenge).toContain('error="insufficient_user_authentication"')
      // Both bounds, so that one login is enough, whichever of them was missed.
      expect(challenge).toContain('acr_values="phr", max_age=300')
    }
    expect(seen).toEqual([])
    expect((await verdict(await ask({ acr: 'phr', auth_time: seconds() }))).code).toBe('allowed')
  })

  it('is what a condition can look at, with where and when the call is made', async () => {
    const condition = [
      'subject.acr == "phr"',
      'network.country == "NO"',
      'time.now > timestamp("2026-01-01T00:00:00Z")',
    ].join(' && ')
    await sql(`UPDATE policies SET condition = '${condition}'`)
    const sub = await newUser()
    const from = async (country: string, acr: string) => {
      const request = new Request(RESOURCE, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${await token({ sub, claims: { acr } })}`,
        },
        body: toolCall('note'),
        cf: { country },
      } as RequestInit)
      return (await verdict(await exports.default.fetch(request))).code
    }
    expect(await from('NO', 'phr')).toBe('allowed')
    expect(await from('NO', 'pwd')).toBe('not_allowed')
    expect(await from('XX', 'phr')).toBe('not_allowed')
    await sql('UPDATE policies SET condition = \'time.now < timestamp("2026-01-01T00:00:00Z")\'')
    expect(await from('NO', 'phr')).toBe('not_allowed')
  })
})

describe('a policy that asks for a bound token', () => {
  it('is met by a token whose key was shown, and by no other', async () => {
    await sql('UPDATE policies SET require_sender_constrained = 1')
    const keys = await dpop.generateKeyPair('ES256', { extractable: true })
    const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey))
    const sub = await newUser()
    const plain = await token({ sub })
    expect((await call('note', { token: plain })).code).toBe('binding_required')
    const bearer = await token({ sub, claims: { cnf: { jkt } } })
    const shown = async () => ({
      token: null,
      headers: {
        authorization: `DPoP ${bearer}`,
        dpop: await dpop.generateProof(keys, RESOURCE, 'POST', undefined, bearer),
      },
    })
    expect((await call('note', await shown())).code).toBe('allowed')
    // The same token without its key is no token at all.
    expect((await call('note', { token: bearer })).code).toBe('token_invalid')
    expect(seen).toHaveLength(1)
    const { request } = (await lastOf(sub)).record.inputs as unknown as {
      request: { subject: { properties: object } }
    }
    expect(request.subject.properties).toMatchObject({
      senderConstrained: true,
      bindings: [{ kind: 'dpop', thumbprint: jkt }],
    })
  })

  it('is what a condition can look at', async () => {
    await sql("UPDATE policies SET condition = 'client.sender_constrained'")
    expect((await call('note', { token: await token({ sub: await newUser() }) })).code).toBe(
      'not_allowed',
    )
  })
})
