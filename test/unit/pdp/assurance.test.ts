import { describe, expect, it } from 'vitest'
import { acrValues, unmetNeeds } from '../../../src/pdp/assurance.ts'
import type { TaskFact } from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'
import { NOW, policy, request, task, type Caller } from '../../support/pdp/build.ts'

const needs = (
  row: Partial<PolicyRow>,
  caller: Caller = {},
  args: unknown = {},
  own: TaskFact | null = null,
) => unmetNeeds(policy({ id: 'x', ...row }), request(caller, args), own)

const SECONDS = NOW / 1000

describe('what an allow asks for besides', () => {
  it.each<[Partial<PolicyRow>, Caller, readonly string[]]>([
    [{}, {}, []],
    [{ requireAcr: 'phr' }, {}, ['acr']],
    [{ requireAcr: 'phr' }, { acr: 'phr' }, []],
    [{ requireAcr: 'phr' }, { acr: 'PHR' }, ['acr']],
    [{ requireAcr: 'phr' }, { acr: '' }, ['acr']],
    [{ requireAcr: 'phr phrh' }, { acr: 'phrh' }, []],
    [{ requireAcr: 'phr phrh' }, { acr: 'phr phrh' }, ['acr']],
    [{ requireAcr: ' phr  phrh ' }, { acr: '' }, ['acr']],
    [{ requireAcr: ' ' }, { acr: '' }, ['acr']],
    [{ maxAuthAgeSeconds: 300 }, {}, ['recent_login']],
    // However far the bound: who does not say when satisfies none.
    [{ maxAuthAgeSeconds: 4_000_000_000 }, {}, ['recent_login']],
    [{ maxAuthAgeSeconds: 300 }, { authTime: SECONDS - 300 }, []],
    [{ maxAuthAgeSeconds: 300 }, { authTime: SECONDS - 301 }, ['recent_login']],
    [{ maxAuthAgeSeconds: 0 }, { authTime: SECONDS }, []],
    [{ maxAuthAgeSeconds: 0 }, { authTime: SECONDS - 1 }, ['recent_login']],
    [{ requireSenderConstrained: true }, {}, ['sender_constrained']],
    [{ requireSenderConstrained: true }, { senderConstrained: true }, []],
    [{ requireApproval: true }, {}, ['approval']],
    [
      {
        requireAcr: 'phr',
        maxAuthAgeSeconds: 1,
        requireSenderConstrained: true,
        requireApproval: true,
      },
      {},
      ['acr', 'recent_login', 'sender_constrained', 'approval'],
    ],
  ])('%j of %j: %j', (row, caller, expected) => {
    expect(needs(row, caller)).toEqual(expected)
  })

  it('a deny asks for nothing, and a listing is shown what could be allowed', () => {
    expect(needs({ effect: 'deny', requireApproval: true })).toEqual([])
    expect(needs({ requireApproval: true, requireAcr: 'phr' }, {}, null)).toEqual([])
  })

  it.each<['any' | 'approved', TaskFact | null, readonly string[]]>([
    ['any', null, ['task']],
    ['any', task(), []],
    ['any', task({ approved: true }), []],
    ['approved', null, ['task']],
    ['approved', task(), ['approved_task']],
    ['approved', task({ approved: true }), []],
  ])('a task (%s): %j: %j', (requireTask, own, expected) => {
    expect(needs({ requireTask }, {}, {}, own)).toEqual(expected)
    expect(needs({ requireTask }, {}, null, own)).toEqual([])
  })

  it('a call without arguments is a call', () => {
    expect(needs({ requireApproval: true }, {}, {})).toEqual(['approval'])
  })

  it('context classes are separated by spaces (RFC 9470 §3)', () => {
    expect(acrValues({ requireAcr: ' phr  phrh ' })).toEqual(['phr', 'phrh'])
    expect(acrValues({ requireAcr: null })).toEqual([])
  })
})
