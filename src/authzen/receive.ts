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

/** A question is short; fifty of them are not long. */
const MAX_BODY_BYTES = 64 * 1024

export interface ReceivedQuestion extends ShownToken {
  readonly request: Request
  readonly body: JsonValue
}

/** Shape only. Whoever shows no credential at all is not read any further. */
export async function receiveQuestion(
  door: 'evaluation' | 'evaluations',
  request: Request,
  config: Config,
): Promise<Result<ReceivedQuestion, Refusal>> {
  const refusal = checkAddress(request, config) ?? checkForm(request)
  if (refusal !== null) return err(refusal)
  const credentials = credentialsOf(request)
  const presented = readCredentials(credentials)
  if (!presented.ok) return presented
  const bytes = await readBounded(request.body, MAX_BODY_BYTES)
  if (bytes === null) {
    return err({ at: 'receive', reason: 'body_too_large', limitBytes: MAX_BODY_BYTES })
  }
  const text = decode(bytes)
  if (text === null) return err({ at: 'receive', reason: 'malformed_json', detail: 'not UTF-8' })
  const body = readJson(text)
  if (!body.ok) {
    return err({ at: 'receive', reason: 'malformed_json', detail: body.error.detail })
  }
  const [canonical, ...aliases] = config.publicOrigins
  return ok({
    request,
    credentials,
    body: body.value,
    audiences: [audienceOf(canonical), ...aliases.map(audienceOf)],
    // As we spell it: the router takes other spellings of the path as well.
    targets: config.publicOrigins.map((origin) => `${audienceOf(origin)}/${door}`),
  })
}

/** INVARIANT: never the identifier of an MCP server, so that no token opens both. */
export const audienceOf = (origin: string): string => `${origin}/access/v1`
