// Pure. What touches one entry of the catalogue.
import { promptEntry, resourceEntry, toolEntry } from '../catalogue.ts'
import { isName } from '../names.ts'
import { membersNamed } from '../pointer.ts'
import type { Call, Resumed } from '../operation.ts'
import { ok, type Result } from '../../result.ts'
import { isJsonObject, type JsonObject } from '../value.ts'
import {
  BOTH,
  EMPTY,
  invalid,
  isText,
  LEGACY,
  type Base,
  type ParamsInvalid,
  type Rows,
} from './row.ts'

/** Where a server may answer with a question (2026-07-28, basic/patterns/mrtr). */
const RESUMABLE = ['inputResponses', 'requestState']

export const CALLS: Rows<Call['method']> = {
  'tools/call': {
    eras: BOTH,
    kind: 'request',
    // `task` is a wish for a task (2025-11-25, basic/utilities/tasks): it is decided as the same call.
    // In the modern era nobody reads it, and servers must ignore it.
    params: ['name', 'arguments', 'task'],
    modernParams: RESUMABLE,
    nameParam: 'name',
    needs: null,
    decided: 'as the tool, with its arguments',
    read: ({ params, base }) => {
      const { name, arguments: given = EMPTY, task = EMPTY } = params
      if (!isName(name)) return invalid('`name` must be a short text without control characters')
      const entry = toolEntry(name)
      // INVARIANT: a tool cannot pass for a resource, a prompt or a client by its name.
      if (entry === null) return invalid('no such tool')
      if (!isJsonObject(given)) return invalid('`arguments` must be an object')
      if (base.era === 'legacy' && !isTaskWish(task)) {
        return invalid('`task` must be an object that holds a `ttl` at most')
      }
      return callOf('tools/call', base, entry, given, params)
    },
  },

  'resources/read': {
    eras: BOTH,
    kind: 'request',
    params: ['uri'],
    modernParams: RESUMABLE,
    nameParam: 'uri',
    needs: null,
    decided: 'as `resource:<uri>`, with the uri as its argument',
    read: ({ params, base }) => resourceCall('resources/read', params, base),
  },

  'resources/subscribe': {
    eras: LEGACY,
    kind: 'request',
    params: ['uri'],
    nameParam: null,
    needs: null,
    decided: 'as `resource:<uri>`, like reading it',
    read: ({ params, base }) => resourceCall('resources/subscribe', params, base),
  },

  'resources/unsubscribe': {
    eras: LEGACY,
    kind: 'request',
    params: ['uri'],
    nameParam: null,
    needs: null,
    decided: 'as `resource:<uri>`, like reading it',
    read: ({ params, base }) => resourceCall('resources/unsubscribe', params, base),
  },

  'resources/directory/read': {
    // With `skills/get` an extension (SEP-2640).
    eras: BOTH,
    kind: 'request',
    params: ['uri', 'cursor'],
    nameParam: null,
    needs: null,
    decided:
      'as `resource:<uri>`, with the uri as its argument; what it lists is shown if it could be allowed',
    read: ({ params, base }) =>
      'cursor' in params && typeof params['cursor'] !== 'string'
        ? invalid('`cursor` must be text')
        : resourceCall('resources/directory/read', params, base),
  },

  'skills/get': {
    eras: BOTH,
    kind: 'request',
    params: ['uri'],
    nameParam: null,
    needs: null,
    decided: 'as `resource:<uri>`, with the uri as its argument',
    read: ({ params, base }) => resourceCall('skills/get', params, base),
  },

  'prompts/get': {
    eras: BOTH,
    kind: 'request',
    params: ['name', 'arguments'],
    modernParams: RESUMABLE,
    nameParam: 'name',
    needs: null,
    decided: 'as `prompt:<name>`, with its arguments',
    read: ({ params, base }) => {
      const { name, arguments: given = EMPTY } = params
      if (!isName(name)) return invalid('`name` must be a short text without control characters')
      if (!isJsonObject(given)) return invalid('`arguments` must be an object')
      return callOf('prompts/get', base, promptEntry(name), given, params)
    },
  },

  'completion/complete': {
    eras: BOTH,
    kind: 'request',
    params: ['ref', 'argument', 'context'],
    nameParam: null,
    needs: null,
    decided: 'as the prompt or resource template of its `ref`, with what is completed as arguments',
    read: ({ params, base }) => {
      const entry = referred(params)
      if (entry === null) return invalid('`ref` must name one prompt or one resource template')
      const given = completed(params)
      return given === null
        ? invalid(
            '`argument` must have a `name` and a `value`, and `context` only other `arguments`',
          )
        : callOf('completion/complete', base, entry, given.all, EMPTY, given.name)
    },
  },
}

function resourceCall<M extends Call['method']>(method: M, params: JsonObject, base: Base) {
  const { uri } = params
  return isText(uri)
    ? callOf(method, base, resourceEntry(uri), { uri }, params)
    : invalid('`uri` must be a text without control characters')
}

function callOf<M extends Call['method']>(
  method: M,
  base: Base,
  entry: string,
  given: JsonObject,
  params: JsonObject,
  completes: string | null = null,
): Result<Call & { readonly method: M }, ParamsInvalid> {
  const resumed = resumedBy(params)
  return resumed === undefined
    ? invalid('`requestState` must be text and `inputResponses` an object of a few answers')
    : ok({ kind: 'call', method, entry, arguments: given, resumed, completes, ...base })
}

/** Each answer is decided on its own, so they have an end. */
export const MAX_INPUTS = 16

/** undefined: malformed. */
function resumedBy({
  requestState = null,
  inputResponses = null,
}: JsonObject): Resumed | null | undefined {
  if (requestState === null && inputResponses === null) return null
  if (requestState !== null && typeof requestState !== 'string') return undefined
  if (inputResponses !== null && !areInputs(inputResponses)) return undefined
  return { requestState, inputResponses: inputResponses ?? EMPTY }
}

export const areInputs = (inputs: unknown): inputs is JsonObject =>
  isJsonObject(inputs as JsonObject) &&
  Object.keys(inputs as JsonObject).length <= MAX_INPUTS &&
  Object.keys(inputs as JsonObject).every(isName)

const isTaskWish = (task: unknown): boolean =>
  isJsonObject(task as JsonObject) &&
  Object.entries(task as JsonObject).every(
    ([name, value]) => name === 'ttl' && (value === null || typeof value === 'number'),
  )

/** INVARIANT: a reference is of one kind, and has no member that another reader could go by. */
function referred({ ref }: JsonObject): string | null {
  if (!isJsonObject(ref)) return null
  const members = Object.keys(ref)
  const has = (...known: string[]): boolean => members.every((member) => known.includes(member))
  const { type, name, title = '', uri } = ref
  if (type === 'ref/prompt') {
    return isName(name) && typeof title === 'string' && has('type', 'name', 'title')
      ? promptEntry(name)
      : null
  }
  return type === 'ref/resource' && isText(uri) && has('type', 'uri') ? resourceEntry(uri) : null
}

/**
 * The argument with what was filled in before it.
 *
 * INVARIANT: no argument is there twice: what is decided is what any server goes by.
 */
function completed({
  argument,
  context = EMPTY,
}: JsonObject): { readonly name: string; readonly all: JsonObject } | null {
  if (!isJsonObject(argument) || !isJsonObject(context)) return null
  const { name, value } = argument
  const { arguments: before = EMPTY } = context
  const known =
    Object.keys(argument).every((member) => member === 'name' || member === 'value') &&
    Object.keys(context).every((member) => member === 'arguments')
  if (!known || !isName(name) || typeof value !== 'string' || !isJsonObject(before)) return null
  if (membersNamed(before, name).length > 0) return null
  return { name, all: Object.assign(Object.create(null) as JsonObject, before, { [name]: value }) }
}
