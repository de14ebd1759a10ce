import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/mcp/json.ts'
import { readResponse } from '../../../src/mcp/response.ts'

function read(text: string) {
  const parsed = readJson(text)
  if (!parsed.ok) throw new Error(parsed.error.detail)
  return readResponse(parsed.value)
}

describe('one message of an upstream', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":1,"result":{}}', { kind: 'response', outcome: 'result', id: 1 }],
    ['{"result":{},"id":"a","jsonrpc":"2.0"}', { kind: 'response', outcome: 'result', id: 'a' }],
    [
      '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":[]}}',
      { kind: 'response', outcome: 'error', id: 1 },
    ],
    [
      '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m"}}',
      { kind: 'response', outcome: 'error', id: null },
    ],
    [
      '{"jsonrpc":"2.0","error":{"code":-1,"message":"m"}}',
      { kind: 'response', outcome: 'error', id: null },
    ],
    [
      '{"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{}}',
      { kind: 'request', id: 0, method: 'sampling/createMessage' },
    ],
    [
      '{"jsonrpc":"2.0","method":"notifications/message","params":{"x":1}}',
      { kind: 'notification', method: 'notifications/message' },
    ],
    ['{"jsonrpc":"2.0","method":"m"}', { kind: 'notification', method: 'm', params: null }],
  ])('%s', (text, expected) => {
    expect(read(text)).toMatchObject(expected)
  })

  it.each([
    ['[]', 'a batch'],
    ['null', 'no object'],
    ['{"jsonrpc":"1.0","id":1,"result":{}}', 'another protocol'],
    [
      '{"jsonrpc":"2.0","id":1,"result":{},"error":null}',
      'both: readers differ in which they take',
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"m","result":{}}', 'an answer that is also a request'],
    ['{"jsonrpc":"2.0","id":1}', 'neither'],
    ['{"jsonrpc":"2.0","result":{}}', 'an answer to nothing'],
    ['{"jsonrpc":"2.0","id":null,"result":{}}', 'a result without an id'],
    ['{"jsonrpc":"2.0","id":1.5,"result":{}}', 'no integer'],
    ['{"jsonrpc":"2.0","id":9007199254740993,"result":{}}', 'an id that a double changes'],
    ['{"jsonrpc":"2.0","id":1,"result":[]}', 'MCP results are objects'],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":"m"}}', 'a code is an integer'],
    ['{"jsonrpc":"2.0","id":{},"error":{"code":1,"message":"m"}}', 'an id of another type'],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":[]}', 'positional params'],
    ['{"jsonrpc":"2.0","id":1,"method":""}', 'a method without a name'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"x":1}', 'a member that no client reads'],
  ])('%s is malformed: %s', (text, _why) => {
    expect(read(text)).toEqual({ kind: 'malformed' })
  })
})
