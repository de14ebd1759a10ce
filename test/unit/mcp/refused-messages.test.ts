// The cell sheet of `understand`: what is refused for its message, one row per reason.
import { describe, expect, it } from 'vitest'
import {
  CALL,
  CALL_HEADERS,
  MODERN,
  NONE,
  VERSION,
  refused,
  headers,
  modern,
  notification,
  request,
  type Cell,
} from './cells.ts'

const shape: readonly Cell[] = [
  [
    'real servers still run batches',
    [request('tools/call', CALL)],
    NONE,
    { id: null, reason: 'batch' },
  ],
  ['an empty batch', [], NONE, { id: null, reason: 'batch' }],
  ['not an object', 'null', NONE, { id: null, reason: 'malformed_message' }],
  [
    'a number is not an object',
    '12345678901234567890',
    NONE,
    { id: null, reason: 'malformed_message' },
  ],
  ['no jsonrpc', { id: 7, method: 'ping' }, NONE, { reason: 'malformed_message' }],
  [
    'jsonrpc as a number',
    { jsonrpc: 2, id: 7, method: 'ping' },
    NONE,
    { reason: 'malformed_message' },
  ],
  ['a response', { jsonrpc: '2.0', id: 7, result: {} }, NONE, { reason: 'response_unexpected' }],
  ['an error', { jsonrpc: '2.0', id: 7, error: {} }, NONE, { reason: 'response_unexpected' }],
  [
    'both a request and a response',
    request('ping', undefined, { result: {} }),
    NONE,
    { reason: 'malformed_message' },
  ],
  [
    'an unknown member',
    request('ping', undefined, { Method: 'x' }),
    NONE,
    { reason: 'malformed_message', detail: 'unknown member `Method`' },
  ],
  ['no method', { jsonrpc: '2.0', id: 7 }, NONE, { reason: 'malformed_message' }],
  ['an empty method', request(''), NONE, { reason: 'malformed_message' }],
  ['a control in the method', request('ping\u0000'), NONE, { reason: 'malformed_message' }],
  ['an endless method', request('x'.repeat(257)), NONE, { reason: 'malformed_message' }],
  ['positional params', request('ping', []), NONE, { reason: 'malformed_message' }],
  ['null params', request('ping', null), NONE, { reason: 'malformed_message' }],
  [
    'MCP forbids a null id',
    request('ping', undefined, { id: null }),
    NONE,
    { reason: 'malformed_message', id: null },
  ],
  [
    'a fraction as id',
    request('ping', undefined, { id: 1.5 }),
    NONE,
    { reason: 'malformed_message', id: null },
  ],
  [
    'an id that a double changes',
    '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
    NONE,
    { reason: 'malformed_message', id: null },
  ],
  [
    'an id that could be another',
    '{"jsonrpc":"2.0","id":9007199254740992,"method":"ping"}',
    NONE,
    { reason: 'malformed_message', id: null },
  ],
  [
    'an endless id',
    request('ping', undefined, { id: 'x'.repeat(257) }),
    NONE,
    { reason: 'malformed_message', id: null },
  ],
  [
    'a call that nobody hears the answer of',
    notification('tools/call', CALL),
    NONE,
    { reason: 'malformed_message', id: null },
  ],
  [
    'a notification that wants an answer',
    request('notifications/initialized'),
    NONE,
    { reason: 'malformed_message', id: 7 },
  ],
]

const methods: readonly Cell[] = [
  [
    'not handled',
    request('resources/write', { uri: 'x' }),
    NONE,
    { reason: 'method_unknown', method: 'resources/write' },
  ],
  [
    'subscriptions of one resource left the protocol',
    modern('resources/subscribe', { uri: 'x' }),
    headers(MODERN, 'resources/subscribe'),
    { reason: 'method_unknown', era: 'modern' },
  ],
  [
    'a modern handshake is a modern message',
    modern('initialize', { protocolVersion: MODERN }),
    headers(MODERN, 'initialize'),
    { reason: 'method_unknown', era: 'modern' },
  ],
  ['ping left the protocol', modern('ping'), headers(MODERN, 'ping'), { reason: 'method_unknown' }],
  [
    'discovery without an envelope',
    request('server/discover'),
    NONE,
    { reason: 'method_unknown', era: 'legacy' },
  ],
  [
    'initialized is legacy',
    notification('notifications/initialized', { _meta: { [VERSION]: MODERN } }),
    NONE,
    { id: null, reason: 'method_unknown' },
  ],
  [
    'an unknown notification',
    notification('notifications/x'),
    NONE,
    { reason: 'method_unknown', id: null },
  ],
  ['methods are exact', request('Tools/Call', CALL), NONE, { reason: 'method_unknown' }],
  ['methods are no properties', request('constructor'), NONE, { reason: 'method_unknown' }],
  ['methods are no properties', request('__proto__'), NONE, { reason: 'method_unknown' }],
]

const params: readonly Cell[] = [
  ['no params', request('tools/call'), NONE, { reason: 'params_invalid', id: 7 }],
  ['no name', request('tools/call', { arguments: {} }), NONE, { reason: 'params_invalid' }],
  [
    'a name that is no text',
    request('tools/call', { name: ['send'] }),
    NONE,
    { reason: 'params_invalid' },
  ],
  ['an empty name', request('tools/call', { name: '' }), NONE, { reason: 'params_invalid' }],
  [
    'a control in the name',
    request('tools/call', { name: 'send\n' }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'an endless name',
    request('tools/call', { name: 'x'.repeat(257) }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'positional arguments',
    request('tools/call', { ...CALL, arguments: [] }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'null arguments',
    request('tools/call', { ...CALL, arguments: null }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'text as arguments',
    request('tools/call', { ...CALL, arguments: '{}' }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'a wish for a task has no more to it than how long',
    request('tools/call', { ...CALL, task: { owner: 'x' } }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'answers are an object, by their keys',
    modern('tools/call', { ...CALL, inputResponses: [] }),
    CALL_HEADERS,
    { reason: 'params_invalid' },
  ],
  [
    'a state is text',
    modern('tools/call', { ...CALL, requestState: {} }),
    CALL_HEADERS,
    { reason: 'params_invalid' },
  ],
  [
    'a near miss',
    request('tools/call', { ...CALL, Name: 'read' }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'a cursor that is no text',
    request('tools/list', { cursor: 1 }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'a handshake without a version',
    request('initialize', { capabilities: {} }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'capabilities as a list',
    request('initialize', { protocolVersion: '2025-11-25', capabilities: [] }),
    NONE,
    { reason: 'params_invalid' },
  ],
  ['params where there are none', request('ping', { x: 1 }), NONE, { reason: 'params_invalid' }],
  [
    'a cancel of nothing',
    notification('notifications/cancelled'),
    NONE,
    { id: null, reason: 'params_invalid' },
  ],
  [
    'a cancel of an object',
    notification('notifications/cancelled', { requestId: {} }),
    NONE,
    { id: null, reason: 'params_invalid' },
  ],
]

describe('refused for its message', () => {
  it.each([...shape, ...methods, ...params])('%s', (...cell) => {
    const { actual, expected } = refused(cell)
    expect(actual).toMatchObject(expected)
  })
})
