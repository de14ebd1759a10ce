import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import type { EvaluationRequest, Facts, Sighting } from '../../../src/pdp/evaluation.ts'
import { DEFINITION_SEEN_WITHIN_MS, ENFORCED_ALWAYS, GATES } from '../../../src/pdp/gates.ts'
import { compilePolicies } from '../../../src/pdp/policy.ts'
import { facts, NOW, policy, request, server, target, task, tool } from '../../support/pdp/build.ts'

const ANY = compilePolicies([policy({ id: 'any', agent: '*' })])
const refusalOf = (known: Partial<Facts>, asked: EvaluationRequest = request()) =>
  evaluate(asked, ANY, facts(known)).refusal
const reason = (...given: Parameters<typeof refusalOf>) => refusalOf(...given)?.reason ?? 'allowed'

describe('what is revoked', () => {
  it('is said by its kind, and by nothing else', () => {
    const revocations = [{ kind: 'agent' as const, id: 'secret', issuer: '*', revokedAt: 1 }]
    expect(refusalOf({ revocations })).toEqual({ at: 'decide', reason: 'revoked', kind: 'agent' })
  })

  it.each([
    ['its own task', task({ revokedAt: 1 }), 'revoked'],
    ['a task of another agent of the same client', task({ revokedAt: 1, agent: 'bot' }), 'allowed'],
    ['a task that is over anyhow', task({ revokedAt: 1, expiresAt: NOW }), 'allowed'],
  ])('%s', (_, open, expected) => {
    expect(reason({ tasks: [open] })).toBe(expected)
  })
})

describe('a pinned definition', () => {
  const pin = { hash: 'aa', pinnedAt: NOW - 1_000_000 }
  const seen = (sighting: Partial<Sighting> | null, pinnedAt = pin.pinnedAt) =>
    reason({
      tool: tool({ pin: { ...pin, pinnedAt } }),
      sighting:
        sighting === null ? null : { hash: 'aa', matchedAt: null, differedAt: null, ...sighting },
    })
  const longAgo = NOW - DEFINITION_SEEN_WITHIN_MS

  it.each([
    ['never seen', null, 'tool_unverified'],
    ['seen just now', { matchedAt: NOW }, 'allowed'],
    ['seen by a clock ahead of ours', { matchedAt: NOW + 5 }, 'allowed'],
    ['seen ten minutes ago', { matchedAt: longAgo }, 'allowed'],
    ['seen longer ago', { matchedAt: longAgo - 1 }, 'tool_unverified'],
    ['seen otherwise', { differedAt: NOW - 1 }, 'tool_changed'],
    ['seen otherwise, then as pinned', { differedAt: NOW - 1, matchedAt: NOW }, 'tool_changed'],
    ['seen otherwise long ago', { matchedAt: NOW, differedAt: pin.pinnedAt }, 'tool_changed'],
    ['seen otherwise in this very listing', { differedAt: Infinity }, 'tool_changed'],
    ['otherwise before it was pinned', { matchedAt: NOW, differedAt: pin.pinnedAt - 1 }, 'allowed'],
    ['compared with another pin', { hash: 'bb', matchedAt: NOW }, 'tool_unverified'],
    ['another pin that differed', { hash: 'bb', differedAt: NOW }, 'tool_unverified'],
  ] as const)('%s: %s', (_, sighting, expected) => {
    expect(seen(sighting)).toBe(expected)
  })

  it('of a tool that nobody pinned nothing is asked', () => {
    expect(reason({ tool: tool({ pin: null }), sighting: null })).toBe('allowed')
  })

  // A match from before the pin is no listing "since": pinned, listed as pinned, listed otherwise, pinned
  // again as it was. What was seen last is the other definition, and calls pass for ten minutes.
  it('a match from before it was pinned is none', () => {
    expect(seen({ matchedAt: NOW - 2_000, differedAt: NOW - 1_500 }, NOW - 1_000)).toBe(
      'tool_unverified',
    )
  })
})

describe('targets', () => {
  it('of another tenant are out of reach, one is enough', () => {
    const targets = [target({}), target({ tenant: 'other', sensitivity: 'public' })]
    expect(refusalOf({ targets })).toEqual({ at: 'decide', reason: 'target_of_another_tenant' })
  })

  it('without a row are nobody’s, and policies say what that means', () => {
    expect(reason({ targets: [target(null)] })).toBe('allowed')
  })

  it('that cannot be read refuse before anything is said of the others', () => {
    const unreadable = { kind: 'not_a_name' as const, pointer: '/to' }
    expect(refusalOf({ unreadable, targets: [target({ tenant: 'other' })] })).toEqual({
      at: 'decide',
      reason: 'target_unreadable',
      pointer: '/to',
    })
    expect(refusalOf({ unreadable: { kind: 'too_many' } })).toMatchObject({ pointer: null })
  })
})

describe('consent', () => {
  const required = server({ consentRequired: true })

  it('is asked of people only, and only for tools', () => {
    expect(refusalOf({ server: required })).toEqual({
      at: 'decide',
      reason: 'consent_required',
      state: 'missing',
      client: 'acme-agent',
      server: 'crm',
      tool: 'search',
      access: 'read',
    })
    expect(reason({ server: required }, request({ subject: 'job', client: 'job' }))).toBe('allowed')
    const step = {
      ...request(),
      resource: { type: 'mcp_server', id: 'crm', properties: { server: 'crm' } },
    } as const
    expect(reason({ server: required, tool: null }, step)).toBe('allowed')
  })
})

describe('a client that is trusted as itself only', () => {
  it.each([
    ['acts for nobody', {}, { clientActsForUsers: false }, 'client_not_delegate'],
    ['acts as itself', { subject: 'acme-agent' }, { clientActsForUsers: false }, 'allowed'],
    [
      'is no agent of somebody either',
      { agent: 'bot' },
      { clientActsForUsers: false, agentActive: true },
      'client_not_delegate',
    ],
    ['may act for people where its row says so', {}, { clientActsForUsers: true }, 'allowed'],
  ] as const)('%s', (_, caller, known, expected) => {
    const everything = compilePolicies([policy({ id: 'all', agent: '*' })])
    const { refusal } = evaluate(request(caller), everything, facts(known))
    expect(refusal?.reason ?? 'allowed').toBe(expected)
  })
})

describe('a task', () => {
  it.each([
    ['none', [], 'allowed'],
    ['one that does not narrow', [task()], 'allowed'],
    ['one for other tools', [task({ tools: ['crm/other'] })], 'outside_task'],
    ['one for no tool', [task({ tools: [] })], 'outside_task'],
    ['one for another class', [task({ access: ['write'] })], 'outside_task'],
    ['one of another agent', [task({ agent: 'bot', tools: [] })], 'allowed'],
    ['one that is over', [task({ tools: [], expiresAt: NOW })], 'allowed'],
    ['two, whatever they say', [task(), task({ id: 't-2' })], 'task_ambiguous'],
    ['two, one of them over', [task(), task({ id: 't-2', expiresAt: NOW })], 'allowed'],
  ] as const)('%s: %s', (_, tasks, expected) => {
    expect(reason({ tasks: [...tasks] })).toBe(expected)
  })

  it('allows nothing by itself', () => {
    const known = facts({ tasks: [task({ tools: ['crm/*'] })] })
    expect(evaluate(request(), compilePolicies([]), known).refusal?.reason).toBe('not_allowed')
  })
})

describe('the order of the gates', () => {
  it('is the one that people are told (docs/architecture.md)', () => {
    expect(GATES.map((gate) => gate.name)).toEqual([
      'revoked',
      'tenant',
      'client',
      'delegate',
      'agent',
      'tool',
      'definition',
      'targets',
      'consent',
      'scope',
      'signalGate',
      'authorization',
      'task',
    ])
  })

  it('puts everything new where it belongs', () => {
    const pin = { hash: 'aa', pinnedAt: 1 }
    let known: Partial<Facts> = {
      tool: tool({ pin, requiredScopes: ['use'] }),
      unreadable: { kind: 'too_many' },
      targets: [target({ tenant: 'other' })],
      server: server({ consentRequired: true }),
      tasks: [task({ tools: [] }), task({ id: 't-2' })],
    }
    const steps: readonly (readonly [string, Partial<Facts>])[] = [
      ['tool_unverified', { sighting: { hash: 'aa', matchedAt: NOW, differedAt: null } }],
      ['target_unreadable', { unreadable: null }],
      ['consent_required', { server: server() }],
      ['insufficient_scope', { tool: tool() }],
      ['task_ambiguous', { tasks: [task({ tools: [] })] }],
      ['outside_task', { tasks: [] }],
      ['target_of_another_tenant', { targets: [] }],
      ['allowed', {}],
    ]
    for (const [expected, mended] of steps) {
      expect(reason(known)).toBe(expected)
      known = { ...known, ...mended }
    }
  })

  it('asks last, after the policies, what belongs to another tenant', () => {
    const known = facts({ targets: [target({ tenant: 'other' })] })
    const of = (...list: Parameters<typeof compilePolicies>[0]) =>
      evaluate(request(), compilePolicies(list), known)
    const any = policy({ id: 'any', agent: '*' })
    expect(of().refusal?.reason).toBe('not_allowed')
    expect(of(any, policy({ id: 'no', effect: 'deny' })).refusal?.reason).toBe('denied_by_policy')
    const approved = policy({ id: 'any', agent: '*', requireApproval: true })
    expect(of(approved).refusal?.reason).toBe('approval_required')
    // What took part is recorded, and what would have been is nothing that the border depends on.
    const watching = policy({ id: 'watch', effect: 'deny', mode: 'shadow' })
    expect(of(any, watching)).toMatchObject({
      refusal: { reason: 'target_of_another_tenant' },
      matches: [{ id: 'any' }, { id: 'watch' }, { id: 'any' }, { id: 'watch' }],
      wouldBe: null,
    })
  })
})

describe('what only watches, at the border between tenants', () => {
  // Written down is that the call would be allowed if the shadow row were enforced. It would not be.
  it('would be refused there, too', () => {
    const allow = policy({ id: 'try', agent: '*', mode: 'shadow' })
    const known = facts({ targets: [target({ tenant: 'other' })] })
    expect(evaluate(request(), compilePolicies([allow]), known)).toMatchObject({
      refusal: { reason: 'not_allowed' },
      wouldBe: { by: 'shadow', refusal: { reason: 'target_of_another_tenant' } },
    })
  })
})

describe('a server under observation', () => {
  const DAY = 86_400_000
  const observed = (observeUntil: number, active = true) => server({ observeUntil, active })
  const nothing = compilePolicies([])
  const watch = (known: Partial<Facts>, asked = request()) =>
    evaluate(asked, nothing, facts({ server: observed(NOW + 1), ...known }))

  it('writes down what it would have refused, the first of it', () => {
    expect(watch({})).toMatchObject({
      refusal: null,
      wouldBe: { by: 'observe', refusal: { reason: 'not_allowed' } },
    })
    expect(watch({ clientActive: null, tasks: [task({ tools: [] })] }).wouldBe).toMatchObject({
      refusal: { reason: 'client_unknown' },
    })
    expect(watch({ tool: null }).wouldBe).toMatchObject({ refusal: { reason: 'tool_unknown' } })
  })

  it('writes down nothing where there was nothing to refuse', () => {
    const known = facts({ server: observed(NOW + 1) })
    expect(evaluate(request(), ANY, known)).toMatchObject({ refusal: null, wouldBe: null })
  })

  it('keeps the policies that took part', () => {
    const deny = compilePolicies([policy({ id: 'no', effect: 'deny' })])
    const { matches } = evaluate(request(), deny, facts({ server: observed(NOW + 1) }))
    expect(matches.map(({ id, pass }) => `${pass} ${id}`)).toEqual(['subject no', 'agent no'])
  })

  it.each([
    ['until now', NOW, 'not_allowed'],
    ['until a moment from now', NOW + 1, 'allowed'],
    ['for fourteen days', NOW + 14 * DAY, 'allowed'],
    ['for longer than anybody may say', NOW + 14 * DAY + 1, 'not_allowed'],
    ['until long ago', 0, 'not_allowed'],
  ])('%s', (_, until, expected) => {
    const { refusal } = evaluate(request(), nothing, facts({ server: observed(until) }))
    expect(refusal?.reason ?? 'allowed').toBe(expected)
  })

  it.each<[string, Partial<Facts>]>([
    ['revoked', { revocations: [{ kind: 'token', id: 'x', issuer: '*', revokedAt: 1 }] }],
    ['revoked', { tasks: [task({ revokedAt: 1 })] }],
    ['tenant_inactive', { tenantActive: false }],
    ['server_inactive', { server: observed(NOW + 1, false) }],
    ['client_inactive', { clientActive: false }],
    ['client_not_delegate', { clientActsForUsers: false }],
    ['target_unreadable', { unreadable: { kind: 'too_many' } }],
    ['target_of_another_tenant', { targets: [target({ tenant: 'other' })] }],
  ])('still refuses: %s', (expected, known) => {
    expect(ENFORCED_ALWAYS.has(expected as 'revoked')).toBe(true)
    expect(watch(known).refusal?.reason).toBe(expected)
    // Also where earlier gates had only something to write down.
    const unseen = tool({ pin: { hash: 'aa', pinnedAt: 1 } })
    expect(watch({ clientActive: null, tool: unseen, ...known }).refusal?.reason).toBe(expected)
  })

  it('still refuses an agent that was switched off', () => {
    expect(watch({ agentActive: false }, request({ agent: 'bot' })).refusal?.reason).toBe(
      'agent_inactive',
    )
  })
})
