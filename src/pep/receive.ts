import { decode, readBounded } from '../bounded-body.ts'
import { isOurs, resourceOf, type Config } from '../config.ts'
import { readJson } from '../mcp/json.ts'
import type { JsonValue } from '../mcp/value.ts'
import type { MessageHeaders } from '../mcp/headers.ts'
import { readCredentials } from '../authentication/authenticate.ts'
import { credentialsOf, type Credentials } from '../authentication/credentials.ts'
import type { AuthenticationRefusal } from '../authentication/refusal.ts'
import type { MessageRefusal } from '../mcp/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import type { ReceiveRefusal } from './refusal.ts'

/** SDK v2 servers take no more; a body is parsed at once, so this also bounds CPU and memory. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** The HTTP methods of an MCP endpoint. GET and DELETE belong to legacy sessions, and have no body. */
export type Verb = 'POST' | 'GET' | 'DELETE'

/** One request, read once. What is decided is `message`, what is forwarded are the same bytes. */
export interface Received {
  readonly server: string
  readonly verb: Verb
  readonly request: Request
  readonly credentials: Credentials
  readonly headers: MessageHeaders
  /** INVARIANT: `message` is what a strict reader makes of exactly these bytes. */
  readonly body: Uint8Array
  /** null where the request has no body. */
  readonly message: JsonValue
  /** This server's resource identifier under each public origin, the canonical one first. */
  readonly resources: readonly [string, ...string[]]
}

/**
 * Shape only: nobody is asked who they are yet (MCP 2025-11-25 and 2026-07-28, basic/transports).
 * Whoever shows no credential at all is not read any further.
 */
export async function receive(
  request: Request,
  server: string,
  config: Config,
): Promise<Result<Received, ReceiveRefusal | AuthenticationRefusal | MessageRefusal>> {
  const refusal = checkAddress(request, config) ?? checkVerb(request)
  if (refusal !== null) return err(refusal)
  const credentials = credentialsOf(request)
  const presented = readCredentials(credentials)
  if (!presented.ok) return presented
  const verb = request.method as Verb
  const content = verb === 'POST' ? await readMessageBody(request) : NO_BODY
  if (!content.ok) return content
  const { headers } = request
  const [canonical, ...aliases] = config.publicOrigins
  return ok({
    server,
    verb,
    request,
    credentials,
    headers: {
      protocolVersion: headers.get('mcp-protocol-version'),
      method: headers.get('mcp-method'),
      name: headers.get('mcp-name'),
      parameters: new Map([...headers].filter(([name]) => name.startsWith('mcp-param-'))),
    },
    ...content.value,
    resources: [
      resourceOf(canonical, server),
      ...aliases.map((origin) => resourceOf(origin, server)),
    ],
  })
}

const NO_BODY = ok({ body: new Uint8Array(), message: null })

async function readMessageBody(
  request: Request,
): Promise<Result<Pick<Received, 'body' | 'message'>, ReceiveRefusal | MessageRefusal>> {
  const body = await readBounded(request.body, MAX_BODY_BYTES)
  if (body === null) return no('body_too_large')
  const text = decode(body)
  if (text === null) {
    return err({ at: 'receive', reason: 'malformed_json', detail: 'not UTF-8' })
  }
  const message = readJson(text)
  return message.ok
    ? ok({ body, message: message.value })
    : err({ at: 'receive', reason: 'malformed_json', detail: message.error.detail })
}

/** Where that resource's metadata is: the well-known part goes between host and path (RFC 9728 §3.1). */
export const metadataUrl = (request: Request, server: string): string =>
  `${new URL(request.url).origin}/.well-known/oauth-protected-resource/${server}/mcp`

/** A page that rebinds its DNS name to us still sends its own Host, and its own Origin. */
export function checkAddress(request: Request, config: Config): ReceiveRefusal | null {
  if (!isOurs(request, config)) return { at: 'receive', reason: 'host_not_allowed' }
  const origin = request.headers.get('origin')
  return origin !== null && !config.allowedOrigins.has(origin)
    ? { at: 'receive', reason: 'origin_not_allowed' }
    : null
}

function checkVerb(request: Request): ReceiveRefusal | null {
  switch (request.method) {
    case 'DELETE':
      return null
    case 'GET':
      return accepts(request.headers.get('accept'), 'text/event-stream')
        ? null
        : { at: 'receive', reason: 'not_acceptable' }
    default:
      return checkForm(request)
  }
}

/** Of a POST, and nothing else. */
export function checkForm(request: Request): ReceiveRefusal | null {
  const { headers } = request
  if (request.method !== 'POST') return { at: 'receive', reason: 'method_not_allowed' }
  if (!isJson(headers.get('content-type'))) {
    return { at: 'receive', reason: 'media_type_unsupported' }
  }
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding.trim().toLowerCase() !== 'identity') {
    return { at: 'receive', reason: 'encoding_unsupported' }
  }
  if (!accepts(headers.get('accept'), 'application/json')) {
    return { at: 'receive', reason: 'not_acceptable' }
  }
  return Number(headers.get('content-length') ?? 0) > MAX_BODY_BYTES
    ? { at: 'receive', reason: 'body_too_large', limitBytes: MAX_BODY_BYTES }
    : null
}

/** One media type; a charset, if any, must be the only one that JSON has (RFC 8259 §8.1). */
function isJson(contentType: string | null): boolean {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  return (
    type.trim() === 'application/json' &&
    parameters.every((parameter) => /^\s*charset="?utf-8"?\s*$/.test(parameter))
  )
}

export function accepts(accept: string | null, type: string): boolean {
  if (accept === null) return true
  const family = `${type.split('/', 1)[0]}/*`
  return accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';', 1)[0]?.trim())
    .some((range) => range === type || range === family || range === '*/*')
}

const no = (reason: 'body_too_large') =>
  err({ at: 'receive', reason, limitBytes: MAX_BODY_BYTES } as const)
