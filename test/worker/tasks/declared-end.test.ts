import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  eventsOf,
  nextLook,
  objectOf,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import { call, inThisWorld, newUser, sql, token } from '../../support/worker/world.ts'
import { close, setUp } from './door.ts'

inThisWorld()
withExchange()
beforeEach(async () => {
  await setUp()
  await sql('UPDATE issuers SET opens_tasks = 1')
})

/** Whoever calls under a task that only their token declares, and carries a token of the issuer's for it. */
async function acting(txn: string): Promise<string> {
  const sub = await newUser()
  const expires = Math.floor(Date.now() / 1000) + 60
  const details = [{ type: 'mcp_task', purpose: 'notes', expires_at: expires }]
  const bearer = await token({ sub, claims: { txn, authorization_details: details } })
  expect((await call('note', { token: bearer })).code).toBe('allowed')
  // The log hears of it, and by itself the object would not look again so soon.
  await nextLook(sub)
  await runInDurableObject(await objectOf(sub), (_, { storage }) =>
    storage.setAlarm(Date.now() + 60_000),
  )
  return sub
}

describe('the end of a task that only tokens declare', () => {
  it('is felt at once by whatever was given under it, whoever has it', async () => {
    const holders = [await acting('t-1'), await acting('t-1')]
    const other = await acting('t-2')
    expect((await close('txn:t-1')).status).toBe(200)
    await vi.waitFor(() => expect(revocations).toHaveLength(2), { timeout: 2_500 })
    for (const sub of holders) {
      // oxlint-disable-next-line no-await-in-loop
      await nextLook(sub)
      // oxlint-disable-next-line no-await-in-loop
      expect((await eventsOf(sub)).map(({ event, cause }) => [event, cause])).toContainEqual([
        'ended',
        'revoked:task',
      ])
    }
    await nextLook(other)
    expect(revocations).toHaveLength(2)
  })

  it('of another issuer touches nothing', async () => {
    await acting('t-1')
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', 'https://other.example', 'https://other.example/jwks.json')`,
    )
    const path = '/tasks/txn:t-1?issuer=https://other.example'
    expect((await close('', { path })).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(revocations).toEqual([])
  })
})
