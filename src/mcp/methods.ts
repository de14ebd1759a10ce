// Pure. Every method that is handled, one row each. Absence is denial: what has no row, or no row in
// its era, is refused as unknown and never forwarded.
import { err, ok, type Result } from '../result.ts'
import type { Claim } from './era.ts'
import type { Message } from './message.ts'
import { isName } from './names.ts'
import type { Method, Operation, ProtocolStep } from './operation.ts'
import { quote } from './quote.ts'
import type { Era, MessageRefusal } from './refusal.ts'
import { isJsonObject, type JsonObject } from './value.ts'

type ParamsInvalid = Extract<MessageRefusal, { reason: 'params_invalid' }>

/** A message of a known method in a known era, with params that hold only known members. */
interface Known {
  readonly message: Message
  readonly claim: Claim
  readonly params: JsonObject
}

interface MethodRow<M extends Method> {
  readonly eras: readonly Era[]
  readonly kind: Message['kind']
  /** All members that `params` may have, besides `_meta`. */
  readonly params: readonly string[]
  /** The member of `params` that the header Mcp-Name copies. */
  readonly nameParam: string | null
  readonly read: (known: Known) => Result<Operation & { readonly method: M }, ParamsInvalid>
}

const BOTH: readonly Era[] = ['legacy', 'modern']
const EMPTY: JsonObject = Object.freeze(Object.create(null))

/** Adding a member to `Operation['method']` without a row here does not compile. */
export const METHODS: { readonly [M in Method]: MethodRow<M> } = {
  'tools/call': {
    eras: BOTH,
    kind: 'request',
    // Not `task`, `inputResponses`, `requestState`: they change what a call is, unseen by a policy.
    params: ['name', 'arguments'],
    nameParam: 'name',
    read: ({ message, claim, params }) => {
      const { name, arguments: given = EMPTY } = params
      if (!isName(name)) return invalid('`name` must be a short text without control characters')
      if (!isJsonObject(given)) return invalid('`arguments` must be an object')
      const { id } = message
      return ok({
        kind: 'tool_call',
        method: 'tools/call',
        tool: name,
        arguments: given,
        progressToken: progressTokenOf(params),
        id,
        ...claim,
      })
    },
  },

  'tools/list': {
    eras: BOTH,
    kind: 'request',
    params: ['cursor'],
    nameParam: null,
    read: ({ message, claim, params }) =>
      'cursor' in params && typeof params['cursor'] !== 'string'
        ? invalid('`cursor` must be text')
        : ok({ kind: 'listing', method: 'tools/list', id: message.id, ...claim }),
  },

  initialize: {
    // With a modern envelope it is a modern message, and no modern method (basic/versioning).
    eras: ['legacy'],
    kind: 'request',
    params: ['protocolVersion', 'capabilities', 'clientInfo'],
    nameParam: null,
    read: ({ message, claim, params }) => {
      const { protocolVersion, capabilities = EMPTY, clientInfo = EMPTY } = params
      if (!isName(protocolVersion)) return invalid('`protocolVersion` must be text')
      if (!isJsonObject(capabilities)) return invalid('`capabilities` must be an object')
      if (!isJsonObject(clientInfo)) return invalid('`clientInfo` must be an object')
      return ok(step('initialize', message, { ...claim, version: protocolVersion }))
    },
  },

  ping: {
    eras: ['legacy'],
    kind: 'request',
    params: [],
    nameParam: null,
    read: ({ message, claim }) => ok(step('ping', message, claim)),
  },

  'server/discover': {
    eras: ['modern'],
    kind: 'request',
    params: [],
    nameParam: null,
    read: ({ message, claim }) => ok(step('server/discover', message, claim)),
  },

  'notifications/initialized': {
    eras: ['legacy'],
    kind: 'notification',
    params: [],
    nameParam: null,
    read: ({ message, claim }) => ok(step('notifications/initialized', message, claim)),
  },

  'notifications/cancelled': {
    // Over modern HTTP closing the stream is the cancel, but SDK v2 clients send this as well.
    eras: BOTH,
    kind: 'notification',
    params: ['requestId', 'reason'],
    nameParam: null,
    read: ({ message, claim, params }) => {
      const { requestId, reason = '' } = params
      if (typeof requestId !== 'string' && !Number.isSafeInteger(requestId)) {
        return invalid('`requestId` must be text or an integer')
      }
      if (typeof reason !== 'string') return invalid('`reason` must be text')
      return ok(step('notifications/cancelled', message, claim))
    },
  },
}

export const isMethod = (method: string): method is Method => Object.hasOwn(METHODS, method)

/** What the header Mcp-Name must say; null where it must say nothing. */
export function nameOf(method: Method, message: Message): string | null {
  const { nameParam } = METHODS[method]
  const name = nameParam === null ? undefined : message.params?.[nameParam]
  return typeof name === 'string' ? name : null
}

/** The operation that a message of this method asks for, if its params are exactly as known. */
export function readOperation(
  method: Method,
  message: Message,
  claim: Claim,
): Result<Operation, ParamsInvalid> {
  const row = METHODS[method]
  const params = message.params ?? EMPTY
  const unknown = Object.keys(params).find(
    (member) => member !== '_meta' && !row.params.includes(member),
  )
  if (unknown !== undefined) return invalid(`unknown member ${quote(unknown)}`)
  return row.read({ message, claim, params })
}

const step = <M extends ProtocolStep['method']>(method: M, { id }: Message, claim: Claim) =>
  ({ kind: 'protocol', method, id, ...claim }) as const

const invalid = (detail: string) =>
  err({ at: 'understand', reason: 'params_invalid', detail } as const)

function progressTokenOf({ _meta: meta }: JsonObject): string | number | null {
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined
  return typeof token === 'string' || typeof token === 'number' ? token : null
}
