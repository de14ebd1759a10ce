import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeaderValue } from '../../../src/mcp/sentinel.ts'
import { propertyRuns } from '../../support/property-runs.ts'

const encode = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

describe('decodeHeaderValue', () => {
  it.each([
    ['send_mail', 'send_mail', 'plain'],
    ['a b', 'a b', 'spaces inside are plain'],
    ['=?BASE64?YQ==?=', '=?BASE64?YQ==?=', 'the marker is case-sensitive'],
    ['=?base64?YQ==?=', 'a', 'what need not be encoded may be'],
    [encode('søk'), 'søk', 'UTF-8'],
    [encode(' a\n'), ' a\n', 'spaces and controls'],
    [encode(encode('a')), encode('a'), 'decoded once'],
    ['=?base64??=', '', 'nothing'],
    ['=?base64?YQ=?=', null, 'missing padding'],
    ['=?base64?YQ?=', null, 'no padding'],
    ['=?base64?YR==?=', null, 'leftover bits: a second spelling of `a`'],
    ['=?base64?Y===?=', null, 'too much padding'],
    ['=?base64?YQ==YQ==?=', null, 'padding inside'],
    ['=?base64?Y Q==?=', null, 'spaces inside'],
    ['=?base64?_-__?=', null, 'the other alphabet'],
    ['=?base64?gICA?=', null, 'not UTF-8'],
    ['=?base64?wIA=?=', null, 'an overlong NUL'],
    ['=?base64?7aCA?=', null, 'a surrogate'],
    ['=?base64?YQ==', '=?base64?YQ==', 'a marker that does not end is none'],
    ['=?base64?=', null, 'one that ends where it begins'],
    ['s\u00f8k', null, 'had to be encoded'],
    ['a\u0000', null, 'a control'],
    ['a'.repeat(16_385), null, 'longer than any name'],
  ])('%j is %j: %s', (value, expected, _why) => {
    expect(decodeHeaderValue(value)).toBe(expected)
  })

  it('decodes what any encoder writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 256 }), (text) => {
        expect(decodeHeaderValue(encode(text))).toBe(text)
      }),
      propertyRuns(2_000),
    )
  })

  it('has one spelling for each text', () => {
    const base64 = fc.stringMatching(/^[A-Za-z0-9+/]{0,6}={0,2}$/)
    fc.assert(
      fc.property(base64, (encoded) => {
        const text = decodeHeaderValue(`=?base64?${encoded}?=`)
        const again = text === null ? null : encode(text)
        expect([null, `=?base64?${encoded}?=`]).toContain(again)
      }),
      propertyRuns(2_000),
    )
  })
})
