import type { SheetOf } from './rejection.ts'

const MEBIBYTE = 1024 * 1024

export const RECEIVE: SheetOf<'receive'> = {
  host_not_allowed: [
    {
      what: 'a foreign Host',
      ask: { origin: 'http://evil.example' },
      status: 403,
      rpc: -32600,
      code: 'host_not_allowed',
    },
  ],
  origin_not_allowed: [
    {
      what: 'a foreign Origin',
      ask: { headers: { origin: 'https://evil.example' } },
      status: 403,
      rpc: -32600,
      code: 'origin_not_allowed',
    },
    {
      what: 'the Origin of a sandboxed page',
      ask: { headers: { origin: 'null' } },
      status: 403,
      rpc: -32600,
      code: 'origin_not_allowed',
    },
  ],
  server_unknown: [
    {
      what: 'a server that is nobody’s',
      ask: { server: 'nobody' },
      status: 404,
      rpc: 40401,
      code: 'server_unknown',
    },
  ],
  method_not_allowed: [
    {
      what: 'PUT',
      ask: { verb: 'PUT' },
      status: 405,
      rpc: -32600,
      code: 'method_not_allowed',
    },
  ],
  media_type_unsupported: [
    {
      what: 'a body of another media type',
      ask: { headers: { 'content-type': 'text/plain' } },
      status: 415,
      rpc: -32600,
      code: 'media_type_unsupported',
    },
    {
      what: 'a charset that JSON does not have',
      ask: { headers: { 'content-type': 'application/json; charset=utf-16' } },
      status: 415,
      rpc: -32600,
      code: 'media_type_unsupported',
    },
  ],
  encoding_unsupported: [
    {
      what: 'a compressed body',
      ask: { headers: { 'content-encoding': 'gzip' } },
      status: 415,
      rpc: -32600,
      code: 'encoding_unsupported',
    },
  ],
  not_acceptable: [
    {
      what: 'an Accept without JSON',
      ask: { headers: { accept: 'text/html' } },
      status: 406,
      rpc: -32600,
      code: 'not_acceptable',
    },
  ],
  body_too_large: [
    {
      what: 'more than 4 MiB',
      ask: { body: `"${'x'.repeat(4 * MEBIBYTE)}"` },
      status: 413,
      rpc: -32600,
      code: 'body_too_large',
    },
  ],
  malformed_json: [
    {
      what: 'half a message',
      ask: { body: '{"jsonrpc":' },
      status: 400,
      rpc: -32700,
      code: 'malformed_json',
    },
    { what: 'no body', ask: { body: '' }, status: 400, rpc: -32700, code: 'malformed_json' },
    {
      what: 'bytes that are not UTF-8',
      ask: { body: [0x22, 0xff, 0x22] },
      status: 400,
      rpc: -32700,
      code: 'malformed_json',
    },
    {
      what: 'a member twice',
      ask: { body: '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}' },
      status: 400,
      rpc: -32700,
      code: 'malformed_json',
    },
    {
      what: 'a member twice, spelled apart',
      ask: { body: '{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"x"}' },
      status: 400,
      rpc: -32700,
      code: 'malformed_json',
    },
  ],
}
