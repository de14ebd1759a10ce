import { describe, expect, test } from 'vitest'
import { NOTHING_ASKED } from '../../../../src/pdp/provenance/asked.ts'
import { ATOMS } from '../../../../src/pdp/provenance/atoms.ts'
import { comesFrom, parseOrigins } from '../../../../src/pdp/provenance/combination.ts'
import { FRESH } from '../../../../src/pdp/provenance/flags.ts'
import { step, value, View } from './view.ts'
import { askedInWords, originsOf } from '../../../support/pdp/origins.ts'

describe('the origins of a rule', () => {
  test.each([
    [['user', 'typed+asked'], true],
    [[], true],
    [['usr'], false],
    [['user+'], false],
    [['user +asked'], false],
    [['constructor'], false],
    ['user', false],
    [[7], false],
    [null, false],
    [Array.from({ length: 33 }, () => 'user'), false],
  ])('%j can be read: %s', (column, readable) => {
    expect(parseOrigins(column).ok).toBe(readable)
  })

  test('a+b asks for both of the same value', () => {
    const view = new View()
    view.know('a', 'email', 'typed')
    const parsed = parseOrigins(['typed+asked'])
    const holds = (words: string) =>
      parsed.ok && comesFrom(parsed.value, value('a'), view, step({ asked: askedInWords(words) }))
    expect([holds('send it'), holds('read it')]).toEqual([true, false])
  })

  test('no origins accept nothing', () => {
    expect(comesFrom([], value('a'), new View(), step({}))).toBe(false)
  })
})

describe('each origin', () => {
  const origins = (view: View, changes: Parameters<typeof step>[0] = {}, one = value('a')) =>
    [...originsOf(one, view, step(changes))].toSorted()
  const base = ['no_secret', 'taskless', 'unworded']

  test('a value that nobody gave has none', () => {
    expect(origins(new View())).toEqual([...base, 'none'].toSorted())
  })

  test('none is not said once something was let go of', () => {
    const view = new View()
    view.now = { ...FRESH, forgotSeen: true }
    expect(origins(view)).toEqual(base)
  })

  test('the person, their task and the own domain', () => {
    const asked = { ...NOTHING_ASKED, text: 'to dan', values: ['b'], tools: [], task: true }
    expect(origins(new View(), { asked }, value('dan'))).toContain('user')
    expect(origins(new View(), { asked }, value('b'))).toContain('user')
    expect(origins(new View(), { asked }, value('c'))).not.toContain('user')
    expect(origins(new View(), { asked })).not.toContain('granted')
    expect(origins(new View(), { asked: { ...asked, tools: ['send_email'] } })).toContain('granted')
    const ownDomains = ['@corp.example']
    expect(origins(new View(), { ownDomains }, value('x@corp.example'))).toContain('org')
    expect(origins(new View(), { ownDomains }, value('x@evilcorp.example'))).not.toContain('org')
  })

  test('a listing of another kind is none of this kind', () => {
    const view = new View()
    view.know('a', 'channel', 'typed', 'typedT')
    expect(origins(view)).not.toContain('typed')
    expect(origins(view, {}, value('a', 'channel'))).toContain('typed')
  })

  test('an argument without a kind takes its origins from its own server alone', () => {
    const view = new View()
    view.know('a', '@other', 'field', 'fieldT', 'own')
    expect(origins(view, {}, value('a', null))).toEqual([...base, 'none'].toSorted())
    view.know('a', '@mail', 'field')
    expect(origins(view, {}, value('a', null))).toEqual(
      [...base, 'claimed', 'field', 'none'].toSorted(),
    )
  })

  test('of the call itself no value atom holds', () => {
    expect([...originsOf(null, new View(), step({}))].toSorted()).toEqual(base)
  })

  test('every atom can hold and can fail', () => {
    const rich = new View()
    rich.know('/a', null, 'internal', 'mention', 'used')
    rich.know('/a', '@mail', 'own', 'field', 'fieldT')
    rich.know('spelled /a', '@mail', 'fetched')
    const path = { ...value('/a', null), shape: 'path' as const }
    const asked = { text: '/a send', values: [], tools: ['send_email'], task: true }
    const seen = new Set([
      ...originsOf(path, rich, step({ asked })),
      ...originsOf(value('x@corp.example'), rich, step({ ownDomains: ['@corp.example'] })),
      ...originsOf(path, new View(), step({})),
    ])
    expect([...seen].toSorted()).toEqual(Object.keys(ATOMS).toSorted())
  })
})
