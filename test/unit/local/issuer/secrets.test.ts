import { expect, test } from 'vitest'
import { provesPossession, randomSecret, sameSecret } from '../../../../local/issuer/secrets.ts'

// RFC 7636 appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

test('a verifier fits its challenge and no other', async () => {
  expect(await provesPossession(VERIFIER, CHALLENGE)).toBe(true)
  expect(await provesPossession(`${VERIFIER}x`, CHALLENGE)).toBe(false)
  expect(await provesPossession('', CHALLENGE)).toBe(false)
  expect(await provesPossession(CHALLENGE, CHALLENGE)).toBe(false)
})

test('random secrets are long enough to be verifiers and never the same', () => {
  expect(randomSecret()).toMatch(/^[\w-]{43}$/)
  expect(randomSecret()).not.toBe(randomSecret())
})

test('secrets are compared whole', async () => {
  expect(await sameSecret('secret', 'secret')).toBe(true)
  expect(await sameSecret('secre', 'secret')).toBe(false)
})
