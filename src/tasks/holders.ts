import type { Actor } from '../pdp/evaluation.ts'
import type { DeclaredEnd } from './end.ts'

type Subject = Pick<Actor, 'tenant' | 'issuer' | 'subject'>

/** Whoever has more is looked at by the objects' own clock, like everybody else. */
const MOST_LOOKED_AT = 100

/**
 * For whom tokens were got under a task that only tokens declare: nothing else here knows whose it is.
 * What was got within the last second or two may not have reached the log yet.
 */
export async function holdersUnder(
  log: D1Database,
  tenant: string,
  { id, issuer }: DeclaredEnd,
): Promise<readonly Subject[]> {
  try {
    const { results } = await log
      .prepare(
        `SELECT subject FROM credential_events AS given
         WHERE tenant = ?1 AND task = ?2 AND subject_issuer = ?3 AND event = 'issued'
           AND NOT EXISTS (SELECT 1 FROM credential_events AS later
             WHERE later.credential = given.credential AND later.event = 'ended')
         GROUP BY subject ORDER BY max(happened_at) DESC LIMIT ${MOST_LOOKED_AT}`,
      )
      .bind(tenant, id, issuer)
      .all<{ subject: string }>()
    return results.map(({ subject }) => ({ tenant, issuer, subject }))
  } catch (error) {
    console.warn('who holds tokens of a task was not read', String(error))
    return []
  }
}
