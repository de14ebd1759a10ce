import type { Rejection, SheetOf } from './rejection.ts'

const badHeader = (what: string, ask: Rejection['ask']): Rejection => ({
  what,
  ask: { era: 'modern', ...ask },
  status: 400,
  rpc: -32020,
  code: 'header_mismatch',
})

const noSuchMethod = (what: string, ask: Rejection['ask']): Rejection => ({
  what,
  ask,
  status: ask.era === 'modern' ? 404 : 200,
  rpc: -32601,
  code: 'method_unknown',
})

const badParams = (what: string, ask: Rejection['ask']): Rejection => ({
  what,
  ask,
  status: 200,
  rpc: -32602,
  code: 'params_invalid',
})

export const UNDERSTAND: SheetOf<'understand'> = {
  batch: [
    {
      what: 'a batch of one',
      ask: { body: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]' },
      status: 400,
      rpc: -32600,
      code: 'batch',
    },
    {
      what: 'a batch, as 2025-03-26 had them',
      ask: {
        headers: { 'mcp-protocol-version': '2025-03-26' },
        body: '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"}]',
      },
      status: 400,
      rpc: -32600,
      code: 'batch',
    },
  ],
  malformed_message: [
    {
      what: 'JSON that is no message',
      ask: { body: '{"hello":1}' },
      status: 400,
      rpc: -32600,
      code: 'malformed_message',
    },
    {
      what: 'a request whose id is null',
      ask: { body: '{"jsonrpc":"2.0","id":null,"method":"ping"}' },
      status: 400,
      rpc: -32600,
      code: 'malformed_message',
    },
  ],
  response_unexpected: [
    {
      what: 'a response to a request that has no such id',
      ask: { body: '{"jsonrpc":"2.0","id":1,"result":{}}' },
      status: 400,
      rpc: -32600,
      code: 'response_unexpected',
    },
    {
      what: 'a response, modern',
      ask: {
        headers: { 'mcp-protocol-version': '2026-07-28' },
        body: '{"jsonrpc":"2.0","id":1,"result":{}}',
      },
      status: 400,
      rpc: -32600,
      code: 'response_unexpected',
    },
  ],
  header_mismatch: [
    badHeader('Mcp-Method names another method', { headers: { 'mcp-method': 'tools/list' } }),
    badHeader('Mcp-Method spelled in capitals', { headers: { 'mcp-method': 'TOOLS/CALL' } }),
    badHeader('no Mcp-Method', { headers: { 'mcp-method': '' } }),
    badHeader('Mcp-Name names another tool', { headers: { 'mcp-name': 'other' } }),
    badHeader('no Mcp-Name', { headers: { 'mcp-name': '' } }),
    badHeader('Mcp-Name in broken base64', { headers: { 'mcp-name': '=?base64?bm90ZQ?=' } }),
    badHeader('another version in the header than in the body', {
      headers: { 'mcp-protocol-version': '2025-11-25' },
    }),
    badHeader('no version header', { headers: { 'mcp-protocol-version': '' } }),
    {
      ...badHeader('a false Mcp-Name on a legacy call', { headers: { 'mcp-name': 'other' } }),
      ask: { headers: { 'mcp-name': 'other' } },
    },
  ],
  version_unsupported: [
    {
      what: 'a version that nobody has made',
      ask: { headers: { 'mcp-protocol-version': '1999-01-01' } },
      status: 400,
      rpc: -32022,
      code: 'version_unsupported',
    },
    {
      what: 'the same, modern',
      ask: {
        era: 'modern',
        headers: { 'mcp-protocol-version': '2099-01-01' },
        meta: { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' },
      },
      status: 400,
      rpc: -32022,
      code: 'version_unsupported',
    },
  ],
  envelope_incomplete: [
    {
      what: 'a modern version header without the version in the body',
      ask: {
        era: 'modern',
        meta: { 'io.modelcontextprotocol/protocolVersion': undefined },
      },
      status: 400,
      rpc: -32602,
      code: 'envelope_incomplete',
    },
    {
      what: 'no capabilities of the client',
      ask: {
        era: 'modern',
        meta: { 'io.modelcontextprotocol/clientCapabilities': undefined },
      },
      status: 400,
      rpc: -32602,
      code: 'envelope_incomplete',
    },
  ],
  method_unknown: [
    noSuchMethod('a method that MCP does not have', { method: 'resources/write', params: {} }),
    noSuchMethod('a method of another spelling', { method: 'Tools/Call' }),
    noSuchMethod('the same, modern', { era: 'modern', method: 'resources/write', params: {} }),
    ...['initialize', 'ping', 'logging/setLevel', 'resources/subscribe'].map((method) =>
      noSuchMethod(`${method}, modern`, { era: 'modern', method, params: {} }),
    ),
    noSuchMethod('server/discover, legacy', { method: 'server/discover', params: {} }),
  ],
  params_invalid: [
    badParams('a name that is no text', { params: { name: 7 } }),
    badParams('a call without a name', { params: { arguments: {} } }),
    badParams('arguments that are no object', { params: { name: 'note', arguments: [] } }),
    badParams('a tool whose name is that of a resource', {
      params: { name: 'resource:file:///etc/passwd', arguments: {} },
    }),
    badParams('a resource without its address', { method: 'resources/read', params: {} }),
  ],
  capability_missing: [
    {
      what: 'tasks, to a client that did not declare them',
      ask: { era: 'modern', method: 'tasks/get', params: { taskId: 't' } },
      status: 400,
      rpc: -32021,
      code: 'capability_missing',
    },
  ],
}
