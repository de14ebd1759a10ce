import * as dpop from 'dpop'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  inThisWorld,
  ISSUER,
  newUser,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const keys = await dpop.generateKeyPair('ES256', { extractable: true })
const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey))

/** A person with a bound token of one login. */
async function person() {
  const sub = await newUser()
  const login = `login-${sub}`
  const jti = `token-${sub}`
  const ask = async (claims: object = {}) => {
    const bearer = await token({ sub, claims: { cnf: { jkt }, sid: login, jti, ...claims } })
    const proof = await dpop.generateProof(keys, RESOURCE, 'POST', undefined, bearer)
    return post(toolCall('note'), {
      token: null,
      headers: { authorization: `DPoP ${bearer}`, dpop: proof },
    })
  }
  return { sub, login, jti, ask }
}

const revoke = (kind: string, id: string, issuer = '*') =>
  sql(
    `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', '${kind}', '${id}', '${issuer}')`,
  )

describe('what is revoked of a credential ends the next call that comes with it', () => {
  it.each([
    ['token', ({ jti }: { jti: string }) => jti],
    ['token_session', ({ login }: { login: string }) => login],
    ['proof_key', () => jkt],
    ['issuer_key', () => 'k1'],
  ] as const)('%s', async (kind, idOf) => {
    const who = await person()
    expect((await who.ask()).status).toBe(200)
    for (const issuer of ['*', ISSUER]) {
      await revoke(kind, idOf(who), issuer)
      const response = await who.ask()
      // Another token would help, so the client is asked for one.
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect((await lastOf(who.sub)).record.refusal).toMatchObject({ reason: 'revoked', kind })
      await sql('DELETE FROM revocations')
      expect((await who.ask()).status).toBe(200)
    }
    expect(seen).toHaveLength(3)
  })

  it.each([
    ['token_session', 'another-login', '*'],
    ['proof_key', 'A'.repeat(43), '*'],
    ['issuer_key', 'k2', '*'],
    ['issuer_key', 'k1', 'https://other.example'],
    ['token_session', 'k1', '*'],
    ['issuer_key', 'alice', '*'],
  ])('%s %s of %s is somebody else', async (kind, id, issuer) => {
    await revoke(kind, id, issuer)
    expect((await (await person()).ask()).status).toBe(200)
  })

  it('a login ends with every token of it, and no other login of that person', async () => {
    const who = await person()
    await revoke('token_session', who.login, ISSUER)
    expect((await who.ask({ jti: 'fresh' })).status).toBe(401)
    expect((await who.ask({ sid: 'another' })).status).toBe(200)
    expect((await who.ask({ sid: undefined })).status).toBe(200)
  })

  it('a kind that nobody knows is no row', async () => {
    await expect(revoke('key', jkt)).rejects.toThrow(/constraint/i)
  })
})
