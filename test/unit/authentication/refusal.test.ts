import { describe, expect, it } from 'vitest'
import { curableByRows, type AuthenticationRefusal } from '../../../src/authentication/refusal.ts'

const cell = (name: string): AuthenticationRefusal =>
  ({
    at: 'authenticate',
    reason: 'token_invalid',
    fault: name,
    detail: '',
  }) as AuthenticationRefusal

describe('a fresh look at the issuer rows', () => {
  it.each(['algorithm', 'lifetime', 'type', 'key_unknown', 'signature', 'not_jwt', 'inactive'])(
    'could cure %s',
    (fault) => {
      expect(curableByRows(cell(fault))).toBe(true)
    },
  )

  it.each([
    'issuer_unknown',
    'tenant_mismatch',
    'issuer_unavailable',
    'introspection_unavailable',
  ] as const)('could cure %s', (reason) => {
    expect(curableByRows({ at: 'authenticate', reason })).toBe(true)
  })

  it.each([
    'spelling',
    'header',
    'critical',
    'payload',
    'issuer',
    'audience',
    'expired',
    'not_yet_valid',
    'claim',
    'bound',
  ])('could not cure %s', (fault) => {
    expect(curableByRows(cell(fault))).toBe(false)
  })

  it('brings no credential where there is none', () => {
    expect(curableByRows({ at: 'authenticate', reason: 'credentials_missing' })).toBe(false)
  })

  it('mends no proof of possession, but perhaps the trust domain of a workload', () => {
    const refused = { at: 'authenticate', fault: 'binding', detail: '' } as const
    expect(curableByRows({ ...refused, reason: 'proof_invalid' })).toBe(false)
    expect(curableByRows({ at: 'authenticate', reason: 'proof_nonce', nonce: 'n' })).toBe(false)
    const ofWorkload = { ...refused, reason: 'workload_proof_invalid' } as const
    expect(curableByRows({ ...ofWorkload, fault: 'key' })).toBe(true)
    expect(curableByRows(ofWorkload)).toBe(false)
  })
})
