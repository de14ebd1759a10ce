import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../../src/authentication/authenticate.ts'
import type { Credentials } from '../../../../src/authentication/credentials.ts'
import { hashOf } from '../../../../src/authentication/thumbprint.ts'
import {
  bearer,
  ISSUER,
  json,
  RESOURCE,
  SECONDS,
  token,
  without,
  type Members,
} from '../token-smith.ts'
import {
  beside,
  by,
  DOMAIN,
  MESH,
  MESH_WORKLOAD,
  meshWit,
  publicPart,
  signAs,
  svid,
  SVID,
  SVID_ALGORITHMS,
  wit,
  WORKLOAD,
  workloadAlone,
  workloadContext,
  wpt,
} from './workload-smith.ts'

async function accepted(credentials: Credentials) {
  const result = await authenticate(credentials, workloadContext())
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const alone = async (proof: Members = {}, payload: Members = {}) => {
  const text = await wit(payload)
  return accepted(workloadAlone(text, await wpt(text, proof)))
}

describe('a JWT-SVID', () => {
  it('is subject and client in one, and a bearer token', async () => {
    expect(await accepted(bearer(await svid({ jti: '"svid-7"' })))).toEqual({
      issuer: DOMAIN,
      subject: WORKLOAD,
      client: WORKLOAD,
      tokenId: 'svid-7',
      keyId: 'jwt-1',
      agent: null,
      agentDocument: null,
      actorChain: [],
      mayAct: null,
      scopes: [],
      authorizationDetails: null,
      audience: [RESOURCE],
      issuedAt: SECONDS - 10,
      expiresAt: SECONDS + 290,
      notBefore: null,
      sessionId: null,
      authTime: null,
      acr: null,
      tenant: 'acme',
      bindings: [],
      senderConstrained: false,
      proofs: [],
    })
  })

  it.each(SVID_ALGORITHMS)('signed with %s passes (JWT-SVID §2.1)', async (algorithm) => {
    const header = { alg: `"${algorithm}"`, kid: `"${algorithm}"` }
    const text = await svid({}, header, by('prod', algorithm))
    expect((await accepted(bearer(text))).keyId).toBe(algorithm)
  })

  it('passes with typ JOSE, and without one (§2.3)', async () => {
    const absent = await signAs(by('prod jwt'), '{"alg":"ES256","kid":"jwt-1"}', json(SVID))
    for (const text of [await svid({}, { typ: '"JOSE"' }), absent]) {
      expect((await accepted(bearer(text))).subject).toBe(WORKLOAD)
    }
  })

  it('needs no iat and no jti (§3), and may have several audiences', async () => {
    const payload = { ...without(SVID, 'iat'), aud: `["reports","${RESOURCE}"]` }
    const text = await signAs(by('prod jwt'), '{"alg":"ES256","kid":"jwt-1"}', json(payload))
    expect(await accepted(bearer(text))).toMatchObject({
      issuedAt: null,
      tokenId: null,
      audience: ['reports', RESOURCE],
    })
  })

  it('never speaks for anybody else, whatever it says', async () => {
    const text = await svid({
      act: '{"sub":"bot"}',
      may_act: '{"sub":"bot"}',
      client_id: '"acme-agent"',
      scope: '"crm"',
      acr: '"high"',
      auth_time: `${SECONDS}`,
      iss: `"${ISSUER}"`,
    })
    expect(await accepted(bearer(text))).toMatchObject({
      issuer: DOMAIN,
      subject: WORKLOAD,
      client: WORKLOAD,
      agent: null,
      scopes: [],
      acr: null,
      authTime: null,
    })
  })

  it('may have an id of 2048 bytes', async () => {
    const id = `${DOMAIN}/${'a'.repeat(2048 - DOMAIN.length - 1)}`
    expect((await accepted(bearer(await svid({ sub: `"${id}"` })))).subject).toBe(id)
  })

  it('of a trust domain that tenants share says whose it is', async () => {
    const text = await svid({ sub: '"spiffe://many.example/a"', org: '"acme"' })
    expect((await accepted(bearer(text))).issuer).toBe('spiffe://many.example')
  })
})

describe('a WIT with its WPT', () => {
  it('is subject and client in one, bound to its key, with a proof that counts once', async () => {
    const claims = await alone()
    expect(claims).toMatchObject({
      issuer: DOMAIN,
      subject: WORKLOAD,
      client: WORKLOAD,
      tokenId: 'wit-token-1',
      keyId: 'wit-1',
      agent: null,
      senderConstrained: true,
    })
    const [binding] = claims.bindings
    expect(claims.bindings).toEqual([{ kind: 'workload', thumbprint: expect.any(String) }])
    expect(claims.proofs).toEqual([
      {
        kind: 'workload',
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        expiresAt: (SECONDS + 65) * 1000,
        thumbprint: binding?.thumbprint,
        nonce: null,
      },
    ])
  })

  it('is one proof however its target is written, and another with another jti', async () => {
    const idOf = async (proof: Members) => (await alone(proof)).proofs[0]?.id
    const id = await idOf({})
    expect(await idOf({ aud: '"https://MCP.example.com:443/files/mcp?x=1"' })).toBe(id)
    expect(await idOf({ aud: `["${RESOURCE}"]` })).toBe(id)
    expect(await idOf({ jti: '"proof-2"' })).not.toBe(id)
  })

  it('may name the other tokens that came', async () => {
    const text = await wit()
    const proof = await wpt(text, {
      tth: `"${hashOf('txn')}"`,
      oth: `{"txn-token":"${hashOf('txn')}"}`,
    })
    const credentials = { ...workloadAlone(text, proof), transactionToken: 'txn' }
    expect((await accepted(credentials)).subject).toBe(WORKLOAD)
  })

  it.each(['mesh', 'mesh bare'])('of WIMSE may be signed by the key of %s', async (owner) => {
    const kid = owner === 'mesh' ? '"mesh-1"' : '"bare-1"'
    const held = by('workload', 'EdDSA')
    const cnf = JSON.stringify({ jwk: { ...(await publicPart(held)), alg: 'EdDSA' } })
    const text = await wit({ sub: `"${MESH_WORKLOAD}"`, cnf }, { kid }, by(owner))
    const proof = await wpt(text, {}, { alg: '"EdDSA"' }, held)
    expect(await accepted(workloadAlone(text, proof))).toMatchObject({
      issuer: MESH,
      subject: MESH_WORKLOAD,
      senderConstrained: true,
    })
  })

  it('of WIMSE may have an id with any path in its normal spelling (RFC 3986 §6.2.2)', async () => {
    const id = `${MESH}/team:crm/r%C3%A9p@1`
    const text = await meshWit({ sub: `"${id}"` })
    expect((await accepted(workloadAlone(text, await wpt(text)))).subject).toBe(id)
  })

  it.each([
    ['typ as a media type', {}, { typ: '"application/wpt+jwt"' }],
    ['exp 4 s ago', { exp: `${SECONDS - 4}` }, {}],
    ['exp five minutes away', { exp: `${SECONDS + 300}` }, {}],
    ['iat and nbf', { iat: `${SECONDS - 5}`, nbf: `${SECONDS}` }, {}],
    ['an empty oth', { oth: '{}' }, {}],
    ['a claim of its own', { 'example.com/trace': '"1"' }, {}],
    ['another public origin', { aud: '"https://alias.example.com/files/mcp"' }, {}],
  ] satisfies [string, Members, Members][])('passes: %s', async (_name, payload, header) => {
    const text = await wit()
    const proof = await wpt(text, payload, header)
    expect((await accepted(workloadAlone(text, proof))).subject).toBe(WORKLOAD)
  })
})

describe("a WIT beside a user's token", () => {
  it('names the agent, and makes the token no less stealable', async () => {
    const claims = await accepted(await beside(await token()))
    expect(claims).toMatchObject({
      issuer: ISSUER,
      subject: 'alice',
      client: 'acme-agent',
      agent: WORKLOAD,
      actorChain: [WORKLOAD],
      senderConstrained: false,
      tokenId: 'token-1',
    })
    expect(claims.bindings.map(({ kind }) => kind)).toEqual(['workload'])
    expect(claims.proofs.map(({ kind }) => kind)).toEqual(['workload'])
  })

  it('may be the agent that the token names already, or lets act', async () => {
    const members = { act: `{"sub":"${WORKLOAD}"}`, may_act: `{"sub":"${WORKLOAD}"}` }
    const claims = await accepted(await beside(await token(members)))
    expect(claims.agent).toBe(WORKLOAD)
    expect(claims.actorChain).toEqual([WORKLOAD])
  })
})
