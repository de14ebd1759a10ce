import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { compilePolicies } from '../../../src/pdp/policy.ts'
import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import { policy } from '../../support/pdp/build.ts'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  listed,
  newUser,
  ORIGIN,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const entry = (more: object = {}) => ({
  type: 'mcp_tool',
  locations: [RESOURCE],
  actions: ['note'],
  ...more,
})

async function bound(...details: object[]) {
  const sub = await newUser()
  const bearer = await token({ sub, claims: { authorization_details: details } })
  return {
    sub,
    bearer,
    code: async (tool: string, args = {}) => (await call(tool, { token: bearer, args })).code,
  }
}

describe('a token that was granted for less than its person may', () => {
  it('opens what it was granted for, and nothing else', async () => {
    const { sub, bearer, code } = await bound(entry())
    expect(await code('note')).toBe('allowed')
    expect(await code('read_all')).toBe('outside_authorization')
    expect(seen).toHaveLength(1)
    const response = await post(toolCall('read_all'), { token: bearer })
    expect(await response.json()).toMatchObject({
      result: {
        isError: true,
        _meta: {
          'sallyport/refusal': { retryable: false, help: { kind: 'obtain_a_token' } },
        },
      },
    })
    expect((await lastOf(sub)).record.refusal).toEqual({
      at: 'decide',
      reason: 'outside_authorization',
      fault: 'not_covered',
    })
  })

  it.each([
    ['bound to nothing', []],
    ['granted for another server', [entry({ locations: [`${ORIGIN}/other/mcp`] })]],
    ['granted for something of another kind', [{ type: 'payment', locations: [RESOURCE] }]],
    ['granted with a bound that nobody knows', [entry({ until: 'noon' })]],
  ])('%s opens no tool, and shows none', async (_, details) => {
    const { bearer, code } = await bound(...details)
    expect(await code('note')).toBe('outside_authorization')
    expect(await listed({ token: bearer })).toEqual([])
    expect(seen.some(({ body }) => body.includes('tools/call'))).toBe(false)
  })

  it('shows in a listing what is inside', async () => {
    const { bearer } = await bound(entry({ actions: ['note', 'read_all', 'gone'] }))
    expect(await listed({ token: bearer })).toEqual(['read_all', 'note'])
    const reading = await bound(entry({ actions: ['*'], access: ['read'] }))
    expect(await listed({ token: reading.bearer })).toEqual(['read_all'])
  })

  it('grants nothing that the policies do not', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'note')",
    )
    const { code } = await bound(entry())
    expect(await code('note')).toBe('denied_by_policy')
    const nobody = await token({
      sub: 'mallory',
      claims: { authorization_details: [entry({ actions: ['*'] })] },
    })
    expect((await call('read_all', { token: nobody })).code).toBe('not_allowed')
  })

  it('may name what a call may touch', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type, optional) VALUES ('acme', 'crm', 'note', '/id', 'customer', 1)",
    )
    const { code, bearer } = await bound(entry({ identifiers: ['customer/c-1'] }))
    expect(await code('note', { id: 'c-1' })).toBe('allowed')
    expect(await code('note', { id: 'c-2' })).toBe('outside_authorization')
    expect(await code('note', {})).toBe('outside_authorization')
    expect(await listed({ token: bearer })).toEqual(['note'])
  })

  it('is refused as a token where the claim is no list of typed objects', async () => {
    for (const claim of [{}, 'mcp_tool', [1], [{ actions: ['note'] }], null]) {
      const bearer = await token({ claims: { authorization_details: claim } })
      expect((await call('note', { token: bearer })).code).toBe('token_invalid')
    }
  })

  it('keeps in its record all that deciding it again takes', async () => {
    const { sub, code } = await bound({ type: 'payment', iban: 'DE00' }, entry())
    expect(await code('read_all')).toBe('outside_authorization')
    const { inputs, refusal } = (await lastOf(sub)).record as unknown as {
      inputs: { request: EvaluationRequest; facts: Facts }
      refusal: unknown
    }
    expect(inputs.request.subject.properties.authorizationDetails).toEqual([entry()])
    const rows = compilePolicies([policy({ id: 'sales', role: 'sales', agent: '*' })])
    expect(evaluate(inputs.request, rows, inputs.facts).refusal).toEqual(refusal)
    const properties = { ...inputs.request.subject.properties, authorizationDetails: null }
    const unbound = { ...inputs.request, subject: { ...inputs.request.subject, properties } }
    expect(evaluate(unbound, rows, inputs.facts).refusal).toBeNull()
  })

  it('is announced where clients look (RFC 9396 §10)', async () => {
    const response = await exports.default.fetch(
      `${ORIGIN}/.well-known/oauth-protected-resource/crm/mcp`,
    )
    expect(await response.json()).toMatchObject({
      authorization_details_types_supported: ['mcp_tool'],
    })
  })
})
