// What is asked for in detail (RFC 9396). Nothing is understood here: it is echoed into the token.

import { z } from 'zod'
import { parseJson } from './json.ts'
import { OAuthError } from './oauth-error.ts'

const details = z.array(z.looseObject({ type: z.string().min(1) })).max(20)
/** As JSON text, or undefined where nothing was asked for in detail. */
export function readAuthorizationDetails(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined) return undefined
  const parsed = details.safeParse(parseJson(text))
  if (parsed.success) return JSON.stringify(parsed.data)
  throw new OAuthError(
    'invalid_authorization_details',
    'authorization_details must be a JSON array of objects with a type',
  )
}
