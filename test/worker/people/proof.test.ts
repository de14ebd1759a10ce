import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { consentState } from '../../../src/pdp/consent.ts'
import type { ToolFacts } from '../../../src/pdp/evaluation.ts'
import { logOf } from '../../support/worker/log.ts'
import { Browser, formIn, grantNote, withLogin } from '../../support/worker/pages.ts'
import { call, inThisWorld, newUser, sql, token } from '../../support/worker/world.ts'

inThisWorld()
withLogin()

const GRANT = '/consents/crm/grant'
const WITHDRAW = '/consents/crm/withdraw'

describe('requirement 15: consent is recorded per client, and provable later', () => {
  it('the rows and the decision log together say which client could do what, when', async () => {
    const sub = await newUser()
    const browser = new Browser()
    await browser.logIn(sub)
    const clients = ['acme-agent', 'other-agent'] as const
    const everybody = async () => {
      for (const client of clients) await call('note', { token: await token({ sub, client }) })
    }
    await everybody()
    await grantNote(browser, 'open')
    await everybody()
    const ask = await browser.get('/consents/crm?client=other-agent&what=access:write')
    await browser.post(GRANT, { ...formIn(ask, GRANT), until: 'day' })
    await everybody()
    const own = formIn(await browser.get('/consents/crm'), WITHDRAW, 'Withdraw: acme-agent')
    await browser.post(WITHDRAW, own)
    await everybody()

    const log = await logOf(sub)
    const { results: consents } = await env.DB.prepare(
      'SELECT * FROM consents WHERE subject = ?1 ORDER BY id',
    )
      .bind(sub)
      .all<ConsentColumns>()
    const decided = log.map(({ decision, record }) => {
      const { request, facts } = record.inputs as unknown as Inputs
      const { client } = request.subject.properties
      const { now } = request.context
      // From the rows alone: what this client could do at that moment.
      const then = consents
        .filter((row) => row.client === client && row.granted_at <= now)
        .map((row) => ({
          id: row.id,
          tool: row.tool,
          access: row.access,
          definitionHash: row.definition_hash,
          expiresAt: row.expires_at,
          revokedAt: row.revoked_at !== null && row.revoked_at <= now ? row.revoked_at : null,
        }))
      // The decision was made by the same rows, by value.
      expect(facts.consents).toEqual(then)
      expect(decision).toBe(consentState(facts.tool, then, now) === 'given' ? 'allow' : 'deny')
      return `${client} ${decision}`
    })
    expect(decided).toEqual([
      'acme-agent deny',
      'other-agent deny',
      'acme-agent allow',
      // The same refusal once more is counted in the record of the first.
      'acme-agent allow',
      'other-agent allow',
      'acme-agent deny',
      'other-agent allow',
    ])
    // And nobody can write it otherwise afterwards.
    await expect(sql('DELETE FROM consents')).rejects.toThrow('is proof')
    await expect(sql("UPDATE consents SET client = 'other-agent'")).rejects.toThrow('is proof')
  })
})

interface ConsentColumns {
  readonly id: string
  readonly client: string
  readonly tool: string | null
  readonly access: 'write' | null
  readonly definition_hash: string | null
  readonly granted_at: number
  readonly expires_at: number | null
  readonly revoked_at: number | null
}

interface Inputs {
  readonly request: {
    readonly subject: { readonly properties: { readonly client: string } }
    readonly context: { readonly now: number }
  }
  readonly facts: { readonly tool: ToolFacts; readonly consents: readonly unknown[] }
}
