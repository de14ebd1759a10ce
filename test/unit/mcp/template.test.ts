import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonText, isPlainTemplate, templateMatches } from '../../../src/mcp/template.ts'
import { parseGlob } from '../../../src/pdp/glob.ts'

describe('what a template makes', () => {
  it.each([
    ['test://t/{id}/data', 'test://t/1/data'],
    ['test://t/{id}/data', 'test://t/a%20b%2Cc%40d/data'],
    ['test://{a}/{b}', 'test://x/y'],
    ['test://t/{a}-{b}', 'test://t/1-2-3'],
    ['test://t/{id}.json?v=1', 'test://t/x.json?v=1'],
    ['urn:{x}', 'urn:abc'],
  ])('%s makes %s', (template, uri) => {
    expect(templateMatches(template, uri)).toBe(true)
  })

  it.each([
    ['test://t/{id}/data', 'test://t//data', 'nothing'],
    ['test://t/{id}/data', 'test://t/1/2/data', 'a separator'],
    ['test://t/{id}/data', 'test://t/1%2F2/data', 'a separator in disguise'],
    ['test://t/{id}/data', 'test://t/../data', 'a dot segment'],
    ['test://t/{id}/data', 'test://t/%2e%2e/data', 'one in disguise'],
    ['test://t/{id}/data', 'test://t/1/data?x=1', 'a query'],
    ['test://t/{id}', 'test://t/1?x=1', 'a query'],
    ['test://t/{id}', 'test://t/1;x', 'a parameter'],
    ['test://t/{id}', 'test://t/1#x', 'a fragment'],
    ['test://t/{id}', 'test://t/a@b', 'what it would encode'],
    ['test://t/{id}', 'test://t/a,b', 'what it would encode'],
    ['test://t/{id}', 'TEST://t/1', 'another spelling'],
    ['test://t/{id}', 'test://T/1', 'another spelling'],
    ['test://t/{id}/data', 'test://t/{id}/data', 'itself'],
    ['test://t/{+path}', 'test://t/a', 'an operator that yields separators'],
    ['test://t/{id}x', 'test://t/x', 'nothing'],
    ['test://t/{a}{b}', 'test://t/x', 'one letter for two'],
  ])('%s does not make %s: %s', (template, uri) => {
    expect(templateMatches(template, uri)).toBe(false)
  })

  it.each([
    ['test://t/{id}/data', true],
    ['test://t{?q}', true],
    ['test://t/{}', false],
    ['test://t/{a b}', false],
    ['file:///public/../{x}', false],
    ['FILE:///{x}', false],
    ['test://t/1', false],
  ])('%s is one that patterns may speak of: %s', (text, plain) => {
    expect(isPlainTemplate(text)).toBe(plain)
  })
})

describe('what a template and a pattern have in common', () => {
  it.each([
    ['test://t/{id}/data', 'test://t/1/*', 'test://t/1/data'],
    ['test://t/{id}/data', 'test://t/7/data', 'test://t/7/data'],
    ['test://t/{id}/data', '*', 'test://t/x/data'],
    ['test://t/{id}/data', 'test://*/data', 'test://t/x/data'],
    ['test://t/{id}/data', 'test://u/*', null],
    ['test://t/{id}/data', 'test://t//data', null],
    ['test://t/{+p}', 'test://t/a/b', 'test://t/a/b'],
  ])('%s, %s: %s', (template, pattern, common) => {
    expect(commonText(template, pattern)).toBe(common)
  })

  it('is a text that both fit', () => {
    const piece = fc.constantFrom('a', 'b', '/', 'ab')
    const pattern = fc.array(fc.oneof(piece, fc.constant('*')), { maxLength: 8 })
    const template = fc.array(fc.oneof(piece, fc.constant('{+x}')), { maxLength: 8 })
    let found = 0
    fc.assert(
      fc.property(template, pattern, (one, other) => {
        const common = commonText(one.join(''), other.join(''))
        if (common === null) return
        found += 1
        expect(parseGlob(other.join('')).matches(common)).toBe(true)
        expect(parseGlob(one.join('').replaceAll('{+x}', '*')).matches(common)).toBe(true)
      }),
    )
    expect(found).toBeGreaterThan(0)
  })

  it('takes no longer for what was made to take long', () => {
    const hostile = `${'{+a}a'.repeat(60)}b`
    expect(commonText(hostile, `${'*a'.repeat(100)}c`)).toBeNull()
  })
})
