import { describe, expect, it } from 'vitest'
import type { Operation } from '../../../src/mcp/operation.ts'
import { bringsOutput, contentOf, kindOfResult } from '../../../src/mcp/outcome.ts'
import { understand } from '../../../src/mcp/understand.ts'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'
import {
  CAPABILITIES,
  MODERN,
  NONE,
  headers,
  modern,
  parse,
  request,
  type Members,
} from './cells.ts'

const TASKS = { [CAPABILITIES]: { extensions: { 'io.modelcontextprotocol/tasks': {} } } }

function operation(method: string, params: Members, era: 'legacy' | 'modern'): Operation {
  const name = params['name'] ?? params['uri'] ?? params['taskId']
  const understood =
    era === 'legacy'
      ? understand(parse(request(method, params)), NONE)
      : understand(
          parse(modern(method, params, TASKS)),
          headers(MODERN, method, typeof name === 'string' ? name : undefined),
        )
  if (!understood.ok) throw new Error(understood.error.refusal.reason)
  return understood.value
}

function object(value: unknown): JsonObject {
  const read = parse(value)
  if (!isJsonObject(read)) throw new Error('an object was expected')
  return read
}

const FORM = { method: 'elicitation/create', params: { message: 'm' } }
const CALL = operation('tools/call', { name: 't' }, 'modern')
const LEGACY_CALL = operation('tools/call', { name: 't' }, 'legacy')
const READ = operation('resources/read', { uri: 'a:b' }, 'modern')
const LIST = operation('tools/list', {}, 'modern')
const GET = operation('tasks/get', { taskId: '1' }, 'modern')

describe('a result', () => {
  it.each([
    ['an older server says nothing of its kind', CALL, {}, 'complete'],
    ['complete', CALL, { resultType: 'complete' }, 'complete'],
    ['of an unknown kind', CALL, { resultType: 'other' }, 'malformed'],
    ['of no kind', CALL, { resultType: null }, 'complete'],
    ['a question', CALL, { resultType: 'input_required', inputRequests: { k: FORM } }, 'asks'],
    ['a state alone', READ, { resultType: 'input_required', requestState: 's' }, 'asks'],
    ['a question about nothing', CALL, { resultType: 'input_required' }, 'malformed'],
    ['to a listing', LIST, { resultType: 'input_required', requestState: 's' }, 'malformed'],
    ['unasked', CALL, { inputRequests: { k: FORM } }, 'malformed'],
    ['with a state', CALL, { resultType: 'complete', requestState: 's' }, 'malformed'],
    [
      'a state that is no text',
      CALL,
      { resultType: 'input_required', requestState: 1 },
      'malformed',
    ],
    [
      'a question of another kind',
      CALL,
      { resultType: 'input_required', inputRequests: { k: { method: 'ping' } } },
      'malformed',
    ],
    ['a task', CALL, { resultType: 'task', taskId: '1' }, 'task'],
    ['a task without a name', CALL, { resultType: 'task', taskId: '' }, 'malformed'],
    ['a task of a resource', READ, { resultType: 'task', taskId: '1' }, 'malformed'],
    ['a legacy task', LEGACY_CALL, { task: { taskId: '1' } }, 'task'],
    ['a modern task', LEGACY_CALL, { resultType: 'task', taskId: '1' }, 'malformed'],
    ['a modern question', LEGACY_CALL, { inputRequests: {} }, 'malformed'],
    ['what a task asks', GET, { resultType: 'complete', inputRequests: { k: FORM } }, 'asks'],
    ['a status', GET, { resultType: 'complete', status: 'working' }, 'complete'],
  ] as const)('%s', (_, of, result, kind) => {
    expect(kindOfResult(of, object(result)).kind).toBe(kind)
  })
})

describe('the output of a task', () => {
  it('is read as what the tool says, and what stands beside it too', () => {
    const result = object({ status: 'completed', result: { content: [] }, statusMessage: 'm' })
    expect(contentOf(GET, result)).toEqual({
      content: [],
      _task: { status: 'completed', statusMessage: 'm' },
    })
    expect(contentOf(CALL, result)).toBe(result)
  })

  it.each([
    [GET, { status: 'working' }, false],
    [GET, { result: {} }, true],
    [GET, { error: {} }, true],
    [CALL, { result: {} }, false],
    [operation('tasks/result', { taskId: '1' }, 'legacy'), {}, true],
  ])('is there or not, of %o: %o', (of, result, brings) => {
    expect(bringsOutput(of, object(result))).toBe(brings)
  })
})
