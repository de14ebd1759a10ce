// Dynamic client registration (RFC 7591), for public clients only.

import type { Context } from 'hono'
import { z } from 'zod'
import { isRegistrableRedirectUri, type Client } from './clients.ts'
import { issuerOf, type AppEnv } from './issuer.ts'
import { parseJson } from './json.ts'
import { OAuthError } from './oauth-error.ts'

const metadata = z.object({
  client_name: z.string().max(100).optional(),
  redirect_uris: z.array(z.string().max(2_000)).min(1).max(20),
})

export async function registerClient(context: Context<AppEnv>): Promise<Response> {
  try {
    const { client_name, redirect_uris } = await readMetadata(context)
    const id = `dyn-${crypto.randomUUID()}`
    const client: Client = {
      id,
      name: client_name ?? id,
      grantTypes: ['authorization_code', 'refresh_token'],
      redirectUris: redirect_uris,
    }
    await issuerOf(context).state.register(client)
    // RFC 7591 §3.2.1: what was asked for and is not offered is replaced, and said here.
    return context.json(
      {
        client_id: id,
        client_id_issued_at: Math.floor(Date.now() / 1000),
        client_name: client.name,
        redirect_uris,
        grant_types: client.grantTypes,
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      201,
      { 'cache-control': 'no-store' },
    )
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return context.json(error.body, 400)
  }
}

async function readMetadata({ req }: Context<AppEnv>) {
  const parsed = metadata.safeParse(parseJson(await req.text()))
  if (!parsed.success) {
    throw new OAuthError('invalid_client_metadata', z.prettifyError(parsed.error))
  }
  const refused = parsed.data.redirect_uris.find((uri) => !isRegistrableRedirectUri(uri))
  if (refused !== undefined) {
    throw new OAuthError(
      'invalid_redirect_uri',
      `\`${refused}\` is neither https, nor loopback, nor a private-use scheme with a dot`,
    )
  }
  return parsed.data
}
