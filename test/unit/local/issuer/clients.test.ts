import { describe, expect, test } from 'vitest'
import {
  acceptsRedirectUri,
  grantableScopes,
  isRegistrableRedirectUri,
  isResource,
  SCOPES,
  type Client,
} from '../../../../local/issuer/clients.ts'

const client: Client = {
  id: 'c',
  name: 'C',
  grantTypes: ['authorization_code'],
  redirectUris: [
    'http://127.0.0.1/callback',
    'http://[::1]:4000/callback',
    'https://app.example/callback?from=issuer',
  ],
}

describe('redirect URIs (RFC 8252 §7.3, OAuth 2.1 §2.3.1)', () => {
  test.each([
    ['http://127.0.0.1/callback', 'as registered'],
    ['http://127.0.0.1:51004/callback', 'any port on loopback'],
    ['http://[::1]:51004/callback', 'any port on IPv6 loopback'],
    ['https://app.example/callback?from=issuer', 'byte-equal elsewhere'],
  ])('accepts %s: %s', (uri) => {
    expect(acceptsRedirectUri(client, uri)).toBe(true)
  })

  test.each([
    ['http://localhost:51004/callback', 'another loopback name'],
    ['https://127.0.0.1:51004/callback', 'another scheme'],
    ['http://127.0.0.1:51004/callback/', 'another path'],
    ['http://127.0.0.1:51004/a/../callback', 'a path that only normalises to the same'],
    ['http://127.0.0.1:51004/callback?x=1', 'a query that was not registered'],
    ['http://127.0.0.1:51004@evil.example/callback', 'userinfo that looks like a host'],
    ['http://127.0.0.1.evil.example/callback', 'a host that begins alike'],
    ['https://app.example:8443/callback?from=issuer', 'a port elsewhere'],
    ['https://app.example/callback', 'without the registered query'],
    ['', 'nothing'],
  ])('refuses %s: %s', (uri) => {
    expect(acceptsRedirectUri(client, uri)).toBe(false)
  })
})

describe('what may be registered', () => {
  test.each(['https://app.example/cb', 'http://localhost:3000/cb', 'com.example.app:/cb'])(
    'accepts %s',
    (uri) => {
      expect(isRegistrableRedirectUri(uri)).toBe(true)
    },
  )

  test.each([
    'http://app.example/cb',
    'https://app.example/cb#here',
    'https://user:pass@app.example/cb',
    'javascript:alert(1)',
    'data:text/html,hello',
    '/cb',
  ])('refuses %s', (uri) => {
    expect(isRegistrableRedirectUri(uri)).toBe(false)
  })
})

test('scopes: what is known is granted, and nothing asked for means the default', () => {
  expect(grantableScopes(undefined, SCOPES)).toEqual(SCOPES)
  expect(grantableScopes('demo:write offline_access', SCOPES)).toEqual(['demo:write'])
  expect(grantableScopes('admin', SCOPES)).toEqual([])
})

test('a resource is an absolute URI without a fragment (RFC 8707 §2)', () => {
  expect(isResource('http://127.0.0.1:8787/demo/mcp')).toBe(true)
  expect(isResource('/demo/mcp')).toBe(false)
  expect(isResource('http://127.0.0.1:8787/demo/mcp#')).toBe(false)
})
