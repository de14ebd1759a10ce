// An access token of either form: a JWT, or a random text that only introspection explains.

import type { Issuer } from './issuer.ts'
import { digest, randomSecret } from './secrets.ts'
import { accessTokenClaims, signAccessToken, type TokenRequest } from './tokens.ts'

export const TOKEN_FORMATS = ['jwt', 'opaque'] as const
export type TokenFormat = (typeof TOKEN_FORMATS)[number]

export async function issueAccessToken(
  { state }: Issuer,
  request: TokenRequest,
  format: TokenFormat,
): Promise<string> {
  if (format === 'jwt') return signAccessToken(await state.signingKey(), request)
  const token = randomSecret()
  await state.keepOpaqueToken(await digest(token), JSON.stringify(accessTokenClaims(request)))
  return token
}
