// Pure. What a result is: an answer, a question to the client in place of one
// (2026-07-28, basic/patterns/mrtr), or a task that will have the answer.
import {
  isServerRequest,
  SERVER_REQUESTS,
  type ServerRequestMethod,
} from './methods/server-requests.ts'
import { isText } from './methods/row.ts'
import { areInputs } from './methods/calls.ts'
import { isName } from './names.ts'
import type { Operation } from './operation.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'
import { TASKS_EXTENSION } from './versions.ts'

export type ResultKind =
  | { readonly kind: 'complete' }
  | {
      readonly kind: 'asks'
      readonly inputs: ReadonlyMap<string, ServerInput>
      /** The server's own; null: it has none. */
      readonly requestState: string | null
    }
  | { readonly kind: 'task'; readonly taskId: string }
  | { readonly kind: 'malformed'; readonly detail: string }

/** What a server asks of the client inside of a result. */
export interface ServerInput {
  readonly method: ServerRequestMethod
  readonly params: JsonObject
}

const COMPLETE: ResultKind = { kind: 'complete' }
const malformed = (detail: string): ResultKind => ({ kind: 'malformed', detail })

/** INVARIANT: a result of a kind that nobody asked for is none. */
export function kindOfResult(operation: Operation, result: JsonObject): ResultKind {
  if (Object.keys(result).some(isDisguised)) return malformed('a kind in other letters')
  if (operation.era === 'legacy') return legacyKind(operation, result)
  const type = result['resultType'] ?? 'complete'
  switch (typeof type === 'string' ? type : '') {
    case 'complete':
      if ('requestState' in result) return malformed('a complete result with a request state')
      // A task tells in its status what it asks for (extension tasks).
      if (operation.kind === 'task') return asked(result, false)
      return 'inputRequests' in result ? malformed('a complete result that asks') : COMPLETE
    case 'input_required':
      return mayAsk(operation) ? asked(result, true) : malformed('a question to another request')
    case 'task':
      return operation.method === 'tools/call' && knowsTasks(operation.capabilities)
        ? taskIn(result)
        : malformed('a task for a client that knows none')
    default:
      return malformed('a result of an unknown kind')
  }
}

const SAYS_KIND = ['resultType', 'inputRequests', 'requestState']
const IN_LOWER_CASE: ReadonlySet<string> = new Set(SAYS_KIND.map((name) => name.toLowerCase()))

/** Some clients do not tell `ResultType` from `resultType`, and would be asked what nobody looked at. */
const isDisguised = (name: string): boolean =>
  IN_LOWER_CASE.has(name.toLowerCase()) && !SAYS_KIND.includes(name)

function legacyKind(operation: Operation, result: JsonObject): ResultKind {
  const isModern =
    (result['resultType'] ?? 'complete') !== 'complete' ||
    'inputRequests' in result ||
    'requestState' in result
  if (isModern) return malformed('a result that asks the client for more')
  const { task } = result
  // 2025-11-25, basic/utilities/tasks: the result of a call that became one.
  return operation.method === 'tools/call' && isJsonObject(task) ? taskIn(task) : COMPLETE
}

const taskIn = ({ taskId }: JsonObject): ResultKind =>
  isText(taskId) ? { kind: 'task', taskId } : malformed('a task without a usable name')

const RESUMABLE: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

const mayAsk = ({ method }: Operation): boolean => RESUMABLE.has(method)

const knowsTasks = (capabilities: JsonObject | null): boolean => {
  const extensions = capabilities?.['extensions']
  return isJsonObject(extensions) && isJsonObject(extensions[TASKS_EXTENSION])
}

function asked(result: JsonObject, mustAsk: boolean): ResultKind {
  const { inputRequests, requestState = null } = result
  if (inputRequests === undefined && !mustAsk) return COMPLETE
  if (requestState !== null && typeof requestState !== 'string') return malformed('a request state')
  const inputs = inputsIn(inputRequests ?? {})
  if (inputs === null) return malformed('it asks for what is not known here')
  if (inputs.size === 0 && requestState === null) return malformed('it asks for nothing')
  return { kind: 'asks', inputs, requestState }
}

function inputsIn(requests: JsonValue): ReadonlyMap<string, ServerInput> | null {
  if (!areInputs(requests)) return null
  const inputs = new Map<string, ServerInput>()
  for (const [key, request] of Object.entries(requests)) {
    if (!isName(key) || !isJsonObject(request) || !isServerRequest(request['method'])) return null
    const { method, params = {} } = request
    if (!isJsonObject(params)) return null
    inputs.set(key, { method, params })
  }
  return inputs
}

/** INVARIANT: nothing is asked of a client that it did not say in this request that it can do. */
export const isDeclared = (
  capabilities: JsonObject | null,
  { method, params }: ServerInput,
): boolean => SERVER_REQUESTS[method].declared(capabilities ?? {}, params)

/**
 * What of a result is read as what a tool says. The output of a task lies one level down (extension
 * tasks); what stands beside it is read as well.
 */
export function contentOf(operation: Operation, result: JsonObject): JsonObject {
  const { result: output, ...beside } = result
  return operation.kind === 'task' && isJsonObject(output)
    ? Object.assign(Object.create(null) as JsonObject, output, { _task: beside })
    : result
}

/** Whether what a task came to is in it. */
export const bringsOutput = (operation: Operation, result: JsonObject): boolean =>
  operation.method === 'tasks/result' ||
  (operation.kind === 'task' && ('result' in result || 'error' in result))
