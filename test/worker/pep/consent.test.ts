import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  forgetForGood,
  inThisWorld,
  ISSUER,
  listed,
  newUser,
  post,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const PIN = 'a'.repeat(64)

/** A consent of this subject for `note` through acme-agent; columns may say otherwise. */
const consent = (subject: string, columns: Record<string, string | number | null> = {}) => {
  const row = {
    tenant: 'acme',
    id: crypto.randomUUID(),
    issuer: ISSUER,
    subject,
    client: 'acme-agent',
    server: 'crm',
    tool: 'note',
    ...columns,
  }
  const values = Object.values(row).map((value) =>
    typeof value === 'string' ? `'${value}'` : String(value),
  )
  return `INSERT INTO consents (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`
}

beforeEach(() => sql("UPDATE servers SET consent_required = 1 WHERE name = 'crm'"))

async function person() {
  const sub = await newUser()
  const bearer = await token({ sub })
  const code = async (tool = 'note') => (await call(tool, { token: bearer })).code
  return { sub, bearer, code }
}

/** What the record says is wrong with the consent. */
const stateOf = async (sub: string) => (await lastOf(sub)).record.refusal

describe('a client acts for a person with their consent', () => {
  it('and tells which one is missing', async () => {
    const { sub, bearer, code } = await person()
    const response = await post(toolCall('note'), { token: bearer })
    expect(await response.json()).toMatchObject({
      result: {
        isError: true,
        _meta: {
          'sallyport/refusal': {
            code: 'consent_required',
            retryable: false,
            help: {
              kind: 'obtain_consent',
              client: 'acme-agent',
              tool: 'note',
              access: 'write',
              page: 'http://localhost:8787/consents/crm?client=acme-agent&tool=note',
            },
          },
        },
      },
    })
    expect(seen).toEqual([])
    await sql(consent(sub))
    expect(await code()).toBe('allowed')
    await forgetForGood('consents')
    await sql('UPDATE servers SET consent_required = 0')
    expect(await code()).toBe('allowed')
  })

  it.each<[string, Record<string, string | number | null>]>([
    ['expired', { expires_at: 1 }],
    ['missing', { tool: 'other' }],
    ['missing', { tool: 'Note' }],
    ['missing', { access: 'read' }],
    ['missing', { client: 'x' }],
    ['missing', { issuer: 'x' }],
    ['outdated', { definition_hash: PIN }],
  ])('is %s with %o', async (state, columns) => {
    const { sub, code } = await person()
    await sql(consent(sub, { granted_at: 0, ...columns }))
    expect(await code()).toBe('consent_required')
    expect(await stateOf(sub)).toMatchObject({ reason: 'consent_required', state })
    await sql(consent(sub))
    expect(await code()).toBe('allowed')
    expect(seen).toHaveLength(1)
  })

  it.each([
    ['the row', 'UPDATE consents SET revoked_at = granted_at WHERE revoked_at IS NULL'],
    [
      'a revocation',
      "INSERT INTO revocations (tenant, kind, id) SELECT 'acme', 'consent', id FROM consents",
    ],
  ])('the next call feels that %s takes it back', async (_, change) => {
    const { sub, code } = await person()
    for (let round = 0; round < 2; round += 1) {
      await sql(consent(sub))
      expect(await code()).toBe('allowed')
      await sql(change)
      expect(await code()).toBe('consent_required')
      expect(await stateOf(sub)).toMatchObject({ reason: 'consent_required', state: 'withdrawn' })
      await sql('DELETE FROM revocations')
      await sql('UPDATE consents SET revoked_at = granted_at WHERE revoked_at IS NULL')
    }
    expect(seen).toHaveLength(2)
  })

  it('a revocation of another issuer or another consent takes none back', async () => {
    const { sub, code } = await person()
    await sql(
      consent(sub, { id: `of-${sub}` }),
      `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', 'consent', 'of-${sub}', 'https://other.example')`,
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'consent', 'another')",
    )
    expect(await code()).toBe('allowed')
  })

  it('ends by the clock, without an edit', async () => {
    const { sub, code } = await person()
    await sql(consent(sub, { expires_at: Date.now() + 1_000 }))
    expect(await code()).toBe('allowed')
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect(await code()).toBe('consent_required')
    expect(await stateOf(sub)).toMatchObject({ state: 'expired' })
  })

  it('is outdated where the definition was pinned anew', async () => {
    const { sub, code } = await person()
    const pinned = (hash: string) =>
      sql(
        `UPDATE tools SET definition_hash = '${hash}' WHERE name = 'note'`,
        `INSERT INTO tool_sightings (tenant, server, tool, definition_hash, matched_at)
         VALUES ('acme', 'crm', 'note', '${hash}', CAST(unixepoch('subsec') * 1000 AS INTEGER))`,
      )
    await sql(consent(sub, { definition_hash: PIN }))
    await pinned(PIN)
    expect(await code()).toBe('allowed')
    await pinned('b'.repeat(64))
    expect(await code()).toBe('consent_required')
    expect(await stateOf(sub)).toMatchObject({ state: 'outdated' })
    await sql(consent(sub, { id: 'again', definition_hash: 'b'.repeat(64) }))
    expect(await code()).toBe('allowed')
  })
})

describe('a consent is', () => {
  it('of one person through one client', async () => {
    const { sub, code } = await person()
    await sql(consent(sub))
    expect(await code()).toBe('allowed')
    const other = await token({ sub, client: 'other-agent' })
    expect((await call('note', { token: other })).code).toBe('consent_required')
    expect(await (await person()).code()).toBe('consent_required')
    // An agent that acts through the client stands behind the same consent.
    expect((await call('note', { token: await token({ sub, agent: 'bot' }) })).code).toBe('allowed')
  })

  it('for one tool, or for one class of access', async () => {
    const { sub, code } = await person()
    const codes = async () => [await code('note'), await code('read_all'), await code('delete_one')]
    await sql(consent(sub))
    expect(await codes()).toEqual(['allowed', 'consent_required', 'consent_required'])
    await sql(
      'UPDATE consents SET revoked_at = granted_at',
      consent(sub, { tool: null, access: 'read' }),
    )
    expect(await codes()).toEqual(['consent_required', 'allowed', 'consent_required'])
    await sql(consent(sub, { id: 'second', tool: null, access: 'destructive' }))
    expect(await codes()).toEqual(['consent_required', 'allowed', 'allowed'])
  })

  it('for one server', async () => {
    const { sub, code } = await person()
    await sql(
      "INSERT INTO servers (name, tenant, url) VALUES ('ext', 'acme', 'https://crm.example/mcp/ext')",
      consent(sub, { server: 'ext' }),
    )
    expect(await code()).toBe('consent_required')
  })

  it('none of a workload that acts for itself: there is nobody to ask', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, client) VALUES ('acme', 'machine', 'allow', 'acme-agent')",
    )
    const workload = await token({ sub: 'acme-agent', client: 'acme-agent' })
    expect((await call('note', { token: workload })).code).toBe('allowed')
  })

  it('what a listing shows', async () => {
    const { sub, bearer } = await person()
    expect(await listed({ token: bearer })).toEqual([])
    await sql(consent(sub))
    expect(await listed({ token: bearer })).toEqual(['note'])
    await sql(consent(sub, { id: 'more', tool: null, access: 'read' }))
    expect(await listed({ token: bearer })).toEqual(['read_all', 'note'])
    await sql('UPDATE consents SET revoked_at = granted_at')
    expect(await listed({ token: bearer })).toEqual([])
  })
})
