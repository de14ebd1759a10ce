import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerPage, answerSilently } from '../support/node/person.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'

// What the demo issuer promises a client, as a client of its own kind sees it.

let stack: TestStack
let pages: openid.Configuration
let inspector: openid.Configuration

beforeAll(async () => {
  stack = await startTestStack()
  ;[pages, inspector] = await Promise.all([discover('sallyport-pages'), discover('inspector')])
})
afterAll(() => stack.stop())

const discover = (client: string): Promise<openid.Configuration> =>
  openid.discovery(new URL(stack.issuer), client, undefined, openid.None(), {
    // The demo issuer is on this machine and speaks plain http.
    // oxlint-disable-next-line typescript/no-deprecated
    execute: [openid.allowInsecureRequests],
  })

/** Any port will do (RFC 8252 §7.3). */
const LOGIN_CALLBACK = 'http://localhost:49153/login/callback'
const CALLBACK = 'http://127.0.0.1:49152/callback'

interface Checks {
  readonly nonce?: string
  readonly maxAge?: number
  readonly dpop?: openid.DPoPHandle
}

/** Authorization code with PKCE and state; `answer` is what the person does at the page. */
async function logIn(
  configuration: openid.Configuration,
  parameters: Record<string, string>,
  answer: (page: URL) => Promise<URLSearchParams>,
  { nonce, maxAge, dpop }: Checks = {},
) {
  const verifier = openid.randomPKCECodeVerifier()
  const state = openid.randomState()
  const page = openid.buildAuthorizationUrl(configuration, {
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...(nonce === undefined ? {} : { nonce }),
    ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
    ...parameters,
  })
  const back = new URL(`${parameters['redirect_uri']}?${(await answer(page)).toString()}`)
  return openid.authorizationCodeGrant(
    configuration,
    back,
    {
      pkceCodeVerifier: verifier,
      expectedState: state,
      ...(nonce === undefined ? {} : { expectedNonce: nonce, idTokenExpected: true }),
      ...(maxAge === undefined ? {} : { maxAge }),
    },
    {},
    dpop === undefined ? {} : { DPoP: dpop },
  )
}

const asAlice = (page: URL): Promise<URLSearchParams> => answerPage(page, 'alice')

describe('a login at our own pages', () => {
  const parameters = { redirect_uri: LOGIN_CALLBACK, scope: 'openid' }

  it('says who it was, and gives a token for nothing else', async () => {
    const nonce = openid.randomNonce()
    const tokens = await logIn(pages, parameters, asAlice, { nonce })
    expect(tokens.claims()).toMatchObject({
      iss: stack.issuer,
      sub: 'alice',
      aud: 'sallyport-pages',
      nonce,
      acr: 'pwd',
      sid: expect.any(String),
      auth_time: expect.closeTo(Date.now() / 1000, -2),
    })
    expect(tokens.refresh_token).toBeUndefined()
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: stack.issuer, scope: 'openid' })
  })

  it('is a fresh one where that is asked for', async () => {
    const checks = { nonce: 'n', maxAge: 60 }
    expect((await logIn(pages, parameters, asAlice, checks)).claims()?.sub).toBe('alice')
    // Without a page there is only the login of an hour ago.
    const silently = logIn(pages, parameters, (page) => answerSilently(page, 'alice'), checks)
    await expect(silently).rejects.toMatchObject({ error: 'login_required' })
  })

  it('answers at no other address', async () => {
    const url = openid.buildAuthorizationUrl(pages, {
      redirect_uri: 'http://localhost:49153/other',
      scope: 'openid',
    })
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(400)
  })
})

describe('an access token', () => {
  const parameters = () => ({
    redirect_uri: CALLBACK,
    scope: 'demo:use',
    resource: stack.endpoint().href,
  })
  const claimsOf = async (more: Record<string, string>, answer = asAlice) =>
    decodeJwt((await logIn(inspector, { ...parameters(), ...more }, answer)).access_token)

  it('says how and when its person logged in (RFC 9470 §6)', async () => {
    expect(await claimsOf({})).toMatchObject({ acr: 'pwd' })
    const stepped = await claimsOf({ acr_values: 'phr mfa pwd', max_age: '5' })
    expect(stepped).toMatchObject({ acr: 'mfa', auth_time: expect.closeTo(Date.now() / 1000, -2) })
    const earlier = await claimsOf({}, (page) => answerSilently(page, 'alice'))
    expect(Number(earlier['auth_time'])).toBeLessThan(Date.now() / 1000 - 3_000)
  })

  it('carries what was asked for in detail (RFC 9396)', async () => {
    const details = [{ type: 'mcp_tool', locations: [stack.endpoint().href], actions: ['echo'] }]
    const more = { authorization_details: JSON.stringify(details) }
    expect(await claimsOf(more)).toMatchObject({ authorization_details: details })
    await expect(claimsOf({ authorization_details: '[{}]' })).rejects.toMatchObject({
      error: 'invalid_authorization_details',
    })
  })

  it('is bound to the key that its client shows, and so is what refreshes it', async () => {
    const dpop = openid.getDPoPHandle(inspector, await openid.randomDPoPKeyPair('ES256'))
    const tokens = await logIn(inspector, parameters(), asAlice, { dpop })
    expect(tokens.token_type).toBe('dpop')
    const { cnf } = decodeJwt<{ cnf?: { jkt?: string } }>(tokens.access_token)
    expect(cnf?.jkt).toBe(await dpop.calculateThumbprint())

    const refresh = tokens.refresh_token ?? ''
    const bare = openid.refreshTokenGrant(inspector, refresh)
    await expect(bare).rejects.toMatchObject({ error: 'invalid_grant' })
    const again = await openid.refreshTokenGrant(inspector, refresh, {}, { DPoP: dpop })
    expect(again.token_type).toBe('dpop')
    expect(decodeJwt<{ acr?: string }>(again.access_token).acr).toBe('pwd')
  })

  it.each([
    ['no proof at all', 'x'],
    ['a proof without a signature', 'e30.e30.'],
  ])('is not given for %s', async (_what, proof) => {
    const answer = await fetch(`${stack.issuer}/token`, {
      method: 'POST',
      headers: { dpop: proof },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'acme-agent',
        client_secret: 'acme-agent-demo-secret',
        resource: stack.endpoint().href,
      }),
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: 'invalid_dpop_proof' })
  })
})

describe('introspection', () => {
  const ask = (token: string, credentials: Record<string, string>): Promise<Response> =>
    fetch(`${stack.issuer}/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ token, ...credentials }),
    })
  const SALLYPORT = { client_id: 'sallyport', client_secret: 'sallyport-demo-secret' }

  it('explains tokens of both forms to those who may ask', async () => {
    for (const opaque of [true, false]) {
      const token = await stack.token({ sub: 'alice', client: 'acme-agent', opaque })
      expect(await (await ask(token, SALLYPORT)).json()).toMatchObject({
        active: true,
        sub: 'alice',
        client_id: 'acme-agent',
      })
      expect((await ask(token, { client_id: 'inspector' })).status).toBe(401)
      expect((await ask(token, { ...SALLYPORT, client_secret: 'wrong' })).status).toBe(401)
    }
  })

  it('says of a token that does not hold only that', async () => {
    const lapsed = { sub: 'alice', client: 'acme-agent', lifetimeSeconds: -1 }
    for (const token of [
      'made-up',
      await stack.token(lapsed),
      await stack.token({ ...lapsed, opaque: true }),
    ]) {
      expect(await (await ask(token, SALLYPORT)).json()).toEqual({ active: false })
    }
  })
})
