import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import { compilePolicies } from '../../../src/pdp/policy.ts'
import {
  narrowedBySignals,
  signalVariables,
  type SignalFacts,
  type SignalState,
} from '../../../src/pdp/signals.ts'
import { facts, NOW, policy, request, tool } from '../../support/pdp/build.ts'
import { propertyRuns } from '../../support/property-runs.ts'

const NONE: SignalFacts = { states: [], changed: [], silent: [] }
const state = (more: Partial<SignalState>): SignalState => ({
  topic: 'risk',
  level: 'HIGH',
  raised: true,
  at: NOW - 60_000,
  access: ['write'],
  acrValues: [],
  ...more,
})

const refusalOf = (
  signals: Partial<SignalFacts>,
  asked: EvaluationRequest = request(),
  known: Partial<Facts> = {},
) =>
  evaluate(asked, compilePolicies([policy({ id: 'any', agent: '*' })]), {
    ...facts({ tool: tool({ access: 'write' }), ...known }),
    signals: { ...NONE, ...signals },
  }).refusal

/** With a token that was made so many seconds after the event. */
const after = (seconds: number, acr: string | null = null): EvaluationRequest => {
  const asked = request({ acr })
  const tokenIssuedAt = (NOW - 60_000) / 1000 + seconds
  return {
    ...asked,
    subject: { ...asked.subject, properties: { ...asked.subject.properties, tokenIssuedAt } },
  }
}

describe('the gate of signals', () => {
  it.each([
    ['nothing raised', state({ raised: false }), after(-1), null],
    ['another class', state({ access: ['admin'] }), after(-1), null],
    ['a login does not help', state({}), after(10), 'signal_raised'],
    ['a login that is older', state({ acrValues: ['phr'] }), after(-1, 'phr'), 'login_outdated'],
    [
      'a login of the same moment',
      state({ acrValues: ['phr'] }),
      after(0, 'phr'),
      'login_outdated',
    ],
    ['a login of another class', state({ acrValues: ['phr'] }), after(1, 'pwd'), 'login_outdated'],
    ['a login as asked', state({ acrValues: ['phr', 'phrh'] }), after(1, 'phrh'), null],
    [
      'a changed credential, any class',
      state({ topic: 'login', access: [] }),
      after(0),
      'login_outdated',
    ],
    ['a changed credential, a login since', state({ topic: 'login', access: [] }), after(1), null],
    ['a fallen level', state({ topic: 'assurance' }), after(0), 'login_outdated'],
    ['a fallen level, a login since', state({ topic: 'assurance' }), after(1), null],
    ['a token of no known age', state({ topic: 'login' }), request(), 'login_outdated'],
  ] as const)('%s', (_, one, asked, expected) => {
    expect(refusalOf({ states: [one] }, asked)?.reason ?? null).toBe(expected)
  })

  it('says how old the login may be, so that one made now will do', () => {
    const refusal = refusalOf({ states: [state({ topic: 'login' })] }, after(0))
    expect(refusal).toMatchObject({ maxAgeSeconds: 59, acrValues: [] })
    const late = refusalOf({ states: [state({ topic: 'login', at: NOW })] }, after(0))
    expect(late).toMatchObject({ maxAgeSeconds: 0 })
  })

  it('is before everything that a policy says, and after what is revoked', () => {
    const revocations = [{ kind: 'subject' as const, id: 'a', issuer: '*', revokedAt: 1 }]
    expect(refusalOf({ silent: ['idp'] })?.reason).toBe('signals_silent')
    expect(refusalOf({ silent: ['idp'] }, request(), { revocations })?.reason).toBe('revoked')
  })

  it('in a listing hides what no login would open, and nothing else', () => {
    const listing = request({}, null)
    expect(refusalOf({ states: [state({})] }, listing)?.reason).toBe('signal_raised')
    expect(refusalOf({ states: [state({ acrValues: ['phr'] })] }, listing)).toBeNull()
    const depends = { access: ['read', 'write'] as const, labels: [], anyLabel: false }
    const some = { tool: tool({ access: 'write', depends }) }
    expect(refusalOf({ states: [state({})] }, listing, some)).toBeNull()
  })
})

describe('what conditions see', () => {
  it('of streams that differ, the one that warns, however old', () => {
    const low = state({ level: 'LOW', raised: false, at: NOW })
    const of = (...states: SignalState[]) => signalVariables({ signals: { ...NONE, states } }).risk
    expect(of(low, state({}))).toBe('HIGH')
    expect(of(low, state({ level: 'LOW', raised: false, at: 1 }))).toBe('LOW')
    expect(of(state({ level: 'MEDIUM' }), state({ at: 1 }))).toBe('MEDIUM')
    expect(of()).toBe('')
  })
})

describe('of two revocations', () => {
  const row = (more: object) => ({
    kind: 'subject' as const,
    id: 'a',
    issuer: '*',
    revokedAt: 1,
    ...more,
  })
  it('the one that another token does not cure is said', () => {
    const older = row({ issuedBefore: NOW })
    expect(refusalOf({}, request(), { revocations: [older] })).toMatchObject({ olderTokens: true })
    const both = refusalOf({}, request(), { revocations: [older, row({ kind: 'client' })] })
    expect(both).toEqual({ at: 'decide', reason: 'revoked', kind: 'client' })
  })
})

describe('changed claims', () => {
  const value = fc.oneof(
    fc.constantFrom('read', 'read write', 'admin', '', 'phr', 'pwd', null, 0, 5, NOW, [], {}),
    fc.constant([{ type: 'mcp_tool', actions: ['search'] }]),
    fc.jsonValue(),
  )
  const changed = fc.array(
    fc.record({
      claim: fc.constantFrom(
        'scope',
        'acr',
        'auth_time',
        'authorization_details',
        'role',
        '__proto__',
      ),
      value,
    }),
    { maxLength: 6 },
  )
  const asked = fc.record({
    scopes: fc.subarray(['read', 'write']),
    acr: fc.constantFrom(null, 'pwd', 'phr'),
    authTime: fc.constantFrom(null, 1, 1_000),
    authorizationDetails: fc.constantFrom(null, [], [{ type: 'mcp_tool', actions: ['search'] }]),
  })

  it('never give what the token does not', () => {
    fc.assert(
      fc.property(asked, changed, (caller, claims) => {
        const before = request(caller as never)
        const now = narrowedBySignals(before, {
          signals: { ...NONE, changed: claims as SignalFacts['changed'] },
        })
        const [old, own] = [before.subject.properties, now.subject.properties]
        expect(own.scopes.every((scope) => old.scopes.includes(scope))).toBe(true)
        expect([old.acr, null]).toContain(own.acr)
        // None at all would be more: the token's own age would stand for it.
        expect(own.authTime === null).toBe(old.authTime === null)
        expect(own.authTime ?? 0).toBeLessThanOrEqual(old.authTime ?? 0)
        const kept = JSON.stringify(own.authorizationDetails)
        const bounds = ['[]', JSON.stringify(old.authorizationDetails)]
        expect(old.authorizationDetails === null || bounds.includes(kept)).toBe(true)
        expect({ ...now.subject, properties: null }).toEqual({
          ...before.subject,
          properties: null,
        })
        expect(Object.keys(own)).toEqual(Object.keys(old))
      }),
      propertyRuns(3_000),
    )
  })

  it('leave the question itself as it came, for the record', () => {
    const before = request({ scopes: ['read'] })
    const copy = structuredClone({ ...before, context: null })
    narrowedBySignals(before, { signals: { ...NONE, changed: [{ claim: 'scope', value: '' }] } })
    expect({ ...before, context: null }).toEqual(copy)
  })
})
