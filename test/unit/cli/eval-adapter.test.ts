import { describe, expect, test } from 'vitest'
import { catalogueOf } from '../../../src/cli/eval/catalogue.ts'
import { leadingLiteral, pythonLiteral } from '../../../src/cli/eval/literal.ts'
import { readResult } from '../../../src/cli/eval/result.ts'

describe('Python literals', () => {
  test.each([
    ["{'a': [1, -2.5, None, True], 'b': ('x',)}", { a: [1, -2.5, null, true], b: ['x'] }],
    [String.raw`'it\'s \u00e9 \x41 \U0001f600\n'`, "it's é A 😀\n"],
    ['"a\'b"', "a'b"],
    ['[]', []],
    ['{}', {}],
    [' [1,] ', [1]],
  ])('%s', (text, expected) => {
    expect(pythonLiteral(text)).toEqual(expected)
  })

  test.each([
    "{'a': 1",
    "'open",
    'f(1)',
    '[1] [2]',
    '1two',
    String.raw`'\Uffffffff'`,
    "{['a']: 1}",
    '['.repeat(100) + ']'.repeat(100),
    '',
  ])('%s is none', (text) => {
    expect(pythonLiteral(text)).toBeUndefined()
  })

  test('the first of a text', () => {
    expect(leadingLiteral("'a', rest)")).toBe('a')
    expect(leadingLiteral('rest')).toBeUndefined()
  })
})

describe('a recorded result', () => {
  test.each([
    ['{"a": 1}', { a: 1 }],
    ["{'a': 1}", { a: 1 }],
    ["- id: 007\n  when: 2024-05-15\n- id: '8'", [{ id: '007', when: '2024-05-15' }, { id: '8' }]],
    ['just a sentence', undefined],
    ['Note: this is not: yaml: at all', undefined],
    ['a: &x [1]\nb: *x', undefined],
    ['[broken', undefined],
  ])('%j', (text, structured) => {
    expect(readResult(text)).toEqual({ structured, text })
  })

  test('printed by a framework: structured content before text that is JSON', () => {
    const printed = (inner: object) =>
      `meta=None content=[TextContent(type='text', text='${JSON.stringify(inner)}', annotations=None)]`
    const blocks = [
      { type: 'text', text: '{"b": 2}' },
      { type: 'text', text: 'prose' },
    ]
    const of = (inner: object) => readResult(printed(inner)).structured
    // Inside quotes of its own, as Python would write it.
    expect(of({ structuredContent: { a: 1 } })).toEqual({ a: 1 })
    expect(of({ content: [] })).toBeUndefined()
    const escaped = printed({ content: blocks }).replaceAll('\\', '\\\\')
    expect(readResult(escaped).structured).toEqual([{ b: 2 }])
  })
})

describe('the three shapes of a catalogue', () => {
  const tool = { name: 'send', description: '' }
  test.each([
    [{ source: 'x', suites: { mail: [tool] } }, 'any.json', 'mail'],
    [[tool], '/x/tau-airline-tools.json', 'tau-airline'],
    [[{ ...tool, server: 'crm' }], 'y.json.gz', 'crm'],
  ])('%j', (document, file, server) => {
    const catalogue = catalogueOf(document, file)
    expect(catalogue.find(server, 'send')).toMatchObject(tool)
    expect(catalogue.find(server, 'other')).toBeUndefined()
  })

  test.each([[{}], [[]], [7]])('%j is none', (document) => {
    expect(() => catalogueOf(document, 'x.json')).toThrow('no catalogue')
  })
})
