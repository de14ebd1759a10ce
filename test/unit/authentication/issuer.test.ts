import { describe, expect, it } from 'vitest'
import { parseAlgorithms } from '../../../src/authentication/issuer.ts'

describe('the algorithms of an issuer row', () => {
  it('keep their order', () => {
    expect(parseAlgorithms('["PS256","ES256"]')).toEqual({ ok: true, value: ['PS256', 'ES256'] })
  })

  it.each([
    ['["HS256"]', 'a shared secret'],
    ['["none"]', 'no signature at all'],
    ['["ES256","HS512"]', 'one bad name spoils the row'],
    ['["es256"]', 'names are case-sensitive'],
    ['["toString"]', 'nothing is inherited'],
    ['["ES256","ES256"]', 'a slip'],
    ['[]', 'nothing would ever verify'],
    ['"ES256"', 'an array'],
    ['[["ES256"]]', 'names, not things that print as names'],
    ['ES256', 'JSON'],
  ])('%s is refused: %s', (json) => {
    expect(parseAlgorithms(json).ok).toBe(false)
  })
})
