// Headers that say to an upstream who asks.
import { err, ok, type Result } from '../../result.ts'
import type { Secrets } from '../../secrets.ts'

type Headers = Readonly<Record<string, string>>

/** RFC 6750 §2.1. */
export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

/** INVARIANT: only for the tenant and the origin that the secret itself names (src/secrets.ts). */
export function secretHeader(
  secrets: Secrets,
  name: string,
  tenant: string,
  upstream: URL,
): Result<Headers, string> {
  const secret = secrets.read('upstream', name, { tenant, origin: upstream.origin })
  return secret.ok ? readSecretHeader(secret.value) : secret
}

/** RFC 9110 §5.1, and short. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/
/** RFC 9110 §5.5 without blanks at its ends: what a proxy could read in two ways is no secret. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/

/** What a message is, how it travels, and what only the client's side may say. */
const OURS =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept.*|origin|cookie|forwarded|x-forwarded-.*|x-real-ip|cf-.*|mcp-.*|last-event-id)$/i

export function readSecretHeader({
  header,
  value,
}: {
  readonly header: string
  readonly value: string
}): Result<Headers, string> {
  if (!NAME.test(header) || OURS.test(header)) return err('the secret names no header for a secret')
  return VALUE.test(value) ? ok({ [header]: value }) : err('the secret is no value of a header')
}
