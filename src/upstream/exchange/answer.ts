// What a token endpoint answered (RFC 6749 §5.1, RFC 8693 §2.2.1): read strictly, by our own reader.
import { processGenericTokenEndpointResponse } from 'oauth4webapi'
import { readObject } from '../../exact-json.ts'
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import { bodyOf, mediaTypeOf, type Endpoint } from './endpoint.ts'

/** Types of token by which RFC 8693 §3 calls what was issued. */
export const TOKEN_TYPE = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idJag: 'urn:ietf:params:oauth:token-type:id-jag',
} as const

/** A token as its issuer describes it. Nobody has looked into it yet. */
export interface Told {
  readonly token: string
  /** Seconds from now; null: the issuer does not say. */
  readonly expiresIn: number | null
  /** null: what was asked for (RFC 6749 §5.1). */
  readonly scopes: readonly string[] | null
  /** Who asked, as the issuer knows us. */
  readonly asker: string
}

/** `given`: a token that came all the same. */
export interface AnswerFault {
  readonly detail: string
  readonly given: string | null
}

/** What one step of a grant must come to. */
export interface Wanted {
  readonly tokenType: 'bearer' | 'n_a'
  /** Allowed `issued_token_type`; null: the grant has no such member (RFC 7523). */
  readonly issued: readonly string[] | null
}

/** RFC 6750 §2.1, and far longer than any of them is. */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,16384}=*$/
/** RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

export async function readTold(
  response: Response,
  { server, client }: Endpoint,
  wanted: Wanted,
): Promise<Result<Told, AnswerFault>> {
  if (response.status !== 200) {
    await response.body?.cancel()
    return refused(`the answer was status ${response.status}`)
  }
  if (mediaTypeOf(response) !== 'application/json') {
    await response.body?.cancel()
    return refused('the answer was of another media type')
  }
  const bytes = await bodyOf(response)
  if (bytes === null) return refused('the answer was larger than 64 KiB, or broke off')
  const read = readObject(bytes)
  if (!read.ok) return refused('the answer was not strict JSON')
  const told = judge(read.value, wanted, client.client_id)
  if (!told.ok) return told
  // Where the library refuses, so do we; its reader would have taken the last of two equal members.
  const again = new Response(bytes, { headers: { 'content-type': 'application/json' } })
  try {
    await processGenericTokenEndpointResponse(server, client, again, {
      recognizedTokenTypes: { n_a: () => undefined },
    })
  } catch {
    return err({ detail: 'the answer was no token', given: told.value.token })
  }
  return told
}

const refused = (detail: string, given: string | null = null) => err({ detail, given })

function judge(answer: JsonObject, wanted: Wanted, asker: string): Result<Told, AnswerFault> {
  const { access_token: token, token_type: type, expires_in: expiresIn = null } = answer
  if (typeof token !== 'string' || !TOKEN.test(token)) return refused('there is no readable token')
  const no = (detail: string) => refused(detail, token)
  // RFC 6749 §5.1: types have no case. A DPoP token is bound to a key that we do not have.
  if (typeof type !== 'string' || type.toLowerCase() !== wanted.tokenType) {
    return no('the token is not of the type that was asked for')
  }
  if (wanted.issued !== null && !isOneOf(answer['issued_token_type'], wanted.issued)) {
    return no('`issued_token_type` is not what was asked for')
  }
  // It would be standing access, which nobody asked for and nothing here would end.
  if (answer['refresh_token'] !== undefined) return no('a refresh token came along')
  if (expiresIn !== null && !isSeconds(expiresIn)) return no('`expires_in` is no time')
  const scopes = readScopes(answer['scope'])
  return scopes === 'unreadable'
    ? no('`scope` is not a scope')
    : ok({ token, expiresIn, scopes, asker })
}

const isOneOf = (value: JsonValue | undefined, allowed: readonly string[]): boolean =>
  typeof value === 'string' && allowed.includes(value)

const isSeconds = (value: JsonValue): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0

function readScopes(value: JsonValue | undefined): readonly string[] | null | 'unreadable' {
  if (value === undefined) return null
  if (value === '') return []
  return typeof value === 'string' && SCOPE.test(value) ? value.split(' ') : 'unreadable'
}
