// Pure. A header that a Worker secret holds for an upstream.
import { err, ok, type Result } from '../../result.ts'

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
}): Result<Readonly<Record<string, string>>, string> {
  if (!NAME.test(header) || OURS.test(header)) return err('the secret names no header for a secret')
  return VALUE.test(value) ? ok({ [header]: value }) : err('the secret is no value of a header')
}
