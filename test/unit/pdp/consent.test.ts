import { describe, expect, it } from 'vitest'
import { consentState } from '../../../src/pdp/consent.ts'
import type { ConsentFact } from '../../../src/pdp/evaluation.ts'
import { NOW, tool } from '../../support/pdp/build.ts'

const consent = (row: Partial<ConsentFact> = {}): ConsentFact => ({
  id: 'c-1',
  tool: 'search',
  access: null,
  definitionHash: null,
  expiresAt: null,
  revokedAt: null,
  ...row,
})

const called = tool({ access: 'write', pin: { hash: 'aa', pinnedAt: 1 } })
const state = (...consents: ConsentFact[]) => consentState(called, consents, NOW)

describe('one consent', () => {
  it.each<[string, Partial<ConsentFact>, string]>([
    ['to the tool', {}, 'given'],
    ['to another tool', { tool: 'other' }, 'missing'],
    ['to a pattern, which no consent has', { tool: 'sea*' }, 'missing'],
    ['to the class', { tool: null, access: 'write' }, 'given'],
    ['to another class', { tool: null, access: 'read' }, 'missing'],
    [
      'to a graver class, which does not hold the milder',
      { tool: null, access: 'destructive' },
      'missing',
    ],
    ['to the tool in this class', { access: 'write' }, 'given'],
    ['to the tool in another class', { access: 'read' }, 'missing'],
    ['to another tool in this class', { tool: 'other', access: 'write' }, 'missing'],
    ['to nothing at all, which is not to everything', { tool: null }, 'missing'],
    ['until a moment from now', { expiresAt: NOW + 1 }, 'given'],
    ['until now', { expiresAt: NOW }, 'expired'],
    ['taken back', { revokedAt: NOW - 1 }, 'withdrawn'],
    ['taken back, and over as well', { revokedAt: NOW - 1, expiresAt: NOW }, 'withdrawn'],
    ['taken back at a time to come, which is taken back', { revokedAt: NOW + 1 }, 'withdrawn'],
    ['to this definition', { definitionHash: 'aa' }, 'given'],
    ['to another definition', { definitionHash: 'bb' }, 'outdated'],
    ['to another definition, and over', { definitionHash: 'bb', expiresAt: NOW }, 'expired'],
  ])('%s: %s is %s', (_, row, expected) => {
    expect(state(consent(row))).toBe(expected)
  })

  it('to a definition of a tool that is not pinned is outdated: nobody can say that it is that one', () => {
    const unpinned = tool({ pin: null })
    expect(consentState(unpinned, [consent({ definitionHash: 'aa' })], NOW)).toBe('outdated')
  })
})

describe('several consents', () => {
  const withdrawn = consent({ id: 'w', revokedAt: 1 })
  const expired = consent({ id: 'e', expiresAt: 1 })
  const outdated = consent({ id: 'o', definitionHash: 'bb' })
  const elsewhere = consent({ id: 'x', tool: 'other' })

  it('the best of those that cover the call counts, in whatever order', () => {
    const all = [withdrawn, expired, outdated, elsewhere]
    for (const order of [all, all.toReversed()]) {
      expect(state(...order)).toBe('outdated')
      expect(state(...order, consent())).toBe('given')
      expect(state(consent(), ...order)).toBe('given')
    }
    expect(state(withdrawn, expired)).toBe('expired')
    expect(state()).toBe('missing')
  })
})

describe('in a listing', () => {
  it('a consent to any class that a call could be of is enough to be shown', () => {
    const listed = tool({
      access: 'destructive',
      depends: { access: ['read', 'destructive'], labels: [], anyLabel: false },
    })
    const toRead = consent({ tool: null, access: 'read' })
    expect(consentState(listed, [toRead], NOW)).toBe('given')
    expect(consentState(listed, [consent({ tool: null, access: 'write' })], NOW)).toBe('missing')
    // The call itself is of one class.
    expect(consentState({ ...listed, depends: null }, [toRead], NOW)).toBe('missing')
  })
})
