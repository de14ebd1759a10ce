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
  it.each(['algorithm', 'lifetime', 'type', 'key_unknown', 'signature'])(
    'could cure %s',
    (fault) => {
      expect(curableByRows(cell(fault))).toBe(true)
    },
  )

  it.each(['issuer_unknown', 'tenant_mismatch', 'issuer_unavailable'] as const)(
    'could cure %s',
    (reason) => {
      expect(curableByRows({ at: 'authenticate', reason })).toBe(true)
    },
  )

  it.each([
    'spelling',
    'not_jwt',
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
})
