import { readCredentials } from '../authentication/authenticate.ts'
import { credentialsOf } from '../authentication/credentials.ts'
import { decode, readBounded } from '../bounded-body.ts'
import type { Config } from '../config.ts'
import { readJson } from '../mcp/json.ts'
import type { JsonValue } from '../mcp/value.ts'
import { checkAddress, checkForm } from '../pep/receive.ts'
import type { Refusal } from '../pep/refusal.ts'
import type { ShownToken } from '../pep/whose-token.ts'
import { err, ok, type Result } from '../result.ts'

/** The longest lists and the longest words of a person, in any characters. */
const MAX_BODY_BYTES = 128 * 1024
const LIMITS = { depth: 8, containers: 64 }

/** INVARIANT: never the identifier of an MCP server or of another door: no token opens both. */
export const audienceOf = (origin: string): string => `${origin}/tasks`

/** Who asks, before anybody looks at what; whoever shows no credential is not read any further. */
export function receiveCaller(request: Request, config: Config): Result<ShownToken, Refusal> {
  const address = checkAddress(request, config)
  if (address !== null) return err(address)
  const credentials = credentialsOf(request)
  const presented = readCredentials(credentials)
  if (!presented.ok) return presented
  const { pathname } = new URL(request.url)
  const [canonical, ...aliases] = config.publicOrigins
  return ok({
    credentials,
    audiences: [audienceOf(canonical), ...aliases.map(audienceOf)],
    targets: config.publicOrigins.map((origin) => `${origin}${pathname}`),
  })
}

export async function receiveBody(request: Request): Promise<Result<JsonValue, Refusal>> {
  const form = checkForm(request)
  if (form !== null) return err(form)
  const bytes = await readBounded(request.body, MAX_BODY_BYTES)
  if (bytes === null) {
    return err({ at: 'receive', reason: 'body_too_large', limitBytes: MAX_BODY_BYTES })
  }
  const text = decode(bytes)
  if (text === null) return err({ at: 'receive', reason: 'malformed_json', detail: 'not UTF-8' })
  const body = readJson(text, LIMITS)
  return body.ok
    ? body
    : err({ at: 'receive', reason: 'malformed_json', detail: body.error.detail })
}

/** Visible ASCII, so that two headers, which arrive joined by ", ", are none. */
const KEY = /^[\x21-\x7e]{1,255}$/

/** null: there is none that can be read. */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get('idempotency-key')
  return key !== null && KEY.test(key) ? key : null
}
