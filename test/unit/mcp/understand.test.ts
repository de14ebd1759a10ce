// The cell sheet of `understand`: what is understood, one row per way, with its reason.
import { classifyInboundRequest } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { METHODS } from '../../../src/mcp/methods.ts'
import { understand } from '../../../src/mcp/understand.ts'
import {
  CALL,
  CALL_HEADERS,
  CAPABILITIES,
  LIST_HEADERS,
  MODERN,
  MODERN_META,
  NONE,
  VERSION,
  headers,
  modern,
  notification,
  parse,
  request,
  type Cell,
  type Members,
} from './cells.ts'
import { propertyRuns } from '../../support/property-runs.ts'

const understood: readonly Cell[] = [
  [
    'a legacy call',
    request('tools/call', CALL),
    NONE,
    {
      kind: 'call',
      method: 'tools/call',
      entry: 'send',
      resumed: null,
      completes: null,
      arguments: { to: 'a' },
      id: 7,
      era: 'legacy',
      version: null,
    },
  ],
  [
    'a modern call',
    modern('tools/call', CALL),
    CALL_HEADERS,
    { kind: 'call', entry: 'send', era: 'modern', version: MODERN },
  ],
  ['no arguments is none', request('tools/call', { name: 'x' }), NONE, { arguments: {} }],
  ['text ids stay text', request('tools/call', CALL, { id: '7' }), NONE, { id: '7' }],
  ['an empty id is an id', request('ping', undefined, { id: '' }), NONE, { id: '' }],
  ['a version header', request('tools/list'), headers('2025-06-18'), { version: '2025-06-18' }],
  ['whitespace is no value', request('tools/list'), headers(' 2025-03-26\t'), { era: 'legacy' }],
  ['a page of a listing', request('tools/list', { cursor: 'x' }), NONE, { kind: 'listing' }],
  [
    'true copies may come early',
    request('tools/call', CALL),
    headers('2025-11-25', 'tools/call', 'send'),
    { entry: 'send' },
  ],
  [
    'an encoded name',
    modern('tools/call', { name: 'søk' }),
    headers(MODERN, 'tools/call', '=?base64?c8O4aw==?='),
    { entry: 'søk' },
  ],
  [
    'copies with whitespace around',
    modern('tools/call', CALL),
    headers(` ${MODERN} `, '\ttools/call', ' send '),
    { entry: 'send' },
  ],
  [
    'other _meta is not ours',
    modern('tools/list', {}, { progressToken: 1, traceparent: 'x' }),
    LIST_HEADERS,
    { kind: 'listing' },
  ],
  [
    'the handshake claims its own version',
    request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {} }),
    NONE,
    { kind: 'protocol', version: '2025-06-18' },
  ],
  [
    'the server answers a version that it does not know',
    request('initialize', { protocolVersion: '2099-01-01' }),
    NONE,
    { method: 'initialize', era: 'legacy' },
  ],
  ['ping', request('ping'), NONE, { kind: 'protocol', method: 'ping' }],
  [
    'discovery',
    modern('server/discover'),
    headers(MODERN, 'server/discover'),
    { kind: 'protocol', era: 'modern' },
  ],
  ['initialized', notification('notifications/initialized'), NONE, { id: null }],
  [
    'cancelled',
    notification('notifications/cancelled', { requestId: 7, reason: 'r' }),
    NONE,
    { method: 'notifications/cancelled' },
  ],
  [
    'modern notifications need no headers',
    notification('notifications/cancelled', {
      requestId: 'listen:0',
      _meta: { [VERSION]: MODERN },
    }),
    NONE,
    { era: 'modern' },
  ],
  [
    'an inexact argument is kept',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"n":12345678901234567890}}}',
    NONE,
    { arguments: { n: { text: '12345678901234567890' } } },
  ],
  [
    'names mean themselves',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"__proto__"}}',
    NONE,
    { entry: '__proto__' },
  ],
]

describe('understood', () => {
  it.each(understood)('%s', (_, body, given, expected) => {
    expect(understand(parse(body), given)).toMatchObject({ ok: true, value: expected })
  })

  // SDK v2's own classifier is an oracle for the era, not a gate.
  it.each(understood)('%s: SDK v2 sees the same era', (_, body, given, expected) => {
    const operation = understand(parse(body), given)
    const seen = classifyInboundRequest({
      httpMethod: 'POST',
      body: typeof body === 'string' ? JSON.parse(body) : body,
      ...(given.protocolVersion === null ? {} : { protocolVersionHeader: given.protocolVersion }),
      ...(given.method === null ? {} : { mcpMethodHeader: given.method }),
      ...(given.name === null ? {} : { mcpNameHeader: given.name }),
    })
    expect(seen.kind).toBe(operation.ok ? operation.value.era : expected)
  })
})

describe('refused', () => {
  it('without repeating what a header or an argument held', () => {
    const secret = 'Bearer-s3cret'
    for (const [body, given] of [
      [modern('tools/call', CALL), headers(secret, 'tools/call', 'send')],
      [modern('tools/call', CALL), headers(MODERN, secret, 'send')],
      [modern('tools/call', CALL), headers(MODERN, 'tools/call', secret)],
      [request('tools/call', { name: 'x', arguments: secret }), NONE],
      [request('tools/call', { name: `${secret}\n` }), NONE],
    ] as const) {
      expect(JSON.stringify(understand(parse(body), given))).not.toContain(secret)
    }
  })
})

describe('any message', () => {
  const plain = 'jsonrpc id method params name arguments _meta cursor task Method'.split(' ')
  const name = fc.constantFrom(...plain, VERSION, CAPABILITIES, '__proto__')
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom('send', '2.0', MODERN, MODERN_META, ...Object.keys(METHODS)),
  )
  const header = fc.option(fc.constantFrom(MODERN, '2025-11-25', 'send', ...Object.keys(METHODS)))
  const place = fc.constantFrom('body', 'params', '_meta')
  const change = fc.record({ place, name, value: fc.option(value, { nil: undefined }) })
  const changedHeaders = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    fc.record({ protocolVersion: header }),
    fc.record({ method: header }),
    fc.record({ name: header }),
  )

  /** A message that is understood, with members changed or gone (`undefined` is not written). */
  function mutate(body: Members, changes: readonly Change[]): Members {
    const changed = structuredClone(body) as Record<string, unknown>
    for (const { place: at, name: member, value: next } of changes) {
      const params = changed['params'] as Record<string, unknown> | undefined
      const meta = params?.['_meta'] as Record<string, unknown> | undefined
      const target = at === 'body' ? changed : at === 'params' ? params : meta
      if (typeof target !== 'object' || target === null) continue
      Object.defineProperty(target, member, { value: next, enumerable: true, configurable: true })
    }
    return JSON.parse(JSON.stringify(changed)) as Members
  }

  it('is understood as what it says, or refused; never thrown at', () => {
    const cell = fc.constantFrom(...understood.filter(([, body]) => typeof body !== 'string'))
    const changes = fc.array(change, { maxLength: 2 })
    let count = 0
    const runs = propertyRuns(6_000)
    fc.assert(
      fc.property(cell, changes, changedHeaders, ([, original, given], mutations, replaced) => {
        const body = mutate(original as Members, mutations)
        const claimed = { ...given, ...replaced }
        const result = understand(parse(body), claimed)
        if (!result.ok) return
        count += 1
        const { method, id, era, ...rest } = result.value
        const params = (body['params'] ?? {}) as Members
        const meta = (params['_meta'] ?? {}) as Members
        expect([
          method,
          id,
          era,
          method === 'tools/call' && rest.kind === 'call' ? rest.entry : undefined,
        ]).toEqual([
          body['method'],
          body['id'] ?? null,
          Object.hasOwn(meta, VERSION) ? 'modern' : 'legacy',
          method === 'tools/call' ? params['name'] : undefined,
        ])
        expect(claimed.method?.trim() ?? method).toBe(method)
      }),
      runs,
    )
    // Neither all nor none: the property has something to say.
    expect(count / runs.numRuns).toBeGreaterThan(0.05)
    expect(count / runs.numRuns).toBeLessThan(0.95)
  })
})

interface Change {
  readonly place: string
  readonly name: string
  readonly value: unknown
}
