// The cell sheet of `understand`: what is refused for its era, its envelope or its headers.
import { describe, expect, it } from 'vitest'
import {
  CALL,
  CALL_HEADERS,
  CAPABILITIES,
  LIST_HEADERS,
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

const era: readonly Cell[] = [
  [
    'a modern header, a legacy body',
    request('tools/call', CALL),
    CALL_HEADERS,
    { reason: 'envelope_incomplete', missing: VERSION, era: 'modern' },
  ],
  [
    'a modern header, an empty _meta',
    request('tools/list', { _meta: {} }),
    LIST_HEADERS,
    { reason: 'envelope_incomplete', missing: VERSION },
  ],
  [
    'a modern header, a legacy notification',
    notification('notifications/initialized'),
    headers(MODERN),
    { id: null, reason: 'envelope_incomplete' },
  ],
  [
    'a modern header, a legacy handshake',
    request('initialize', { protocolVersion: '2025-11-25' }),
    headers(MODERN),
    { reason: 'header_mismatch', header: 'MCP-Protocol-Version' },
  ],
  [
    'a modern body, a legacy header',
    modern('tools/call', CALL),
    headers('2025-11-25', 'tools/call', 'send'),
    { reason: 'header_mismatch', header: 'MCP-Protocol-Version', era: 'modern' },
  ],
  [
    'a repeated header',
    modern('tools/list'),
    headers(`${MODERN}, ${MODERN}`, 'tools/list'),
    { reason: 'header_mismatch' },
  ],
  [
    'a version of tomorrow',
    modern('tools/list', {}, { [VERSION]: '2027-01-01' }),
    headers('2027-01-01', 'tools/list'),
    { reason: 'version_unsupported', requested: '2027-01-01', supported: [MODERN], era: 'modern' },
  ],
  [
    'the same without a header',
    modern('tools/list', {}, { [VERSION]: '2027-01-01' }),
    NONE,
    { reason: 'version_unsupported' },
  ],
  [
    'a legacy version in _meta',
    modern('tools/list', {}, { [VERSION]: '2025-11-25' }),
    headers('2025-11-25'),
    { reason: 'version_unsupported', era: 'modern' },
  ],
  [
    'a version that is no text',
    modern('tools/list', {}, { [VERSION]: 20260728 }),
    LIST_HEADERS,
    { reason: 'envelope_incomplete', missing: VERSION, era: 'modern' },
  ],
  [
    'no capabilities',
    request('tools/list', { _meta: { [VERSION]: MODERN } }),
    LIST_HEADERS,
    { reason: 'envelope_incomplete', missing: CAPABILITIES },
  ],
  [
    'capabilities that are no object',
    modern('tools/list', {}, { [CAPABILITIES]: [] }),
    LIST_HEADERS,
    { reason: 'envelope_incomplete', missing: CAPABILITIES },
  ],
  [
    'the envelope comes before the headers',
    request('tools/list', { _meta: { [VERSION]: MODERN } }),
    NONE,
    { reason: 'envelope_incomplete' },
  ],
  [
    '_meta that is no object',
    request('tools/list', { _meta: [] }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'a legacy version too old',
    request('tools/list'),
    headers('2024-11-05'),
    {
      reason: 'version_unsupported',
      supported: ['2025-11-25', '2025-06-18', '2025-03-26'],
      era: 'legacy',
    },
  ],
  [
    'an empty version header',
    request('tools/list'),
    headers(''),
    { reason: 'version_unsupported' },
  ],
  [
    'a legacy header twice',
    request('tools/list'),
    headers('2025-06-18, 2025-06-18'),
    { reason: 'version_unsupported' },
  ],
]

const copies: readonly Cell[] = [
  [
    'modern: no version header',
    modern('tools/call', CALL),
    headers(undefined, 'tools/call', 'send'),
    { reason: 'header_mismatch', header: 'MCP-Protocol-Version', detail: 'missing' },
  ],
  [
    'modern: no Mcp-Method',
    modern('tools/call', CALL),
    headers(MODERN, undefined, 'send'),
    { reason: 'header_mismatch', header: 'Mcp-Method' },
  ],
  [
    'modern: no Mcp-Name',
    modern('tools/call', CALL),
    headers(MODERN, 'tools/call'),
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'another method',
    modern('tools/call', CALL),
    headers(MODERN, 'tools/list', 'send'),
    { reason: 'header_mismatch', header: 'Mcp-Method' },
  ],
  [
    'methods are case-sensitive',
    modern('tools/call', CALL),
    headers(MODERN, 'Tools/Call', 'send'),
    { reason: 'header_mismatch', header: 'Mcp-Method' },
  ],
  [
    'another tool',
    modern('tools/call', CALL),
    headers(MODERN, 'tools/call', 'read'),
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'a name twice',
    modern('tools/call', CALL),
    headers(MODERN, 'tools/call', 'send, send'),
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'an encoding with two readings',
    modern('tools/call', { name: 'a' }),
    headers(MODERN, 'tools/call', '=?base64?YR==?='),
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'a name where there is none to copy',
    modern('tools/list'),
    headers(MODERN, 'tools/list', 'send'),
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'a name for a call without one',
    modern('tools/call'),
    CALL_HEADERS,
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'legacy: a false method would fool who reads it',
    request('tools/call', CALL),
    headers('2025-11-25', 'tools/list'),
    { reason: 'header_mismatch', header: 'Mcp-Method', era: 'legacy' },
  ],
  [
    'legacy: a false name too',
    request('tools/call', CALL),
    headers(undefined, undefined, 'read'),
    { reason: 'header_mismatch', header: 'Mcp-Name' },
  ],
  [
    'a modern notification with a false copy',
    notification('notifications/cancelled', { requestId: 1, _meta: { [VERSION]: MODERN } }),
    headers(MODERN, 'tools/call'),
    { id: null, reason: 'header_mismatch' },
  ],
  [
    'headers come before the method',
    modern('resources/read', { uri: 'x' }),
    headers(MODERN, 'tools/call', 'x'),
    { reason: 'header_mismatch' },
  ],
]

describe('refused for its claims', () => {
  it.each([...era, ...copies])('%s', (...cell) => {
    const { actual, expected } = refused(cell)
    expect(actual).toMatchObject(expected)
  })
})
