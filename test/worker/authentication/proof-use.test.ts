import * as dpop from 'dpop'
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  inThisWorld,
  newUser,
  post,
  RESOURCE,
  seen,
  sessionKey,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()
afterEach(() => void vi.useRealTimers())

const keyPair = await dpop.generateKeyPair('ES256', { extractable: true })
const jkt = await calculateJwkThumbprint(await exportJWK(keyPair.publicKey))

const boundToken = async (sub: string) => token({ sub, claims: { cnf: { jkt } } })
const proofOf = (accessToken: string, nonce?: string) =>
  dpop.generateProof(keyPair, RESOURCE, 'POST', nonce, accessToken)

const send = (accessToken: string, proof: string, tool = 'note', args: object = {}) =>
  post(toolCall(tool, args), {
    token: null,
    headers: { authorization: `DPoP ${accessToken}`, dpop: proof },
  })

const challenge = (response: Response) => response.headers.get('www-authenticate') ?? ''
const session = async (sub: string) => env.SESSIONS.getByName(await sessionKey(sub))

describe('a proof is good for one request', () => {
  it('and replayed it is refused, with nothing sent and nothing recorded', async () => {
    const sub = await newUser()
    const accessToken = await boundToken(sub)
    const proof = await proofOf(accessToken)
    expect((await send(accessToken, proof)).status).toBe(200)
    const again = await send(accessToken, proof)
    expect(again.status).toBe(401)
    expect(challenge(again)).toMatch(/^DPoP error="invalid_dpop_proof"/)
    expect(seen).toHaveLength(1)
    await runDurableObjectAlarm(await session(sub))
    const { results } = await env.DECISIONS.prepare('SELECT id FROM decisions WHERE subject = ?')
      .bind(sub)
      .all()
    expect(results).toHaveLength(1)
  })

  it('of a hundred at the same instant one is served', async () => {
    const accessToken = await boundToken(await newUser())
    const proof = await proofOf(accessToken)
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => (await send(accessToken, proof)).status),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 401)).toHaveLength(99)
    expect(seen).toHaveLength(1)
  })

  it('also where it was refused by a policy: it is not kept for better days', async () => {
    const accessToken = await boundToken(await newUser())
    const proof = await proofOf(accessToken)
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'not-now', 'deny', 'note')",
    )
    expect(await (await send(accessToken, proof)).text()).toContain('denied_by_policy')
    await sql("UPDATE policies SET mode = 'shadow' WHERE id = 'not-now'")
    expect((await send(accessToken, proof)).status).toBe(401)
    expect(seen).toHaveLength(0)
  })

  it('for another tool, another message, and after the session was let go of', async () => {
    const sub = await newUser()
    const accessToken = await boundToken(sub)
    const proof = await proofOf(accessToken)
    expect((await send(accessToken, proof)).status).toBe(200)
    await evictDurableObject(await session(sub))
    expect((await send(accessToken, proof, 'read_all')).status).toBe(401)
    expect((await send(accessToken, proof, 'note', { other: 1 })).status).toBe(401)
  })

  it('replays do no harm to whom they were taken from: they are no denials', async () => {
    const sub = await newUser()
    const accessToken = await boundToken(sub)
    const proof = await proofOf(accessToken)
    await send(accessToken, proof)
    await Promise.all(Array.from({ length: 20 }, async () => send(accessToken, proof)))
    expect((await send(accessToken, await proofOf(accessToken))).status).toBe(200)
  })

  it('and is forgotten once its age alone refuses it', async () => {
    const sub = await newUser()
    const accessToken = await boundToken(sub)
    const proof = await proofOf(accessToken)
    await send(accessToken, proof)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 })
    expect((await send(accessToken, proof)).status).toBe(401)
    const fresh = await boundToken(sub)
    expect((await send(fresh, await proofOf(fresh))).status).toBe(200)
  })
})

describe('where the server wants a nonce', () => {
  const wanted = () => sql("UPDATE servers SET dpop_nonce = 1 WHERE name = 'crm'")

  it('is told to a proof that lacks it, and the next one passes', async () => {
    await wanted()
    const accessToken = await boundToken(await newUser())
    const first = await send(accessToken, await proofOf(accessToken))
    expect(first.status).toBe(401)
    expect(challenge(first)).toMatch(/^DPoP error="use_dpop_nonce"/)
    const nonce = first.headers.get('dpop-nonce') ?? ''
    expect(nonce).toMatch(/^[\w-]{32}$/)
    expect((await send(accessToken, await proofOf(accessToken, nonce))).status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  it('oauth4webapi answers it by itself', async () => {
    await wanted()
    const accessToken = await boundToken(await newUser())
    const handle = oauth.DPoP({}, keyPair)
    const ask = () =>
      oauth.protectedResourceRequest(
        accessToken,
        'POST',
        new URL(RESOURCE),
        new Headers({
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        }),
        toolCall('note'),
        {
          DPoP: handle,
          [oauth.allowInsecureRequests]: true,
          [oauth.customFetch]: async (url, init) =>
            exports.default.fetch(new Request(url, init as RequestInit)),
        },
      )
    // It keeps the nonce of the first answer and says that the request should be repeated.
    await ask().catch((error: unknown) => {
      if (!oauth.isDPoPNonceError(error)) throw error
    })
    expect((await ask()).status).toBe(200)
  })

  it('lasts a minute or two, and the answer brings the next one before it ends', async () => {
    await wanted()
    vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 + 1000 })
    const sub = await newUser()
    const accessToken = await boundToken(sub)
    const first = await send(accessToken, await proofOf(accessToken))
    const nonce = first.headers.get('dpop-nonce') ?? ''
    const inTime = await send(accessToken, await proofOf(accessToken, nonce))
    expect([inTime.status, inTime.headers.get('dpop-nonce')]).toEqual([200, null])
    vi.setSystemTime(Date.now() + 60_000)
    const late = await send(accessToken, await proofOf(accessToken, nonce))
    const next = late.headers.get('dpop-nonce') ?? ''
    expect(late.status).toBe(200)
    expect(next).toMatch(/^[\w-]{32}$/)
    expect(next).not.toBe(nonce)
    vi.setSystemTime(Date.now() + 60_000)
    expect((await send(accessToken, await proofOf(accessToken, nonce))).status).toBe(401)
    expect((await send(accessToken, await proofOf(accessToken, next))).status).toBe(200)
  })

  it('of another subject, of another key or made up is none', async () => {
    await wanted()
    const [mine, theirs] = [await boundToken(await newUser()), await boundToken(await newUser())]
    const nonce =
      (await send(theirs, await proofOf(theirs))).headers.get('dpop-nonce') ?? 'none was given'
    for (const other of [nonce, 'x'.repeat(32), '']) {
      expect((await send(mine, await proofOf(mine, other))).status).toBe(401)
    }
    expect(seen).toHaveLength(0)
  })

  it('a token that is bound to nothing is not asked for one', async () => {
    await wanted()
    const response = await post(toolCall('note'), { token: await token({ sub: await newUser() }) })
    expect(response.status).toBe(200)
  })
})
