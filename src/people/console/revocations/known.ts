// Whether the tenant knows anything by that name: a slip of the pen revokes nothing, and says so here.
import type { RevocationKind } from '../../../pdp/refusal.ts'
import { err, ok, type Result } from '../../../result.ts'
import type { PageRefusal } from '../../refusal.ts'
import { issuersOf, type Site } from '../../site.ts'
import { isDeclared, type WantedRevocation } from './wanted.ts'

/** `unlisted`: only tokens know what is called so. */
export type Known = 'known' | 'unknown' | 'unlisted'

/** ?1 tenant, ?2 id, ?3 the issuers that could be meant, as JSON. Each finds its rows by an index. */
const OF_ISSUER = 'json_each(?3) AS one CROSS JOIN'
const ROWS: Partial<Record<RevocationKind, string>> = {
  client: `SELECT 1 FROM ${OF_ISSUER} clients ON tenant = ?1 AND issuer = one.value AND clients.id = ?2`,
  agent: `SELECT 1 FROM ${OF_ISSUER} agents ON tenant = ?1 AND issuer = one.value AND agents.id = ?2`,
  // People are listed nowhere: who may or did anything here has left one of these rows.
  subject: `SELECT 1 FROM ${OF_ISSUER} role_assignments AS held ON held.tenant = ?1
        AND held.issuer = one.value AND held.holder_kind IN ('user', 'client') AND held.holder = ?2
      UNION ALL SELECT 1 FROM ${OF_ISSUER} consents AS given INDEXED BY consents_by_person
        ON given.tenant = ?1 AND given.issuer = one.value AND given.subject = ?2
      UNION ALL SELECT 1 FROM ${OF_ISSUER} tasks INDEXED BY tasks_by_actor
        ON tasks.tenant = ?1 AND tasks.issuer = one.value AND tasks.subject = ?2
          AND tasks.closed_at IS NULL
      UNION ALL SELECT 1 FROM ${OF_ISSUER} clients ON clients.tenant = ?1
        AND clients.issuer = one.value AND clients.id = ?2`,
  consent: 'SELECT 1 FROM consents WHERE tenant = ?1 AND id = ?2',
  task: 'SELECT 1 FROM tasks WHERE tenant = ?1 AND id = ?2',
}

/** What is compiled, and so at hand. */
const AT_HAND: Partial<Record<RevocationKind, (site: Site, id: string) => boolean>> = {
  server: ({ compiled }, id) => compiled.servers.has(id),
  tool: ({ compiled }, id) => {
    const at = id.indexOf('/')
    const server = at > 0 ? compiled.servers.get(id.slice(0, at)) : undefined
    return server !== undefined && server.tools.find(id.slice(at + 1), null) !== null
  },
  issuer: (site, id) => issuersOf(site).has(id),
  tenant: ({ compiled }, id) => id === compiled.tenant,
}

export async function isKnown(
  site: Site,
  { kind, id, issuer }: WantedRevocation,
): Promise<Result<Known, PageRefusal>> {
  const said = (known: boolean): Result<Known, PageRefusal> => ok(known ? 'known' : 'unknown')
  const atHand = AT_HAND[kind]
  if (atHand !== undefined) return said(atHand(site, id))
  const rows = ROWS[kind]
  if (rows === undefined || isDeclared({ kind, id })) return ok('unlisted')
  // Selected as well, because some kinds ask for no issuer and D1 binds nothing that is not there.
  const meant = JSON.stringify(issuer === '*' ? [...issuersOf(site)] : [issuer])
  const found = await site.people.doors.policies.read((database) =>
    database
      .prepare(`SELECT EXISTS (${rows}) AS known, ?3 AS meant`)
      .bind(site.compiled.tenant, id, meant)
      .first<{ known: number }>(),
  )
  return found.ok ? said(found.value?.known === 1) : err('unavailable')
}
