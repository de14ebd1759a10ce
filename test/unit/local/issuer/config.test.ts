import { expect, test } from 'vitest'
import { parseConfig } from '../../../../local/issuer/config.ts'

const ISSUER_URL = 'http://127.0.0.1:8788'
const ISSUER_PRIVATE_JWK = JSON.stringify({
  kty: 'EC',
  crv: 'P-256',
  x: 'x',
  y: 'y',
  d: 'very-secret',
  kid: 'k1',
})

test('a complete configuration is taken as it is', () => {
  const config = parseConfig({ ISSUER_URL, ISSUER_PRIVATE_JWK })
  expect(config.issuer).toBe(ISSUER_URL)
  expect(config.key.kid).toBe('k1')
})

test.each([
  [{ ISSUER_URL: '', ISSUER_PRIVATE_JWK }, /ISSUER_URL is missing/],
  [{ ISSUER_URL: `${ISSUER_URL}/`, ISSUER_PRIVATE_JWK }, /without a path or trailing slash/],
  [{ ISSUER_URL, ISSUER_PRIVATE_JWK: '' }, /ISSUER_PRIVATE_JWK is missing/],
  [{ ISSUER_URL, ISSUER_PRIVATE_JWK: '{' }, /must be the JSON/],
  [{ ISSUER_URL, ISSUER_PRIVATE_JWK: '{"kty":"RSA"}' }, /private P-256/],
])('an incomplete one is refused with what to set (%#)', (settings, message) => {
  expect(() => parseConfig(settings)).toThrow(message)
})

test('no error quotes the key', () => {
  const broken = ISSUER_PRIVATE_JWK.replace('P-256', 'P-999')
  expect(() => parseConfig({ ISSUER_URL, ISSUER_PRIVATE_JWK: broken })).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('very-secret') }),
  )
})
