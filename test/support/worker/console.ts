import { env } from 'cloudflare:workers'
import { formIn, type Browser, type Page } from './pages.ts'

/** The room of revocations, for the tenant of this server. */
export const roomOf = (server: string) => `/console/${server}/revocations`
export const ROOM = roomOf('crm')
export const REVOKE = `${ROOM}/revoke`
export const LIFT = `${ROOM}/lift`

export const asking = (kind: string, id: string, issuer = '*', room = ROOM): string =>
  `${room}?${new URLSearchParams({ kind, id, issuer }).toString()}`

/** The form that would revoke it, as the page has it. */
export const revokeForm = async (browser: Browser, kind: string, id: string, issuer = '*') =>
  formIn(await browser.get(asking(kind, id, issuer)), REVOKE)

/** As a person does: look, then send. */
export async function revoke(
  browser: Browser,
  kind: string,
  id: string,
  issuer = '*',
  reason = '',
): Promise<Page> {
  return browser.post(REVOKE, { ...(await revokeForm(browser, kind, id, issuer)), reason })
}

export const liftForm = async (browser: Browser, containing: string) =>
  formIn(await browser.get(ROOM), LIFT, containing)

export interface Entry {
  readonly change: string
  readonly changed_by: string
  readonly source: string
  readonly reason: string
  readonly revoked_by: string
  readonly issued_before: number | null
}

/** What was ever said of this id: the history is never deleted, so ids are of one test each. */
export async function historyOf(id: string): Promise<readonly Entry[]> {
  const { results } = await env.DB.prepare(
    `SELECT change, changed_by, source, reason, revoked_by, issued_before FROM revocation_history
     WHERE id = ?1 ORDER BY sequence`,
  )
    .bind(id)
    .all<Entry>()
  return results
}

export async function held(tenant = 'acme'): Promise<readonly Record<string, unknown>[]> {
  const { results } = await env.DB.prepare(
    'SELECT kind, id, issuer, reason, revoked_by FROM revocations WHERE tenant = ?1 ORDER BY kind, id',
  )
    .bind(tenant)
    .all()
  return results
}
