// Pure. What one row of the table of methods says, and what all rows are read with.
import { err, type Result } from '../../result.ts'
import type { Claim } from '../era.ts'
import type { Message } from '../message.ts'
import type { ClientOperation, Method } from '../operation.ts'
import type { Era, MessageRefusal } from '../refusal.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../value.ts'
import { META } from '../versions.ts'

export type ParamsInvalid = Extract<MessageRefusal, { reason: 'params_invalid' }>

/** A message of a known method in a known era, with params that hold only known members. */
export interface Known {
  readonly params: JsonObject
  /** What every operation carries. */
  readonly base: Base
}

export type Base = Pick<
  ClientOperation,
  'era' | 'version' | 'id' | 'progressToken' | 'capabilities'
>

export interface MethodRow<M extends Method> {
  readonly eras: readonly Era[]
  readonly kind: Message['kind']
  /** All members that `params` may have, besides `_meta`. */
  readonly params: readonly string[]
  /** More of them, in the modern era alone. */
  readonly modernParams?: readonly string[]
  /** The member of `params` that the header Mcp-Name copies. */
  readonly nameParam: string | null
  /** What a modern client must have declared in this request; null: nothing. */
  readonly needs: JsonObject | null
  /** How it is decided, or why it passes: one sentence for people (docs/protocol.md). */
  readonly decided: string
  readonly read: (known: Known) => Result<ClientOperation & { readonly method: M }, ParamsInvalid>
}

/** All methods of a kind of operation, one row each. */
export type Rows<M extends Method> = { readonly [N in M]: MethodRow<N> }

export const BOTH: readonly Era[] = ['legacy', 'modern']
export const LEGACY: readonly Era[] = ['legacy']
export const MODERN: readonly Era[] = ['modern']
export const EMPTY: JsonObject = Object.freeze(Object.create(null))

export const invalid = (detail: string) =>
  err({ at: 'understand', reason: 'params_invalid', detail } as const)

export function baseOf({ id }: Message, claim: Claim, params: JsonObject): Base {
  const meta = params['_meta']
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined
  const declared = isJsonObject(meta) ? meta[META.clientCapabilities] : undefined
  return {
    ...claim,
    id,
    progressToken: typeof token === 'string' || typeof token === 'number' ? token : null,
    capabilities: claim.era === 'modern' && isJsonObject(declared) ? declared : null,
  }
}

/** MCP puts no end to a URI or the id of a task; they are recorded and compared, so here they have one. */
const MAX_TEXT_LENGTH = 2_048

/** A URI or an id, as opaque text of one line. */
export const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_TEXT_LENGTH &&
  !/\p{Cc}/u.test(value)
