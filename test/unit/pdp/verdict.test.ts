import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'
import { facts, NOW, policy, request, server, tool, type Caller } from '../../support/pdp/build.ts'

const ask = (rows: readonly PolicyRow[], caller: Caller = {}) =>
  evaluate(request(caller), compilePolicies(rows), facts())
const verdict = (...given: Parameters<typeof ask>) => ask(...given).refusal
const allow = (id: string, row: Partial<PolicyRow> = {}) => policy({ id, agent: '*', ...row })

describe('what matched rows come to', () => {
  it('a deny overrides whatever an allow still asks for', () => {
    const rows = [allow('a', { requireAcr: 'phr' }), policy({ id: 'd', effect: 'deny' })]
    expect(verdict(rows)).toMatchObject({ reason: 'denied_by_policy', policy: 'd' })
  })

  it('one allow that asks for nothing is enough, whatever others ask for', () => {
    const rows = [
      allow('a', { requireAcr: 'phr', requireApproval: true, requireSenderConstrained: true }),
      allow('b'),
    ]
    expect(verdict(rows)).toBeNull()
    expect(verdict(rows.toReversed())).toBeNull()
  })

  it('of several that ask the nearest is said: approval, then a login, then another token', () => {
    const approval = allow('approval', { requireApproval: true })
    const login = allow('login', { requireAcr: 'phr', maxAuthAgeSeconds: 60 })
    const both = allow('both', { maxAuthAgeSeconds: 60, requireApproval: true })
    const bound = allow('bound', { requireSenderConstrained: true })
    expect(verdict([bound, login, approval])).toEqual({
      at: 'decide',
      reason: 'approval_required',
      policies: ['approval'],
    })
    expect(verdict([bound, login])).toEqual({
      at: 'decide',
      reason: 'insufficient_authentication',
      pass: 'subject',
      policy: 'login',
      acrValues: ['phr'],
      maxAgeSeconds: 60,
      scopes: [],
    })
    expect(verdict([both])).toMatchObject({
      reason: 'insufficient_authentication',
      acrValues: [],
      maxAgeSeconds: 60,
    })
    expect(verdict([bound])).toMatchObject({ reason: 'binding_required', policy: 'bound' })
    // No login helps with a token that is not bound.
    const all = allow('all', { requireSenderConstrained: true, requireAcr: 'phr' })
    expect(verdict([all])).toMatchObject({ reason: 'binding_required', policy: 'all' })
    expect(verdict([all, login])).toMatchObject({ policy: 'login' })
  })

  it('names both bounds of a login, also the one that is met: one login is enough', () => {
    const rows = [allow('a', { requireAcr: 'phr', maxAuthAgeSeconds: 60 })]
    const expected = { acrValues: ['phr'], maxAgeSeconds: 60 }
    expect(verdict(rows, { acr: 'phr' })).toMatchObject(expected)
    expect(verdict(rows, { authTime: NOW / 1000 })).toMatchObject(expected)
    expect(verdict(rows, { acr: 'phr', authTime: NOW / 1000 })).toBeNull()
  })

  it('names the scopes of the call with the login: the new token must have them too', () => {
    const known = facts({
      server: server({ requiredScopes: ['use'] }),
      tool: tool({ requiredScopes: ['write'] }),
    })
    const rows = compilePolicies([allow('a', { requireAcr: 'phr' })])
    const { refusal } = evaluate(request({ scopes: ['use', 'write'] }), rows, known)
    expect(refusal).toMatchObject({ acrValues: ['phr'], scopes: ['use', 'write'] })
  })

  it('each pass has to find one, and the farther of them is said', () => {
    const person = policy({ id: 'person', requireApproval: true })
    const software = allow('software', { role: 'sales', requireAcr: 'phr' })
    const known = facts({ agentRoles: [{ role: 'sales', expiresAt: null }] })
    const asked = (caller: Caller) =>
      evaluate(request(caller), compilePolicies([person, software]), known).refusal
    expect(asked({})).toMatchObject({
      reason: 'insufficient_authentication',
      pass: 'agent',
      policy: 'software',
    })
    expect(asked({ acr: 'phr' })).toMatchObject({
      reason: 'approval_required',
      policies: ['person'],
    })
  })

  it('lacking an allow in one pass is said before what the other still needs', () => {
    const rows = [policy({ id: 'person', requireApproval: true })]
    expect(verdict(rows)).toMatchObject({ reason: 'not_allowed', pass: 'agent' })
  })

  it('an allow that errs is not one that only needs a login', () => {
    const rows = [allow('a', { condition: 'args.gone == 1', requireAcr: 'phr' })]
    expect(verdict(rows)).toMatchObject({ reason: 'not_allowed' })
  })

  it('an approval is asked for once, though both passes need it', () => {
    expect(verdict([allow('a', { requireApproval: true })])).toMatchObject({ policies: ['a'] })
  })
})

describe('rows that only watch', () => {
  it('a shadow deny says that it would have denied', () => {
    const { refusal, wouldBe } = ask([
      allow('a'),
      policy({ id: 'd', effect: 'deny', mode: 'shadow' }),
    ])
    expect(refusal).toBeNull()
    expect(wouldBe).toMatchObject({ by: 'shadow', refusal: { reason: 'denied_by_policy' } })
  })

  it('a shadow allow says that it would have allowed', () => {
    const { refusal, wouldBe } = ask([allow('a', { mode: 'shadow' })])
    expect(refusal).toMatchObject({ reason: 'not_allowed' })
    expect(wouldBe).toEqual({ by: 'shadow', refusal: null })
  })

  it('one that does not fit says nothing', () => {
    expect(ask([allow('a'), allow('s', { mode: 'shadow', server: 'other' })]).wouldBe).toBeNull()
  })

  it('one that errs would deny as a deny, and is in the record either way', () => {
    const condition = 'args.gone == 1'
    const denies = ask([allow('a'), policy({ id: 'd', effect: 'deny', mode: 'shadow', condition })])
    expect(denies.refusal).toBeNull()
    expect(denies.wouldBe?.refusal).toMatchObject({ reason: 'denied_by_policy' })
    const allows = ask([allow('s', { mode: 'shadow', condition })])
    expect(allows.wouldBe?.refusal).toMatchObject({ reason: 'not_allowed' })
    expect(allows.matches).toHaveLength(2)
  })
})
