// Whose credentials may hang on what was just revoked: they are looked at now, and not at their next turn.
import { lookNow } from '../../../upstream/credentials/look-now.ts'
import { issuersOf, type Site } from '../../site.ts'
import type { WantedRevocation } from './wanted.ts'

interface Whose {
  readonly issuer: string
  readonly subject: string
}

/** A person of so many issuers is looked at by the objects' own clock, like everybody else. */
const MOST_LOOKED_AT = 20

/** Runs after the answer. Whether it succeeds or not, each object looks for itself within seconds. */
export async function lookAfter(site: Site, wanted: WantedRevocation): Promise<void> {
  const { tenant } = site.compiled
  const subjects = await subjectsOf(site, wanted)
  await Promise.all(
    subjects
      .slice(0, MOST_LOOKED_AT)
      .map((whose) => lookNow(site.people.credentials, { tenant, ...whose })),
  )
}

async function subjectsOf(
  site: Site,
  { kind, id, issuer }: WantedRevocation,
): Promise<readonly Whose[]> {
  if (kind === 'subject') {
    const issuers = issuer === '*' ? [...issuersOf(site)] : [issuer]
    return issuers.map((one) => ({ issuer: one, subject: id }))
  }
  if (kind !== 'task' && kind !== 'consent') return []
  const row = await site.people.doors.policies.read((database) =>
    database
      .prepare(`SELECT issuer, subject FROM ${kind}s WHERE tenant = ?1 AND id = ?2`)
      .bind(site.compiled.tenant, id)
      .first<Whose>(),
  )
  return row.ok && row.value !== null ? [row.value] : []
}
