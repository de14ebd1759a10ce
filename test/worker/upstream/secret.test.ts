import { describe, expect, it } from 'vitest'
import { call, inThisWorld, newUser, seen, sql, token } from '../../support/worker/world.ts'

inThisWorld()

const use = (name: string) =>
  sql(`UPDATE servers SET credential = 'secret', credential_secret = '${name}' WHERE name = 'crm'`)
const asked = async () => call('note', { token: await token({ sub: await newUser() }) })

describe('a server that wants a secret', () => {
  it('gets it in the header that the secret itself names', async () => {
    await use('UPSTREAM_CRM')
    expect((await asked()).code).toBe('allowed')
    expect(seen[0]?.headers.get('x-api-key')).toBe('k-4711')
    expect(seen[0]?.headers.get('authorization')).toBeNull()
  })

  it.each([
    ['of another tenant', 'UPSTREAM_GLOBEX'],
    ['for another origin', 'UPSTREAM_ELSEWHERE'],
    ['for a header that is not for secrets', 'UPSTREAM_HOST'],
    ['that brings a header along', 'UPSTREAM_LINES'],
    ['that nobody stored', 'UPSTREAM_NOBODY'],
  ])('never gets one %s', async (_what, name) => {
    await use(name)
    expect(await asked()).toMatchObject({ status: 503, code: 'credential_unavailable' })
    expect(seen).toEqual([])
  })

  it('keeps it from another origin that SQL puts in its place', async () => {
    await use('UPSTREAM_CRM')
    await sql("UPDATE servers SET url = 'https://evil.example/mcp' WHERE name = 'crm'")
    expect(await asked()).toMatchObject({ status: 503, code: 'credential_unavailable' })
    expect(seen).toEqual([])
  })

  it.each([
    ['SIGNING_KEYS'],
    ['SEALING_KEYS'],
    ['EXCHANGE_ACME'],
    ['INTROSPECTION_ACME'],
    ['upstream_crm'],
    ['UPSTREAM_'],
  ])('cannot be given %s', async (name) => {
    await expect(use(name)).rejects.toThrow('CHECK constraint failed')
  })
})
