// Pure. Every method that is handled, one row each. Absence is denial: what has no row, or no row in
// its era, is refused as unknown and never forwarded.
import type { Result } from '../result.ts'
import type { Claim } from './era.ts'
import type { Message } from './message.ts'
import { CALLS } from './methods/calls.ts'
import { LISTINGS } from './methods/listings.ts'
import { PROTOCOL } from './methods/protocol.ts'
import { baseOf, EMPTY, invalid, type ParamsInvalid, type Rows } from './methods/row.ts'
import { SUBSCRIPTIONS } from './methods/subscriptions.ts'
import { TASKS } from './methods/tasks.ts'
import type { ClientOperation, Method } from './operation.ts'
import { quote } from './quote.ts'

/** Adding a member to `ClientOperation['method']` without a row here does not compile. */
export const METHODS: Rows<Method> = {
  ...CALLS,
  ...LISTINGS,
  ...TASKS,
  ...SUBSCRIPTIONS,
  ...PROTOCOL,
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
): Result<ClientOperation, ParamsInvalid> {
  const row = METHODS[method]
  const params = message.params ?? EMPTY
  const { modernParams = [] } = row
  const known = ['_meta', ...row.params, ...(claim.era === 'modern' ? modernParams : [])]
  const unknown = Object.keys(params).find((member) => !known.includes(member))
  if (unknown !== undefined) return invalid(`unknown member ${quote(unknown)}`)
  return row.read({ params, base: baseOf(message, claim, params) })
}
