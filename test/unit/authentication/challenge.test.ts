import { describe, expect, it } from 'vitest'
import { challenge } from '../../../src/authentication/challenge.ts'

const resourceMetadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/files/mcp'
const scopes = ['mcp:read', 'mcp:write']

describe('a challenge', () => {
  it('without credentials has no error (RFC 6750 §3.1)', () => {
    expect(challenge('credentials_missing', { resourceMetadata, scopes })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", scope="mcp:read mcp:write"`,
    )
  })

  it.each(['invalid_token', 'invalid_request', 'insufficient_scope'] as const)(
    'names %s',
    (kind) => {
      const text = challenge(kind, { resourceMetadata, scopes })
      expect(text).toMatch(new RegExp(`^Bearer error="${kind}", resource_metadata="`))
      expect(text).toContain('scope="mcp:read mcp:write"')
      expect(text).toMatch(/error_description="[A-Za-z ,]+"$/)
    },
  )

  it('leaves out an empty scope', () => {
    expect(challenge('invalid_token', { resourceMetadata, scopes: [] })).not.toContain('scope')
  })

  it('lets no input end its quotes or its line', () => {
    const text = challenge('insufficient_scope', {
      resourceMetadata: 'https://x/"\r\nSet-Cookie: a=b\\',
      scopes: ['ok', 'a", error="x', 'b c', 'd\ne', ''],
    })
    expect(text).toContain('resource_metadata="https://x/\\"Set-Cookie: a=b\\\\"')
    expect(text).toContain('scope="ok"')
    expect(text).not.toMatch(/[\r\n]/)
  })
})
