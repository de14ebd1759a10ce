import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sessionKeyOf } from '../../../../src/question/history-keys.ts'
import type { Person } from './ends.ts'
import { CLIENT } from './lanes.ts'

export interface Row {
  readonly id: string
  readonly decision: string
  readonly reason: string
  /** JSON text. */
  readonly refusal: string | null
  /** Of what was let through: what became of it; null: nothing yet. */
  readonly outcome: string | null
}

/** All that was decided about somebody. */
export async function recordsOf({ lane, sub }: Person): Promise<readonly Row[]> {
  const { tenant, issuer } = lane
  const actor = { tenant, issuer, subject: sub, client: CLIENT, agent: null }
  const session = env.SESSIONS.getByName(await sessionKeyOf(actor))
  await runInDurableObject(session, (object) => object.alarm())
  const { results } = await env.DECISIONS.prepare(
    `SELECT d.id, d.decision, d.reason, d.record ->> '$.refusal' AS refusal, o.state AS outcome
     FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision = d.id
     WHERE d.tenant = ?1 AND d.subject = ?2`,
  )
    .bind(tenant, sub)
    .all<Row>()
  return results
}
