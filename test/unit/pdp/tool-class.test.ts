import { describe, expect, it } from 'vitest'
import { parseField } from '../../../src/pdp/resources.ts'
import { labelsOfCall, labelsOfQuestion } from '../../../src/pdp/tool-class.ts'
import { compileTools, type ToolRow } from '../../../src/pdp/tools.ts'
import {
  argumentsOf,
  facts,
  request,
  server,
  target,
  tool,
  toolRow,
} from '../../support/pdp/build.ts'

const of = (row: Partial<ToolRow>, given: unknown, internal = true) => {
  const args = given === null ? null : argumentsOf(given)
  const found = compileTools([toolRow(row)], internal).find('search', args)
  if (found === null) throw new Error('not found')
  return found
}

const byMethod = {
  access: 'write',
  accessWhen: [
    { access: 'read', condition: 'args.method == "GET"' },
    { access: 'destructive', condition: 'args.method == "DELETE"' },
  ],
} as const

const OVERSIZED = { method: 'GET', filler: Array.from({ length: 20_001 }, () => 1) }

describe('the class of a call', () => {
  it.each<[string, Partial<ToolRow>, unknown, string]>([
    ['the tool’s own, where no row speaks of it', byMethod, { method: 'PUT' }, 'write'],
    ['milder, where a row says so', byMethod, { method: 'GET' }, 'read'],
    ['graver, where a row says so', byMethod, { method: 'DELETE' }, 'destructive'],
    ['the gravest, where no row can be asked', byMethod, {}, 'destructive'],
    ['the gravest, where arguments are too large to ask', byMethod, OVERSIZED, 'destructive'],
    ['the tool’s own, where the value is of another kind', byMethod, { method: 1 }, 'write'],
    [
      'the gravest of all rows that hold',
      {
        access: 'read',
        accessWhen: [
          { access: 'export', condition: 'args.n > 10' },
          { access: 'admin', condition: 'args.n > 100' },
        ],
      },
      { n: 1000 },
      'admin',
    ],
    [
      'the tool’s own, where a milder row cannot be asked',
      { access: 'write', accessWhen: [{ access: 'read', condition: 'args.safe == true' }] },
      {},
      'write',
    ],
    [
      'not milder, though one milder row holds and another cannot be asked',
      {
        access: 'admin',
        accessWhen: [
          { access: 'read', condition: 'true' },
          { access: 'write', condition: 'args.gone == 1' },
        ],
      },
      {},
      'admin',
    ],
    [
      'graver, where a condition does not compile',
      { access: 'read', accessWhen: [{ access: 'admin', condition: 'args.n == ' }] },
      {},
      'admin',
    ],
    [
      'never milder by a condition that does not compile',
      { access: 'admin', accessWhen: [{ access: 'read', condition: 'subject.id == "x"' }] },
      {},
      'admin',
    ],
    [
      'graver, where a condition is of no certain type',
      { access: 'read', accessWhen: [{ access: 'export', condition: 'args.flag' }] },
      { flag: false },
      'export',
    ],
  ])('is %s', (_, row, given, expected) => {
    expect(of(row, given).access).toBe(expected)
  })

  it('does not depend on the order of the rows', () => {
    const { accessWhen } = byMethod
    const turned = { ...byMethod, accessWhen: accessWhen.toReversed() }
    for (const method of ['GET', 'PUT', 'DELETE', 5, null]) {
      expect(of(turned, { method }).access).toBe(of(byMethod, { method }).access)
    }
  })

  it('is a label, too', () => {
    expect(of(byMethod, { method: 'DELETE' }).labels).toEqual(['sink.destructive'])
    expect(of(byMethod, { method: 'GET' }).labels).toEqual([])
    expect(of({ access: 'export' }, {}).labels).toEqual(['sink.export'])
    expect(of({ access: 'admin' }, {}).labels).toEqual(['sink.privileged'])
    expect(of({ access: 'write' }, {}).labels).toEqual(['sink.update'])
  })
})

describe('the labels of a call', () => {
  const sends = { labels: [{ label: 'source.bulk', condition: 'args.all == true' }] }

  it.each<[string, unknown, readonly string[]]>([
    ['hold where their condition does', { all: true }, ['source.bulk']],
    ['do not where it does not', { all: false }, []],
    ['hold where it cannot be asked', {}, ['source.bulk']],
    [
      'hold where the arguments are too large to ask',
      { ...OVERSIZED, all: false },
      ['source.bulk'],
    ],
  ])('%s', (_, given, expected) => {
    expect(of(sends, given).labels).toEqual(expected)
  })

  it('hold where their condition does not compile', () => {
    expect(of({ labels: [{ label: 'a.b', condition: 'targets.size() > 0' }] }, {}).labels).toEqual([
      'a.b',
    ])
  })

  it('are the worst until a person has looked at them', () => {
    expect(of({ labelsReviewed: false }, {}).labels).toEqual([
      'sink.external_send',
      'source.confidential',
      'source.untrusted',
    ])
  })

  it('are an external send to every server that is not internal', () => {
    expect(of({}, {}, false).labels).toEqual(['sink.external_send'])
  })

  it('are those of everything that the call touches, too', () => {
    const known = facts({
      tool: tool({ labels: ['b.b'] }),
      targets: [target({ labels: ['a.a', 'b.b'] }), target({ labels: ['c.c'] }), target(null)],
    })
    expect(labelsOfCall(known)).toEqual(['a.a', 'b.b', 'c.c'])
  })
})

describe('in a listing', () => {
  it('a tool is what its gravest call is, with what depends on the call', () => {
    const row = {
      ...byMethod,
      labels: [
        { label: 'source.bulk', condition: null },
        { label: 'a.b', condition: 'args.all == true' },
      ],
    }
    expect(of(row, null)).toMatchObject({
      access: 'destructive',
      labels: ['a.b', 'sink.destructive', 'sink.update', 'source.bulk'],
      depends: {
        access: ['write', 'read', 'destructive'],
        labels: ['a.b', 'sink.destructive', 'sink.update'],
      },
    })
    expect(of(row, { method: 'GET', all: false })).toMatchObject({
      access: 'read',
      labels: ['source.bulk'],
      depends: null,
    })
  })

  it('nothing depends on the call where no row has a condition', () => {
    expect(of({ labels: [{ label: 'a.b', condition: null }] }, null).depends).toBeNull()
  })

  it('a label that is certain for another reason does not depend on its condition', () => {
    const row = {
      access: 'export',
      labels: [{ label: 'sink.export', condition: 'args.x' }],
    } as const
    expect(of(row, null).depends).toEqual({ access: ['export'], labels: [], anyLabel: false })
  })

  it('any label may come with what the arguments name, certain or not', () => {
    const names = parseField('/doc', {
      type: { name: 'doc', form: 'exact' },
      optional: true,
      unlisted: 'public',
    })
    const row = { labels: [{ label: 'a.b', condition: null }], arguments: [names] }
    expect(of(row, null).depends).toEqual({ access: ['read'], labels: [], anyLabel: true })
    expect(of(row, {}).depends).toBeNull()
    expect(of({ ...row, arguments: [], results: [names] }, null).depends).toBeNull()
  })
})

describe('a tool without a row', () => {
  const asked = request({}, {}, 'new_tool')

  it('counts as the worst to the rules, where a server is observed', () => {
    expect(labelsOfQuestion(asked, facts({ tool: null }))).toEqual(
      expect.arrayContaining(['source.untrusted', 'source.confidential', 'sink.external_send']),
    )
  })

  it('is no step of the protocol, which carries text and nothing else', () => {
    const step = { ...asked, resource: { ...asked.resource, type: 'mcp_server' } } as const
    expect(labelsOfQuestion(step, facts({ tool: null }))).toEqual([])
    const outside = facts({ tool: null, server: server({ internal: false }) })
    expect(labelsOfQuestion(step, outside)).toEqual(['sink.external_send'])
  })
})

describe('problems', () => {
  it('are told by tool, of classes and of labels, and of nothing that compiles', () => {
    const rows = [
      toolRow({ name: 'fine', labels: [{ label: 'a.b', condition: 'args.x == 1' }] }),
      toolRow({
        name: 'broken',
        labels: [{ label: 'a.b', condition: 'args.x == ' }],
        accessWhen: [
          { access: 'admin', condition: 'subject.id == "x"' },
          { access: 'write', condition: '"text"' },
        ],
      }),
    ]
    const problems = compileTools(rows, true).problems()
    expect(problems.map(({ tool, problem }) => `${tool}: ${problem.kind}`)).toEqual([
      'broken: syntax',
      'broken: type',
      'broken: type',
    ])
  })
})
