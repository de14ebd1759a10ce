// Openers that show keys: their proofs count once, and for this door; and workloads.

import * as dpop from 'dpop'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { inThisWorld, ORIGIN, RESOURCE, sql } from '../../support/worker/world.ts'
import {
  DOMAIN,
  REPORTER,
  STRANGER,
  svid,
  trustWorkloads,
} from '../authentication/workload-smith.ts'
import { ask, AUDIENCE, notes, openerRow, openerToken, read, rowsOf, setUp } from './door.ts'

inThisWorld()
beforeEach(setUp)

const keyPair = await dpop.generateKeyPair('ES256', { extractable: true })
const cnf = { jkt: await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)) }
const proofOf = (bearer: string, htu = AUDIENCE, method = 'POST') =>
  dpop.generateProof(keyPair, htu, method, undefined, bearer)
const shown = (bearer: string, proof: string) => ({
  token: null,
  headers: { authorization: `DPoP ${bearer}`, dpop: proof },
})

describe('an opener with a DPoP token', () => {
  it('opens, and its proof is good for one request', async () => {
    const bearer = await openerToken({ claims: { cnf } })
    const proof = await proofOf(bearer)
    const opened = await ask(notes(), shown(bearer, proof))
    expect(opened.status).toBe(201)
    expect((await ask(notes(), shown(bearer, proof))).status).toBe(401)
    const address = `${AUDIENCE}/${opened.id}`
    const reading = await proofOf(bearer, address, 'GET')
    expect((await read(opened.id, shown(bearer, reading))).status).toBe(200)
    expect(await rowsOf()).toHaveLength(1)
  })

  it.each([
    ['another door', RESOURCE, 'POST'],
    ['another method', AUDIENCE, 'GET'],
    ['one task', `${AUDIENCE}/task_x`, 'POST'],
    ['another origin', `${ORIGIN.replace('localhost', 'evil.example')}/tasks`, 'POST'],
  ])('not with a proof for %s', async (_, htu, method) => {
    const bearer = await openerToken({ claims: { cnf } })
    const reply = await ask(notes(), shown(bearer, await proofOf(bearer, htu, method)))
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toContain('DPoP realm="tasks"')
  })

  it('nor as a plain bearer token', async () => {
    const bearer = await openerToken({ claims: { cnf } })
    expect((await ask(notes(), { token: bearer })).status).toBe(401)
    expect(await rowsOf()).toEqual([])
  })

  it('nor with a key that was taken back', async () => {
    const bearer = await openerToken({ claims: { cnf } })
    await sql(
      `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'proof_key', '${cnf.jkt}')`,
    )
    expect((await ask(notes(), shown(bearer, await proofOf(bearer)))).status).toBe(401)
  })
})

describe('a workload', () => {
  beforeEach(async () => {
    await trustWorkloads()
    await sql(
      `INSERT OR IGNORE INTO clients (tenant, issuer, id) VALUES ('acme', '${DOMAIN}', '${REPORTER}'), ('acme', '${DOMAIN}', '${STRANGER}')`,
      openerRow({ issuer: DOMAIN, id: REPORTER }),
    )
  })
  const own = (sub: string) => svid(sub, { aud: AUDIENCE })
  const ISSUER = 'https://issuer.example'

  it('opens as what its trust domain says that it is', async () => {
    const reply = await ask(notes({ issuer: ISSUER }), { token: await own(REPORTER) })
    expect(reply.status).toBe(201)
    expect(reply.body).toMatchObject({ opened: { by: REPORTER, issuer: DOMAIN } })
    expect((await ask(notes({ issuer: ISSUER }), { token: await own(STRANGER) })).status).toBe(403)
  })

  it('and not for an agent of its own name, whichever issuer knows it', async () => {
    await sql(`INSERT INTO agents (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${REPORTER}')`)
    const reply = await ask(notes({ issuer: ISSUER, agent: REPORTER }), {
      token: await own(REPORTER),
    })
    expect(reply).toMatchObject({ status: 403, error: 'opener_acts' })
  })
})
