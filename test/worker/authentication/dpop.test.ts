import * as dpop from 'dpop'
import { exports } from 'cloudflare:workers'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { describe, expect, it } from 'vitest'
import {
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  post,
  RESOURCE,
  seen,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const keyPair = await dpop.generateKeyPair('ES256', { extractable: true })
const jkt = await calculateJwkThumbprint(await exportJWK(keyPair.publicKey))

const boundToken = async (claims = {}) =>
  token({ sub: await newUser(), claims: { cnf: { jkt }, ...claims } })

const FORM = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** As `post`, with a token under the DPoP scheme. */
const send = (accessToken: string, proof: string | null, scheme = 'DPoP') =>
  post(toolCall('note'), {
    token: null,
    headers: {
      authorization: `${scheme} ${accessToken}`,
      ...(proof === null ? {} : { dpop: proof }),
    },
  })

const proofOf = (accessToken: string, htu = RESOURCE, htm = 'POST') =>
  dpop.generateProof(keyPair, htu, htm, undefined, accessToken)

describe('a real client with a bound token is served', () => {
  it('by the dpop library', async () => {
    const accessToken = await boundToken()
    const response = await send(accessToken, await proofOf(accessToken))
    expect(response.status).toBe(200)
    expect(seen).toHaveLength(1)
    // Neither the token nor its proof goes further.
    expect(seen[0]?.headers.has('dpop')).toBe(false)
    expect(seen[0]?.headers.has('authorization')).toBe(false)
  })

  it('by oauth4webapi', async () => {
    const accessToken = await boundToken()
    const response = await oauth.protectedResourceRequest(
      accessToken,
      'POST',
      new URL(RESOURCE),
      new Headers(FORM),
      toolCall('note'),
      {
        DPoP: oauth.DPoP({}, keyPair),
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: async (url, init) =>
          exports.default.fetch(new Request(url, init as RequestInit)),
      },
    )
    expect(response.status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  it('by openid-client', async () => {
    const accessToken = await boundToken()
    const config = new openid.Configuration({ issuer: ISSUER }, 'acme-agent')
    openid.allowInsecureRequests(config)
    config[openid.customFetch] = async (url, init) =>
      exports.default.fetch(new Request(url, init as RequestInit))
    const response = await openid.fetchProtectedResource(
      config,
      accessToken,
      new URL(RESOURCE),
      'POST',
      toolCall('note'),
      new Headers(FORM),
      { DPoP: openid.getDPoPHandle(config, keyPair) },
    )
    expect(response.status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  it.each(['RS256', 'PS256', 'Ed25519'] as const)('with a key for %s', async (algorithm) => {
    const pair = await dpop.generateKeyPair(algorithm, { extractable: true })
    const thumbprint = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
    const accessToken = await boundToken({ cnf: { jkt: thumbprint } })
    const proof = await dpop.generateProof(pair, RESOURCE, 'POST', undefined, accessToken)
    expect((await send(accessToken, proof)).status).toBe(200)
  })
})

const challenges = (response: Response) => response.headers.get('www-authenticate') ?? ''

describe('the challenge', () => {
  it('without credentials offers both schemes, neither with an error', async () => {
    const response = await post(toolCall('note'), { token: null })
    expect(response.status).toBe(401)
    expect(challenges(response)).toMatch(
      /^Bearer resource_metadata="[^"]+"(, scope="[^"]+")?, DPoP algs="ES256 /,
    )
    expect(challenges(response)).not.toContain('error')
  })

  it('after a wrong proof is one that oauth4webapi reads', async () => {
    const accessToken = await boundToken()
    const error = await oauth
      .protectedResourceRequest(
        accessToken,
        'POST',
        new URL(RESOURCE),
        new Headers(FORM),
        toolCall('note'),
        {
          DPoP: oauth.DPoP({}, await oauth.generateKeyPair('ES256')),
          [oauth.allowInsecureRequests]: true,
          [oauth.customFetch]: async (url, init) =>
            exports.default.fetch(new Request(url, init as RequestInit)),
        },
      )
      .catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(oauth.WWWAuthenticateChallengeError)
    const { cause } = error as oauth.WWWAuthenticateChallengeError
    expect(cause).toMatchObject([{ scheme: 'dpop', parameters: { error: 'invalid_dpop_proof' } }])
    expect(cause[0]?.parameters['algs']?.split(' ')).toContain('ES256')
    expect(seen).toEqual([])
  })

  it('for a bound token that came as plain Bearer says invalid_token, and offers DPoP', async () => {
    const accessToken = await boundToken()
    const response = await send(accessToken, null, 'Bearer')
    expect(response.status).toBe(401)
    expect(challenges(response)).toMatch(/^Bearer error="invalid_token", .*, DPoP algs="/)
    expect(seen).toEqual([])
  })

  it('for a DPoP token without a proof asks for one', async () => {
    const response = await send(await boundToken(), null)
    expect(response.status).toBe(401)
    expect(challenges(response)).toMatch(/^DPoP error="invalid_dpop_proof", algs="/)
  })

  it.each([
    ['another method', RESOURCE, 'GET'],
    ['another server', `${ORIGIN}/other/mcp`, 'POST'],
    ['another origin', 'http://localhost:8788/crm/mcp', 'POST'],
    ['https instead of http', RESOURCE.replace('http:', 'https:'), 'POST'],
  ])('for a proof made for %s names the proof, not the token', async (_, htu, htm) => {
    const accessToken = await boundToken()
    const response = await send(accessToken, await proofOf(accessToken, htu, htm))
    expect(response.status).toBe(401)
    expect(challenges(response)).toMatch(/^DPoP error="invalid_dpop_proof"/)
    expect(seen).toEqual([])
  })

  it('for a bad token under the DPoP scheme is for DPoP', async () => {
    const accessToken = await boundToken({ aud: 'https://other.example' })
    const response = await send(accessToken, await proofOf(accessToken))
    expect(response.status).toBe(401)
    expect(challenges(response)).toMatch(/^DPoP error="invalid_token"/)
  })

  it('lets pages read the nonce header', async () => {
    const response = await post(toolCall('note'), { token: null, headers: { origin: ORIGIN } })
    expect(response.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce')
  })

  it('is announced in the metadata', async () => {
    const response = await exports.default.fetch(
      `${ORIGIN}/.well-known/oauth-protected-resource/crm/mcp`,
    )
    expect(await response.json()).toMatchObject({
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']) as unknown,
      tls_client_certificate_bound_access_tokens: true,
    })
  })
})
