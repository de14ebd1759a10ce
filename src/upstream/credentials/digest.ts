// Which message a signed token is for, in a form that its server can compute as well.
import { base64url } from 'jose'
import { canonical } from '../../mcp/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'

/** An entry of `authorization_details` (RFC 9396 §2) that names one message to one server. */
export interface MessageDetail {
  readonly type: typeof MESSAGE_DETAIL
  readonly locations: readonly [string]
  /** Of a request without a body its HTTP method; of a response the empty text. */
  readonly method: string
  /** The tool of a call; otherwise none. */
  readonly actions: readonly string[]
  /** SHA-256 of the canonical JSON (RFC 8785) of a call's arguments, in base64url. */
  readonly arguments_digest?: string
  /**
   * The same of `params` without its `_meta`; absent without `params`. Where a tool is called, of what
   * `params` has besides its name and arguments (answers to a question, a task); absent without that.
   */
  readonly params_digest?: string
  /** The same of a whole message that has no method: the response to what the server asked. */
  readonly message_digest?: string
}

export const MESSAGE_DETAIL = 'mcp_call'

export async function messageDetail(message: JsonValue, audience: string): Promise<MessageDetail> {
  const { method, params } = isJsonObject(message) ? message : NO_MEMBERS
  const base = { type: MESSAGE_DETAIL, locations: [audience] } as const
  if (typeof method !== 'string') {
    return { ...base, method: '', actions: [], message_digest: await digestOf(message) }
  }
  return { ...base, method, ...(await partsOf(method, params)) }
}

type Parts = Pick<MessageDetail, 'actions' | 'arguments_digest' | 'params_digest'>

// INVARIANT: every member of `params` but `_meta` is in one of the digests.

async function partsOf(method: string, params: JsonValue | undefined): Promise<Parts> {
  if (!isJsonObject(params)) return { actions: [] }
  const { _meta: _, name, arguments: given, ...rest } = params
  if (method === 'tools/call' && typeof name === 'string') {
    const parts = { actions: [name], arguments_digest: await digestOf(given ?? NO_MEMBERS) }
    return Object.keys(rest).length === 0
      ? parts
      : { ...parts, params_digest: await digestOf(rest) }
  }
  const others = {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(given === undefined ? {} : { arguments: given }),
  }
  return { actions: [], params_digest: await digestOf(others) }
}

const NO_MEMBERS: JsonObject = {}

async function digestOf(value: JsonValue): Promise<string> {
  const text = new TextEncoder().encode(canonical(value))
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', text)))
}
