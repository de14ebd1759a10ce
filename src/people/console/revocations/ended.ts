// Whose credentials may hang on what was just revoked: they are looked at now, and not at their next turn.
import { lookNow } from '../../../durable-objects/look-now.ts'
import { holdersUnder } from '../../../tasks/holders.ts'
import { issuersOf, type Site } from '../../site.ts'
import { isDeclared, type WantedRevocation } from './wanted.ts'

interface Whose {
  readonly issuer: string
  readonly subject: string
}

/** Whoever else there is is looked at by the objects' own clock, like everybody. */
const MOST_LOOKED_AT = 100

/** Runs after the answer. Whether it succeeds or not, each object looks for itself within seconds. */
export async function lookAfter(site: Site, wanted: WantedRevocation): Promise<void> {
  const { tenant } = site.compiled
  const subjects = await subjectsOf(site, wanted)
  await Promise.all(
    subjects
      .slice(0, MOST_LOOKED_AT)
      .map(({ issuer, subject }) => lookNow(site.people.credentials, { tenant, issuer, subject })),
  )
}

async function subjectsOf(
  site: Site,
  { kind, id, issuer }: WantedRevocation,
): Promise<readonly Whose[]> {
  const { people, compiled } = site
  const issuers = issuer === '*' ? [...issuersOf(site)] : [issuer]
  if (kind === 'subject') return issuers.map((one) => ({ issuer: one, subject: id }))
  if (kind !== 'task' && kind !== 'consent') return []
  if (isDeclared({ kind, id })) {
    const declaring = issuers.filter((url) => compiled.issuers.get(url)?.opensTasks === true)
    const holders = await Promise.all(
      declaring.map((one) => holdersUnder(people.log, compiled.tenant, { id, issuer: one })),
    )
    return holders.flat()
  }
  const row = await people.doors.policies.read((database) =>
    database
      .prepare(`SELECT issuer, subject FROM ${kind}s WHERE tenant = ?1 AND id = ?2`)
      .bind(compiled.tenant, id)
      .first<Whose>(),
  )
  return row.ok && row.value !== null ? [row.value] : []
}
