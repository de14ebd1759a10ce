// Pure: what this server says of itself.

import { OPENID, SCOPES } from './clients.ts'
import { PROOF_ALGORITHMS } from './dpop.ts'
import { JWT_BEARER, TOKEN_EXCHANGE } from './exchange.ts'
import { ACR_VALUES } from './login.ts'

/** RFC 8414 §2. */
export function authorizationServerMetadata(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/jwks.json`,
    registration_endpoint: `${issuer}/register`,
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      TOKEN_EXCHANGE,
      JWT_BEARER,
    ],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    // MCP clients refuse a server that does not name S256 here (RFC 7636 §4.2).
    code_challenge_methods_supported: ['S256'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    acr_values_supported: ACR_VALUES,
    // RFC 9449 §5.1, RFC 9396 §10.
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    authorization_details_types_supported: ['mcp_tool'],
    // RFC 9207 §3.
    authorization_response_iss_parameter_supported: true,
  }
}

/** OpenID Discovery §3. */
export function openidConfiguration(issuer: string) {
  return {
    ...authorizationServerMetadata(issuer),
    scopes_supported: [OPENID, ...SCOPES],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}
