// Callers of the AuthZEN doors that show keys: proofs of theirs count once there too, and at no other
// door, and a workload asks by its trust domain.

import * as dpop from 'dpop'
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { calculateJwkThumbprint, exportJWK, type JWTPayload } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import { hashOf } from '../../../src/authentication/thumbprint.ts'
import {
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'
import {
  DOMAIN,
  REPORTER,
  STRANGER,
  svid,
  trustWorkloads,
  wit,
  wpt,
} from '../authentication/workload-smith.ts'
import { ask, AUDIENCE, CALLER, callerToken, mayCall, register, type AskOptions } from './ask.ts'

inThisWorld()
beforeEach(() => register())

const EVALUATION = `${ORIGIN}/access/v1/evaluation`
const ALIAS = 'http://127.0.0.1:8787'

const keyPair = await dpop.generateKeyPair('ES256', { extractable: true })
const cnf = { jkt: await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)) }
const proofOf = (accessToken: string, htu = EVALUATION) =>
  dpop.generateProof(keyPair, htu, 'POST', undefined, accessToken)

const question = async () => mayCall('note', await newUser())
const show = async (accessToken: string, proof: string, options: AskOptions = {}) =>
  ask(await question(), {
    token: null,
    headers: { authorization: `DPoP ${accessToken}`, dpop: proof },
    ...options,
  })

describe('a caller with a DPoP token', () => {
  it('asks, and its proof is good for one question', async () => {
    const accessToken = await callerToken({ claims: { cnf } })
    const proof = await proofOf(accessToken)
    expect(await show(accessToken, proof)).toMatchObject({ status: 200, decision: true })
    const again = await show(accessToken, proof)
    expect(again.status).toBe(401)
    expect(again.headers.get('www-authenticate')).toBe(
      'DPoP realm="access/v1", error="invalid_dpop_proof"',
    )
    expect(await show(accessToken, await proofOf(accessToken))).toMatchObject({ decision: true })
  })

  it('of fifty at the same instant one is answered', async () => {
    const accessToken = await callerToken({ claims: { cnf } })
    const proof = await proofOf(accessToken)
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await show(accessToken, proof)).status),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  })

  it('finds its proof used up under another of our origins, in a new isolate and however spelled', async () => {
    const accessToken = await callerToken({ claims: { cnf } })
    const proof = await proofOf(accessToken, EVALUATION.replace('localhost', 'LOCALHOST'))
    expect(await show(accessToken, proof)).toMatchObject({ decision: true })
    expect((await show(accessToken, proof, { origin: ALIAS })).status).toBe(401)
    const elsewhere = await app.fetch(
      new Request(EVALUATION, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `DPoP ${accessToken}`,
          dpop: proof,
        },
        body: JSON.stringify(await question()),
      }),
      { ...env },
      createExecutionContext(),
    )
    expect(elsewhere.status).toBe(401)
  })

  it.each([
    ['the other door', `${EVALUATION}s`],
    ['an MCP server', RESOURCE],
    ['the audience', AUDIENCE],
    ['the door in another spelling of its path', EVALUATION.replace('evaluation', '%65valuation')],
  ])('asks nothing with a proof for %s', async (_what, htu) => {
    const accessToken = await callerToken({ claims: { cnf } })
    expect((await show(accessToken, await proofOf(accessToken, htu))).status).toBe(401)
  })

  it('asks nothing with a proof for the very spelling of the path that it sends', async () => {
    const accessToken = await callerToken({ claims: { cnf } })
    const path = '/access/v1/%65valuation'
    const proof = await proofOf(accessToken, `${ORIGIN}${path}`)
    expect((await show(accessToken, proof, { path })).status).toBe(401)
  })

  it('opens no MCP server with it, though the token be for both', async () => {
    const accessToken = await token({
      sub: CALLER,
      client: CALLER,
      claims: { cnf, aud: [AUDIENCE, RESOURCE] },
    })
    const proof = await proofOf(accessToken)
    const headers = { authorization: `DPoP ${accessToken}`, dpop: proof }
    expect((await post(toolCall('note'), { token: null, headers })).status).toBe(401)
    expect(seen).toEqual([])
    // And it was not used up by being shown where it proves nothing.
    expect(await show(accessToken, proof)).toMatchObject({ decision: true })
  })

  it('asks nothing with the token alone, or as a plain one', async () => {
    const accessToken = await callerToken({ claims: { cnf } })
    const proof = await proofOf(accessToken)
    const authorization = `Bearer ${accessToken}`
    for (const headers of [{ authorization }, { authorization, dpop: proof }]) {
      expect((await ask(await question(), { token: null, headers })).status).toBe(401)
    }
  })
})

describe('a workload', () => {
  beforeEach(async () => {
    await trustWorkloads()
    await sql(
      `INSERT INTO pdp_callers (tenant, issuer, client, servers) VALUES ('acme', '${DOMAIN}', '${REPORTER}', '["crm"]')`,
    )
  })

  // The question is about a person of the issuer, whom the workload serves.
  const asked = async () => {
    const { subject, ...rest } = await question()
    return {
      ...rest,
      subject: { ...subject, properties: { ...subject.properties, issuer: ISSUER } },
    }
  }
  const headersOf = async (text: string, claims: JWTPayload = {}) => ({
    'workload-identity-token': text,
    'workload-proof-token': await wpt(text, { aud: EVALUATION, ...claims }),
  })

  it.each([
    ['none', {}],
    ['its own', { iss: DOMAIN }],
    ['an address that no row knows', { iss: 'https://oidc.spire.example' }],
    ['an issuer of people', { iss: ISSUER }],
  ])('asks by its trust domain, with an `iss` that is %s', async (_what, claims) => {
    const bearer = await svid(REPORTER, { aud: AUDIENCE, ...claims })
    expect(await ask(await asked(), { token: bearer })).toMatchObject({ decision: true })
    const headers = await headersOf(await wit(REPORTER, claims))
    expect(await ask(await asked(), { token: null, headers })).toMatchObject({ decision: true })
  })

  it('has a proof for one question, and none for an MCP server', async () => {
    const headers = await headersOf(await wit())
    expect(await ask(await asked(), { token: null, headers })).toMatchObject({ decision: true })
    expect((await ask(await asked(), { token: null, headers })).status).toBe(400)
    const atServer = { token: null, headers: await headersOf(await wit()) }
    expect((await post(toolCall('read_all'), atServer)).status).toBe(400)
    const forServer = await headersOf(await wit(), { aud: RESOURCE })
    expect((await ask(await asked(), { token: null, headers: forServer })).status).toBe(400)
    expect(seen).toEqual([])
  })

  it('without a row, of another trust domain, or beside a caller’s token asks nothing', async () => {
    const stranger = await svid(STRANGER, { aud: AUDIENCE })
    expect((await ask(await asked(), { token: stranger })).status).toBe(403)
    const foreign = await svid('spiffe://other.example/a', { aud: AUDIENCE, iss: DOMAIN })
    expect((await ask(await asked(), { token: foreign })).status).toBe(401)
    const caller = await callerToken()
    const headers = await headersOf(await wit(), { ath: hashOf(caller) })
    expect((await ask(await asked(), { token: caller, headers })).status).toBe(403)
  })
})
