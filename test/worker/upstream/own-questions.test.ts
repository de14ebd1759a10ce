import { beforeEach, describe, expect, it } from 'vitest'
import { isActive, signsForCrm, verifierOf } from '../../support/worker/signed.ts'
import { pin, serve } from '../../support/worker/upstream.ts'
import { call, inThisWorld, newUser, seen, sql, token } from '../../support/worker/world.ts'

inThisWorld()

const NOTE = { name: 'note', description: 'Writes a note', inputSchema: { type: 'object' } }

// A pinned tool that nobody has listed lately: Sallyport lists for itself before the call goes.
beforeEach(async () => {
  await pin(NOTE)
  serve({ tools: () => [NOTE] })
})

const calls = async () => call('note', { token: await token({ sub: await newUser() }) })

const own = () => seen.filter(({ body }) => !body.includes('tools/call'))

describe('what Sallyport asks a server by itself', () => {
  it('is signed in its own name, message by message', async () => {
    await signsForCrm()
    expect((await calls()).code).toBe('allowed')
    expect(own().length).toBeGreaterThan(1)
    const verify = await verifierOf()
    for (const { headers, body } of own()) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verify(headers.get('authorization'), body)).toMatchObject({
        ok: true,
        caller: { isSallyport: true, task: null, agent: null },
      })
    }
  })

  it('holds for as long as the server does', async () => {
    await signsForCrm()
    await calls()
    const text = (own()[0]?.headers.get('authorization') ?? '').replace('Bearer ', '')
    expect(await isActive(text)).toBe(true)
    await sql("UPDATE servers SET active = 0 WHERE name = 'crm'")
    expect(await isActive(text)).toBe(false)
  })

  it('brings the secret that a server wants', async () => {
    await sql(
      "UPDATE servers SET credential = 'secret', credential_secret = 'UPSTREAM_CRM' WHERE name = 'crm'",
    )
    expect((await calls()).code).toBe('allowed')
    expect(own().map(({ headers }) => headers.get('x-api-key'))).toEqual(own().map(() => 'k-4711'))
  })

  it('is not asked where the secret cannot be had', async () => {
    await sql(
      "UPDATE servers SET credential = 'secret', credential_secret = 'UPSTREAM_NOBODY' WHERE name = 'crm'",
    )
    expect((await calls()).code).toBe('tool_unverified')
    expect(seen).toEqual([])
  })
})
