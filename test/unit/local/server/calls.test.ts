import { beforeEach, expect, test } from 'vitest'
import { recordCalls, recordedCalls, resetCalls } from '../../../../local/server/calls.ts'

const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'hello' } },
}

beforeEach(resetCalls)

function record(body: string, headers: Record<string, string> = {}) {
  return recordCalls(new Request('http://server/mcp', { method: 'POST', headers }), body)
}

test('a call is recorded with its tool, its arguments and its headers', () => {
  record(JSON.stringify(CALL), { 'X-Request': 'r1' })
  expect(recordedCalls()).toMatchObject({
    total: 1,
    calls: [
      {
        http: 'POST',
        method: 'tools/call',
        tool: 'echo',
        arguments: { text: 'hello' },
        headers: { 'x-request': 'r1', authorization: false, cookie: false },
        cancelled: false,
      },
    ],
  })
})

test('of credentials only their presence is kept', () => {
  record(JSON.stringify(CALL), { authorization: 'Bearer very-secret' })
  expect(recordedCalls().calls[0]?.headers).toMatchObject({ authorization: true })
  expect(JSON.stringify(recordedCalls())).not.toContain('very-secret')
})

test('a batch is recorded message by message, and what is no message as well', () => {
  record(JSON.stringify([CALL, CALL]))
  record('{')
  expect(recordedCalls().calls.map(({ method }) => method)).toEqual([
    'tools/call',
    'tools/call',
    null,
  ])
})

test('memory is bounded and the total is not', () => {
  for (let sent = 0; sent < 45_000; sent += 1) record('')
  expect(recordedCalls().total).toBe(45_000)
  expect(recordedCalls().calls).toHaveLength(20_000)
})
