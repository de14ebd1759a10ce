import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import type { JsonObject } from '../../../src/mcp/value.ts'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'
import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import {
  facts,
  NOW,
  NOWHERE,
  policy,
  request,
  roles,
  server,
  tool,
} from '../../support/pdp/build.ts'

const decide = (rows: PolicyRow[], asked: EvaluationRequest = request(), known: Facts = facts()) =>
  evaluate(asked, compilePolicies(rows), known).refusal

const reason = (...given: Parameters<typeof decide>) => decide(...given)?.reason ?? 'allowed'

const ANY = policy({ id: 'any', client: 'acme-agent' })

describe('the gates, in their order', () => {
  const everythingWrong = facts({
    revocations: [{ kind: 'token', id: 'token-1', issuer: '*', revokedAt: 1 }],
    tenantActive: false,
    server: server({ active: false, requiredScopes: ['use'] }),
    clientActive: null,
    clientActsForUsers: false,
    agentActive: null,
    tool: null,
  })
  const asked = request({ agent: 'bot' })

  it.each([
    ['revoked', {}],
    ['tenant_inactive', { revocations: [] }],
    ['server_inactive', { tenantActive: true }],
    ['client_unknown', { server: { ...everythingWrong.server, active: true } }],
    ['client_inactive', { clientActive: false }],
    ['client_not_delegate', { clientActive: true }],
    ['agent_unknown', { clientActsForUsers: true }],
    ['agent_inactive', { agentActive: false }],
    ['tool_unknown', { agentActive: true }],
    ['insufficient_scope', { tool: tool({ requiredScopes: ['write'] }) }],
    [
      'not_allowed',
      { server: { ...everythingWrong.server, active: true, requiredScopes: [] }, tool: tool() },
    ],
  ] as const)('%s comes before what follows it', (expected, mended) => {
    mendedSoFar = { ...mendedSoFar, ...mended }
    expect(reason([], asked, mendedSoFar)).toBe(expected)
  })
  // Each row mends what the row before it found.
  let mendedSoFar: Facts = everythingWrong

  it('names all scopes of the operation at once', () => {
    const known = facts({
      server: server({ requiredScopes: ['use'] }),
      tool: tool({ requiredScopes: ['write', 'use'] }),
    })
    expect(decide([ANY], request({ scopes: ['use'] }), known)).toEqual({
      at: 'decide',
      reason: 'insufficient_scope',
      scopes: ['use', 'write'],
    })
  })

  it('does not take a scope for a permission', () => {
    const known = facts({ tool: tool({ requiredScopes: ['write'] }) })
    expect(reason([], request({ scopes: ['write'] }), known)).toBe('not_allowed')
  })
})

describe('default deny, deny overrides', () => {
  it.each([
    ['no policy at all', [], 'not_allowed'],
    [
      'only denies of something else',
      [policy({ id: 'd', effect: 'deny', tool: 'other' })],
      'not_allowed',
    ],
    ['one allow', [ANY], 'allowed'],
    [
      'allow and deny, in one order',
      [ANY, policy({ id: 'd', effect: 'deny' })],
      'denied_by_policy',
    ],
    [
      'allow and deny, in the other',
      [policy({ id: 'd', effect: 'deny' }), ANY],
      'denied_by_policy',
    ],
  ] as const)('%s: %s', (_, rows, expected) => {
    expect(reason([...rows])).toBe(expected)
  })
})

describe('subject and agent are each entitled, or it is a no', () => {
  const forSales = policy({ id: 'sales', role: 'sales' })
  const forBots = policy({ id: 'bots', role: 'bot' })
  const withBot = request({ agent: 'bot' })
  const held = (subject: string[], agent: string[]) =>
    facts({ agentActive: true, subjectRoles: roles(...subject), agentRoles: roles(...agent) })

  it.each([
    ['user allowed, agent not', [forSales], held(['sales'], []), 'not_allowed'],
    ['agent allowed, user not', [forBots], held([], ['bot']), 'not_allowed'],
    ['both', [forSales, forBots], held(['sales'], ['bot']), 'allowed'],
    [
      "the user's role is no role of the agent",
      [forSales],
      held(['sales'], ['bot']),
      'not_allowed',
    ],
    [
      'a row for sales people through any agent',
      [policy({ id: 'x', role: 'sales', agent: '*' })],
      held(['sales'], []),
      'allowed',
    ],
    [
      'the same row for somebody without the role',
      [policy({ id: 'x', role: 'sales', agent: '*' })],
      held([], []),
      'not_allowed',
    ],
    ['an allow of NULLs never means any agent', [policy({ id: 'x' })], held([], []), 'not_allowed'],
    [
      'a deny of NULLs always does',
      [policy({ id: 'x', agent: '*' }), policy({ id: 'd', effect: 'deny' })],
      held([], []),
      'denied_by_policy',
    ],
    [
      'a deny by the role of the agent',
      [policy({ id: 'x', agent: '*' }), policy({ id: 'd', effect: 'deny', role: 'bot' })],
      held([], ['bot']),
      'denied_by_policy',
    ],
    [
      'a row that names another agent',
      [policy({ id: 'x', agent: 'other' })],
      held([], []),
      'not_allowed',
    ],
  ] as const)('%s: %s', (_, rows, known, expected) => {
    expect(reason([...rows], withBot, known)).toBe(expected)
  })

  it('says which of the two lacked an allow', () => {
    expect(decide([forSales], withBot, held(['sales'], []))).toMatchObject({ pass: 'agent' })
    expect(decide([forBots], withBot, held([], ['bot']))).toMatchObject({ pass: 'subject' })
  })

  it('judges a user token without an agent with its client as the agent', () => {
    const known = facts({ subjectRoles: roles('sales'), agentRoles: roles() })
    expect(reason([forSales], request(), known)).toBe('not_allowed')
    expect(
      reason(
        [forSales, policy({ id: 'c', role: 'sales', client: 'acme-agent' })],
        request(),
        known,
      ),
    ).toBe('allowed')
    expect(reason([policy({ id: 'c', client: 'other' }), forSales], request(), known)).toBe(
      'not_allowed',
    )
  })

  it('judges a workload once, as itself, and only by rows that mean it', () => {
    const workload = request({ subject: 'job', client: 'job' })
    expect(reason([policy({ id: 'x' })], workload)).toBe('not_allowed')
    expect(reason([policy({ id: 'x', client: 'job' })], workload)).toBe('allowed')
    expect(
      reason(
        [policy({ id: 'x', role: 'nightly' })],
        workload,
        facts({ subjectRoles: roles('nightly') }),
      ),
    ).toBe('allowed')
  })

  it('lets a role lapse by the clock', () => {
    const lapsing = (expiresAt: number) => facts({ subjectRoles: [{ role: 'sales', expiresAt }] })
    const row = policy({ id: 'x', role: 'sales', agent: '*' })
    expect(reason([row], request(), lapsing(NOW + 1))).toBe('allowed')
    expect(reason([row], request(), lapsing(NOW))).toBe('not_allowed')
  })
})

describe('columns and conditions', () => {
  const known = facts({
    tool: tool({ name: 'crm_delete', access: 'destructive', labels: ['sink.destructive'] }),
  })
  const asked = request({}, { id: 'c-1', nested: { amounts: [5, 2000] } }, 'crm_delete')
  const judge = (row: Partial<PolicyRow>) =>
    reason([policy({ id: 'x', client: 'acme-agent', ...row })], asked, known)

  it.each([
    [{ server: 'crm' }, 'allowed'],
    [{ server: 'other' }, 'not_allowed'],
    [{ tool: 'crm_*' }, 'allowed'],
    [{ tool: '*_delete' }, 'allowed'],
    [{ tool: 'crm_*_delete' }, 'not_allowed'],
    [{ tool: 'CRM_DELETE' }, 'not_allowed'],
    [{ access: 'destructive' }, 'allowed'],
    [{ access: 'read' }, 'not_allowed'],
    [{ label: 'sink.destructive' }, 'allowed'],
    [{ label: 'source.untrusted' }, 'not_allowed'],
    [{ condition: 'args.nested.amounts[0] < 10' }, 'allowed'],
    [{ condition: 'args.nested.amounts.all(a, a < 1000)' }, 'not_allowed'],
    [{ condition: 'tool.access == "destructive" && subject.id == "alice"' }, 'allowed'],
    [{ condition: 'args.missing == 1' }, 'not_allowed'],
    [{ condition: 'this is not CEL' }, 'not_allowed'],
    [{ condition: 'args.id' }, 'not_allowed'],
  ] as const)('%j: %s', (row, expected) => {
    expect(judge(row)).toBe(expected)
  })

  it.each([['args.missing == 1'], ['not ( CEL'], ['subject.tennant == "x"'], ['"text"']])(
    'a deny that errs denies: %s',
    (condition) => {
      const deny = policy({ id: 'd', effect: 'deny', condition })
      expect(reason([ANY, deny], asked, known)).toBe('denied_by_policy')
    },
  )

  it('shows a listing what arguments could still allow, and hides what is denied whatever they are', () => {
    const listed = request({}, null, 'crm_delete')
    const may = policy({ id: 'x', client: 'acme-agent', condition: 'args.id == "c-1"' })
    expect(reason([may], listed, known)).toBe('allowed')
    expect(
      reason(
        [may, policy({ id: 'd', effect: 'deny', condition: 'args.id == "c-2"' })],
        listed,
        known,
      ),
    ).toBe('allowed')
    expect(reason([may, policy({ id: 'd', effect: 'deny', tool: 'crm_*' })], listed, known)).toBe(
      'denied_by_policy',
    )
    expect(
      reason(
        [policy({ id: 'x', client: 'acme-agent', condition: 'subject.id == "bob"' })],
        listed,
        known,
      ),
    ).toBe('not_allowed')
  })

  it('never compares a number that a double cannot hold', () => {
    const exact = readJson('{"amount": 9007199254740993, "small": 5}')
    if (!exact.ok) throw new Error('unreadable')
    const big: EvaluationRequest = {
      ...asked,
      context: { arguments: exact.value as JsonObject, now: NOW, network: NOWHERE },
    }
    const allow = (condition: string) => [policy({ id: 'x', client: 'acme-agent', condition })]
    expect(reason(allow('args.amount > 1.0'), big, known)).toBe('not_allowed')
    expect(reason(allow('args.amount != 1.0'), big, known)).toBe('not_allowed')
    expect(reason(allow('args.small == 5'), big, known)).toBe('allowed')
    const deny = policy({ id: 'd', effect: 'deny', condition: 'args.amount < 1.0' })
    expect(reason([ANY, deny], big, known)).toBe('denied_by_policy')
  })

  it('records every row that took part, whatever the order of rows', () => {
    const rows = [
      policy({ id: 'b', client: 'acme-agent' }),
      policy({ id: 'a', client: 'acme-agent', condition: 'args.none' }),
      policy({ id: 'c', effect: 'deny', condition: 'args.id == "other"' }),
    ]
    const matches = (order: PolicyRow[]) => evaluate(asked, compilePolicies(order), known).matches
    expect(matches(rows)).toEqual(matches(rows.toReversed()))
    expect(matches(rows).map(({ id, pass, counted }) => `${pass} ${id} ${counted}`)).toEqual([
      'subject a false',
      'subject b true',
      'agent a false',
      'agent b true',
    ])
  })
})
