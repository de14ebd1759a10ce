// Workloads through the whole Worker: who they are, what rows give them, and what takes it away.

import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { JWTPayload } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { hashOf } from '../../../src/authentication/thumbprint.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  listed,
  newUser,
  post,
  RESOURCE,
  seen,
  sessionKey,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'
import {
  DOMAIN,
  heldThumbprint,
  REPORTER,
  STRANGER,
  svid,
  SVID_ALGORITHMS,
  svidBy,
  trustWorkloads,
  wit,
  workloadHeaders,
  wpt,
} from './workload-smith.ts'

inThisWorld()
beforeEach(trustWorkloads)

const alone = async (id?: string) =>
  call('read_all', { token: null, headers: await workloadHeaders(id) })

const revoke = (kind: string, id: string, issuer = DOMAIN) =>
  sql(
    `INSERT INTO revocations (tenant, issuer, kind, id) VALUES ('acme', '${issuer}', '${kind}', '${id}')`,
  )

describe('a JWT-SVID', () => {
  it('may do what the role of its SPIFFE id allows', async () => {
    expect((await call('read_all', { token: await svid() })).code).toBe('allowed')
    expect(seen).toHaveLength(1)
    expect(seen[0]?.headers.has('authorization')).toBe(false)
    expect(await listed({ token: await svid() })).toContain('read_all')
  })

  it.each(Object.keys(SVID_ALGORITHMS))('signed with %s is verified by workerd', async (alg) => {
    expect((await call('read_all', { token: await svidBy(alg) })).code).toBe('allowed')
  })

  it('may do nothing under another id of the same trust domain', async () => {
    expect((await call('read_all', { token: await svid(STRANGER) })).code).toBe('not_allowed')
    const unknown = await svid(`${DOMAIN}/ns/crm/sa/unknown`)
    expect((await call('read_all', { token: unknown })).code).toBe('client_not_registered')
    expect(seen).toEqual([])
    expect(await listed({ token: await svid(STRANGER) })).toEqual([])
  })

  it('may do nothing once its id is revoked', async () => {
    await revoke('subject', REPORTER)
    expect((await call('read_all', { token: await svid() })).code).toBe('revoked')
    expect(seen).toEqual([])
  })

  it('proves nothing once its trust domain is switched off', async () => {
    await sql(`UPDATE issuers SET active = 0 WHERE url = '${DOMAIN}'`)
    const response = await post(toolCall('read_all'), { token: await svid() })
    expect(response.status).toBe(401)
    expect(seen).toEqual([])
  })

  it('is no person of that name', async () => {
    await sql(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${DOMAIN}', 'user', '${STRANGER}', 'sales')`,
    )
    expect((await call('read_all', { token: await svid(STRANGER) })).code).toBe('not_allowed')
  })

  it.each([
    ['for another resource', { aud: 'https://elsewhere.example/mcp' }],
    ['of another trust domain', { sub: 'spiffe://other.example/a' }],
    ['that has expired', { exp: 1 }],
  ] satisfies [string, JWTPayload][])('%s is answered with 401', async (_name, claims) => {
    const response = await post(toolCall('read_all'), { token: await svid(REPORTER, claims) })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('invalid_token')
    expect(seen).toEqual([])
  })
})

describe('a WIT with its WPT', () => {
  it('may do what the role of its id allows', async () => {
    expect((await alone()).code).toBe('allowed')
    const [request] = seen
    expect(request?.headers.has('workload-identity-token')).toBe(false)
    expect(request?.headers.has('workload-proof-token')).toBe(false)
  })

  it('may do nothing under another id', async () => {
    expect((await alone(STRANGER)).code).toBe('not_allowed')
    expect(seen).toEqual([])
  })

  it.each([
    ['without a proof', async () => ({ 'workload-identity-token': await wit() })],
    [
      'with the proof of another WIT',
      async () => ({
        'workload-identity-token': await wit(),
        'workload-proof-token': await wpt(await wit(REPORTER, { jti: 'another' })),
      }),
    ],
    [
      'for another server',
      async () => workloadHeaders(REPORTER, undefined, { aud: RESOURCE.replace('crm', 'other') }),
    ],
    [
      'that has expired',
      async () => workloadHeaders(REPORTER, undefined, { exp: Math.floor(Date.now() / 1000) - 60 }),
    ],
    ['for a token that is not here', async () => workloadHeaders(REPORTER, 'x')],
    ['without a WIT', async () => ({ 'workload-proof-token': await wpt(await wit()) })],
  ] satisfies [string, () => Promise<Record<string, string>>][])(
    '%s is answered with 400, and nothing is forwarded',
    async (_name, headers) => {
      const response = await post(toolCall('read_all'), { token: null, headers: await headers() })
      expect(response.status).toBe(400)
      expect(seen).toEqual([])
    },
  )

  it('may do nothing once its key is revoked, while a JWT-SVID of the same id still may', async () => {
    await revoke('proof_key', heldThumbprint, '*')
    expect((await alone()).code).toBe('token_invalid')
    expect(seen).toEqual([])
    expect((await call('read_all', { token: await svid() })).code).toBe('allowed')
  })

  it('may do nothing once the key of its trust domain is revoked', async () => {
    await revoke('issuer_key', 'wit-1')
    expect((await alone()).code).toBe('token_invalid')
    expect((await call('read_all', { token: await svid() })).code).toBe('allowed')
  })

  it('satisfies a policy that wants a bound credential, which a JWT-SVID does not', async () => {
    await sql("UPDATE policies SET require_sender_constrained = 1 WHERE id = 'sales'")
    expect((await alone()).code).toBe('allowed')
    expect((await call('read_all', { token: await svid() })).code).toBe('binding_required')
  })

  it('is never a bearer token', async () => {
    const text = await wit()
    for (const bearer of [text, await wpt(text)]) {
      const response = await post(toolCall('read_all'), { token: bearer })
      expect(response.status).toBe(401)
    }
    expect(seen).toEqual([])
  })
})

describe('a workload where a scope is asked for', () => {
  it.each(['server', 'tool'])('of the %s is refused, and sent to no login', async (where) => {
    await sql(
      where === 'server'
        ? "UPDATE servers SET required_scope = 'crm' WHERE name = 'crm'"
        : "UPDATE tools SET required_scope = 'crm' WHERE name = 'read_all'",
    )
    for (const options of [
      { token: await svid(REPORTER, { scope: 'crm' }) },
      { token: null, headers: await workloadHeaders() },
    ]) {
      const response = await post(toolCall('read_all'), options)
      expect(response.headers.get('www-authenticate')).toBeNull()
      expect(await verdict(response)).toMatchObject({
        status: 200,
        code: 'workload_without_scopes',
      })
    }
    expect(seen).toEqual([])
  })
})

describe("a WIT beside a user's token", () => {
  const together = async (sub: string, id = REPORTER, agent?: string) => {
    const bearer = await token({ sub, ...(agent === undefined ? {} : { agent }) })
    return call('read_all', { token: bearer, headers: await workloadHeaders(id, bearer) })
  }

  const registerAgent = (id: string, role: string) =>
    sql(
      `INSERT INTO agents (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${id}')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'agent', '${id}', '${role}')`,
    )

  it('names the agent, which must be registered', async () => {
    const sub = await newUser()
    expect((await together(sub)).code).toBe('agent_not_registered')
    await registerAgent(REPORTER, 'sales')
    expect((await together(sub)).code).toBe('allowed')
    expect((await together(sub, REPORTER, REPORTER)).code).toBe('allowed')
    expect((await together(sub, STRANGER)).code).toBe('agent_not_registered')
    expect(seen).toHaveLength(2)
  })

  it('needs both to be entitled', async () => {
    await registerAgent(REPORTER, 'sales')
    await registerAgent(STRANGER, 'nobody')
    await sql(`UPDATE policies SET agent = '${REPORTER}' WHERE id = 'sales'`)
    const sub = await newUser()
    expect((await together(sub)).code).toBe('allowed')
    expect((await together(sub, STRANGER)).code).toBe('not_allowed')
    expect((await together('somebody-without-a-role')).code).toBe('not_allowed')
    expect(seen).toHaveLength(1)
  })

  it('may do nothing once the agent is revoked, while the user still may', async () => {
    await registerAgent(REPORTER, 'sales')
    const sub = await newUser()
    await revoke('agent', REPORTER, ISSUER)
    expect((await together(sub)).code).toBe('revoked')
    expect((await call('read_all', { token: await token({ sub }) })).code).toBe('allowed')
  })

  it('may do nothing once the key of the agent is revoked', async () => {
    await registerAgent(REPORTER, 'sales')
    const sub = await newUser()
    expect((await together(sub)).code).toBe('allowed')
    await revoke('proof_key', heldThumbprint, '*')
    expect((await together(sub)).code).toBe('token_invalid')
    expect(seen).toHaveLength(1)
  })

  it.each([
    ['the key of its trust domain', 'issuer_key', 'wit-1'],
    ['the trust domain', 'issuer', DOMAIN],
    ['its document', 'token', 'the-wit'],
    ['it as an agent of its domain', 'agent', REPORTER],
    ['it as a subject of its domain', 'subject', REPORTER],
  ])('may do nothing once its own trust domain lost it: %s', async (_what, kind, id) => {
    await registerAgent(REPORTER, 'sales')
    const sub = await newUser()
    const bearer = await token({ sub })
    const text = await wit(REPORTER, { jti: 'the-wit' })
    const beside = async () => ({
      'workload-identity-token': text,
      'workload-proof-token': await wpt(text, { ath: hashOf(bearer) }),
    })
    const asked = async () => call('read_all', { token: bearer, headers: await beside() })
    expect((await asked()).code).toBe('allowed')
    await revoke(kind, id)
    expect((await asked()).code).toMatch(/^(?:revoked|token_invalid)$/)
    expect((await call('read_all', { token: await token({ sub }) })).code).toBe('allowed')
    expect(seen).toHaveLength(2)
  })

  it('leaves in the record by whose word it was the agent', async () => {
    await registerAgent(REPORTER, 'sales')
    const sub = await newUser()
    const { decision } = await together(sub)
    expect(decision).toBeNull()
    await runDurableObjectAlarm(env.SESSIONS.getByName(await sessionKey(sub)))
    const kept = await env.DECISIONS.prepare('SELECT record FROM decisions WHERE subject = ?1')
      .bind(sub)
      .first<{ record: string }>()
    expect(JSON.parse(kept?.record ?? '')).toMatchObject({
      inputs: {
        request: {
          subject: {
            properties: { agentDocument: { issuer: DOMAIN, keyId: 'wit-1', tokenId: null } },
          },
        },
      },
    })
  })

  it("takes part in the scopes of the person's token", async () => {
    await registerAgent(REPORTER, 'sales')
    await sql("UPDATE servers SET required_scope = 'crm' WHERE name = 'crm'")
    expect((await together(await newUser())).code).toBe('allowed')
  })

  it('is answered with 400 where the token names another agent', async () => {
    await registerAgent(REPORTER, 'sales')
    const bearer = await token({ sub: await newUser(), agent: 'bot' })
    const headers = await workloadHeaders(REPORTER, bearer)
    const response = await post(toolCall('read_all'), { token: bearer, headers })
    expect(response.status).toBe(400)
    expect(seen).toEqual([])
  })

  it('is answered with 400 beside a token that its proof does not name', async () => {
    await registerAgent(REPORTER, 'sales')
    const sub = await newUser()
    const headers = await workloadHeaders(REPORTER, await token({ sub }))
    const response = await post(toolCall('read_all'), { token: await token({ sub }), headers })
    expect(response.status).toBe(400)
    expect(seen).toEqual([])
  })
})
