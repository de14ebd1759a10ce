import { PROOF_ALGORITHMS } from '../authentication/dpop.ts'
import { resourceOf } from '../config.ts'
import { AUTHORIZATION_DETAILS_TYPE } from '../pdp/authorization-details.ts'
import type { CompiledServer, CompiledTenant } from '../storage/compiled.ts'

/** How long a client may keep it: short, because an issuer may be added or withdrawn. */
const MAX_AGE_SECONDS = 60

/** One protected resource per server (RFC 9728 §2), named by the origin that the client used. */
export function metadataResponse(
  request: Request,
  name: string,
  server: CompiledServer,
  tenant: CompiledTenant,
): Response {
  const scopes = [...server.facts.requiredScopes, ...server.tools.requiredScopes].filter(
    (scope, at, all) => all.indexOf(scope) === at,
  )
  // Where a client can go for a token (RFC 9728 §2): a trust domain is no such place.
  const issuers = [...tenant.issuers.values()].filter(
    ({ active, kind }) => active && kind === 'oauth',
  )
  return Response.json(
    {
      resource: resourceOf(new URL(request.url).origin, name),
      authorization_servers: issuers.map((issuer) => issuer.url).toSorted(),
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
      tls_client_certificate_bound_access_tokens: true,
      // RFC 9396 §10.
      authorization_details_types_supported: [AUTHORIZATION_DETAILS_TYPE],
      ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
      ...(server.title === '' ? {} : { resource_name: server.title }),
    },
    {
      headers: {
        'access-control-allow-origin': '*',
        'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
      },
    },
  )
}
