import { isOurs, type Config } from '../config.ts'
import type { UpstreamCredentials } from '../upstream/credentials/credentials.ts'

/** How long a server may keep them: a new key is published for longer before it signs. */
const MAX_AGE_SECONDS = 300

/** The public keys of what we sign (RFC 7517 §5). Without any, none verifies. */
export async function jwksResponse(
  request: Request,
  config: Config,
  credentials: UpstreamCredentials,
): Promise<Response> {
  if (!isOurs(request, config)) return new Response('not served here', { status: 403 })
  const keys = await credentials.signing()
  return Response.json(
    { keys: keys.ok ? keys.value.published : [] },
    {
      headers: {
        'content-type': 'application/jwk-set+json',
        'access-control-allow-origin': '*',
        // A slip of the pen in a secret is not to outlive its correction.
        'cache-control': keys.ok ? `public, max-age=${MAX_AGE_SECONDS}` : 'no-store',
      },
    },
  )
}
