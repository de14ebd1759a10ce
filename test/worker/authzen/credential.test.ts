import { beforeEach, describe, expect, it } from 'vitest'
import { inThisWorld, ISSUER, newUser, RESOURCE, sql } from '../../support/worker/world.ts'
import { ask, mayCall, register } from './ask.ts'

inThisWorld()
beforeEach(async () => {
  await sql(`INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'pep')`)
  await register()
})

/** What the caller says of the person's token. */
async function told(properties: object, subject?: string) {
  const id = subject ?? (await newUser())
  const question = {
    ...mayCall('note', id),
    subject: { type: 'user', id, properties: { client: 'acme-agent', ...properties } },
  }
  const { status, decision, context } = await ask(question)
  return status === 200 ? (decision === true ? 'allowed' : context.reason) : status
}

const DETAILS = { type: 'mcp_tool', locations: [RESOURCE], actions: ['note'] }
const THUMBPRINT = 'A'.repeat(43)

describe('what the caller tells of a token', () => {
  it.each([
    ['nothing', {}, 'allowed'],
    ['details that cover the call', { authorization_details: [DETAILS] }, 'allowed'],
    ['details that do not', { authorization_details: [] }, 'outside_authorization'],
    ['details that are none', { authorization_details: {} }, 400],
    ['a key', { bindings: [{ kind: 'dpop', thumbprint: THUMBPRINT }] }, 'allowed'],
    ['a key of no kind', { bindings: [{ kind: 'x', thumbprint: THUMBPRINT }] }, 400],
    ['a login that is no text', { token_session: 7 }, 400],
    ['a time that is no number', { issued_at: 'now' }, 400],
    ['a time', { issued_at: 1_700_000_000 }, 'allowed'],
    ['a time to come', { issued_at: 4_000_000_000 }, 400],
  ])('%s', async (_, properties, expected) => {
    expect(await told(properties)).toBe(expected)
  })

  it.each([
    ['token_session', 'login', { token_session: 'login' }],
    ['issuer_key', 'key', { issuer_key: 'key' }],
    ['proof_key', THUMBPRINT, { bindings: [{ kind: 'certificate', thumbprint: THUMBPRINT }] }],
  ])('is what a revocation may name: %s', async (kind, id, properties) => {
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', '${kind}', '${id}')`)
    expect(await told(properties)).toBe('token_invalid')
    expect(await told({})).toBe('allowed')
  })

  it('is when it was made: what ended older tokens counts, and where nobody says', async () => {
    const at = Math.floor(Date.now() / 1000)
    const id = await newUser()
    await sql(
      `INSERT INTO revocations (tenant, kind, id, issuer, issued_before)
       VALUES ('acme', 'subject', '${id}', '${ISSUER}', ${at * 1000})`,
    )
    expect(await told({ issued_at: at }, id)).toBe('token_invalid')
    expect(await told({ issued_at: at + 1 }, id)).toBe('allowed')
    expect(await told({}, id)).toBe('token_invalid')
  })

  it('binds the token, unless it is said that it does not', async () => {
    await sql('UPDATE policies SET require_sender_constrained = 1')
    const bindings = [{ kind: 'dpop', thumbprint: THUMBPRINT }]
    expect(await told({ bindings })).toBe('allowed')
    expect(await told({ bindings, sender_constrained: false })).toBe('binding_required')
    expect(await told({})).toBe('binding_required')
  })

  it('never makes a person of a trust domain of workloads', async () => {
    const domain = 'spiffe://corp.example'
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, kind) VALUES ('acme', '${domain}', 'https://corp.example/keys', 'workload')`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${domain}', 'acme-agent')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${domain}', 'user', 'alice', 'sales')`,
    )
    expect(await told({ issuer: domain }, 'alice')).toBe('client_not_delegate')
  })
})
