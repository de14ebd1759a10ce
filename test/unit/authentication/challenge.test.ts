import { describe, expect, it } from 'vitest'
import { challenge } from '../../../src/authentication/challenge.ts'

const resourceMetadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/files/mcp'
const scopes = ['mcp:read', 'mcp:write']
const noLogin = { scheme: 'bearer', acrValues: [], maxAgeSeconds: null } as const
const algs = 'algs="ES256 ES384 EdDSA Ed25519 RS256 PS256"'

describe('a challenge', () => {
  it('without credentials has no error (RFC 6750 §3.1)', () => {
    expect(challenge('credentials_missing', { resourceMetadata, scopes, ...noLogin })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", scope="mcp:read mcp:write", ` +
        `DPoP ${algs}, resource_metadata="${resourceMetadata}", scope="mcp:read mcp:write"`,
    )
  })

  it('of a token that came as Bearer offers DPoP beside it, without an error of its own', () => {
    expect(challenge('invalid_token', { resourceMetadata, scopes: [], ...noLogin })).toBe(
      `Bearer error="invalid_token", resource_metadata="${resourceMetadata}", ` +
        'error_description="the access token is not valid for this resource", ' +
        `DPoP ${algs}, resource_metadata="${resourceMetadata}"`,
    )
  })

  it.each(['invalid_token', 'invalid_dpop_proof', 'use_dpop_nonce', 'insufficient_scope'] as const)(
    'of what came as DPoP is for DPoP alone: %s (RFC 9449 §7.1)',
    (kind) => {
      const text = challenge(kind, { resourceMetadata, scopes, ...noLogin, scheme: 'dpop' })
      expect(text).toMatch(new RegExp(`^DPoP error="${kind}", ${algs}, resource_metadata="`))
      expect(text).not.toContain('Bearer')
    },
  )

  it.each(['invalid_token', 'invalid_request', 'insufficient_scope'] as const)(
    'names %s',
    (kind) => {
      const text = challenge(kind, { resourceMetadata, scopes, ...noLogin })
      expect(text).toMatch(new RegExp(`^Bearer error="${kind}", resource_metadata="`))
      expect(text).toContain('scope="mcp:read mcp:write"')
      expect(text).toMatch(/error_description="[A-Za-z ,]+"(?:, DPoP |$)/)
    },
  )

  it('leaves out an empty scope', () => {
    expect(challenge('invalid_token', { resourceMetadata, scopes: [], ...noLogin })).not.toContain(
      'scope',
    )
  })

  it('lets no input end its quotes or its line', () => {
    const text = challenge('insufficient_scope', {
      resourceMetadata: 'https://x/"\r\nSet-Cookie: a=b\\',
      scopes: ['ok', 'a", error="x', 'b c', 'd\ne', ''],
      ...noLogin,
    })
    expect(text).toContain('resource_metadata="https://x/\\"Set-Cookie: a=b\\\\"')
    expect(text).toContain('scope="ok"')
    expect(text).not.toMatch(/[\r\n]/)
  })

  it('says which login would do, as RFC 9470 §3 writes it', () => {
    const text = challenge('insufficient_user_authentication', {
      scheme: 'bearer',
      resourceMetadata,
      scopes: [],
      acrValues: ['phr', 'phrh'],
      maxAgeSeconds: 300,
    })
    expect(text).toBe(
      `Bearer error="insufficient_user_authentication", resource_metadata="${resourceMetadata}", ` +
        'acr_values="phr phrh", max_age=300, ' +
        'error_description="the operation needs another login of the person"',
    )
  })

  it('names a bound of zero seconds, and no bound where there is none', () => {
    const login = (maxAgeSeconds: number | null) =>
      challenge('insufficient_user_authentication', {
        scheme: 'bearer',
        resourceMetadata,
        scopes,
        acrValues: [],
        maxAgeSeconds,
      })
    expect(login(0)).toContain(', max_age=0,')
    expect(login(null)).not.toContain('max_age')
    expect(login(null)).not.toContain('acr_values')
  })

  it('lets no context class end its quotes', () => {
    const text = challenge('insufficient_user_authentication', {
      scheme: 'bearer',
      resourceMetadata,
      scopes: [],
      acrValues: ['a", error="x', 'b\r\nc'],
      maxAgeSeconds: null,
    })
    expect(text).toContain('acr_values="a\\", error=\\"x bc"')
    expect(text).not.toMatch(/[\r\n]/)
  })
})
