import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import type { EvaluationRequest, Facts, PolicyMatch, WouldBe } from '../../../src/pdp/evaluation.ts'
import { sessionKey } from './world.ts'

export interface Logged {
  readonly id: string
  readonly sequence: number
  readonly decision: string
  readonly reason: string
  readonly would_be: string | null
  readonly tool: string | null
  readonly outcome: string | null
  readonly detail: string | null
  readonly record: {
    readonly refusal: { readonly because?: { readonly reason: string } } | null
    readonly repeats?: number
    readonly session: { readonly rules: readonly { readonly rule: string }[] }
    readonly wouldBe?: WouldBe | null
    readonly inputs: {
      readonly request: EvaluationRequest
      readonly facts: Facts
      readonly matches: readonly PolicyMatch[]
      readonly resultOf?: string
    }
  }
}

/** Everything that was decided about one subject, in order, with what became of it. */
export async function logOf(subject: string): Promise<Logged[]> {
  const session = env.SESSIONS.getByName(await sessionKey(subject))
  await runInDurableObject(session, (object) => object.alarm())
  const { results } = await env.DECISIONS.prepare(
    `SELECT d.id, d.sequence, d.decision, d.reason, d.would_be, d.tool, d.record,
       o.state AS outcome, o.detail
     FROM decisions AS d LEFT JOIN outcomes AS o ON o.decision = d.id
     WHERE d.subject = ? ORDER BY d.sequence`,
  )
    .bind(subject)
    .all<Omit<Logged, 'record'> & { record: string }>()
  return results.map((row) => ({ ...row, record: JSON.parse(row.record) as Logged['record'] }))
}

/** The last of them; its outcome comes after the answer, so it is waited for where it is asked for. */
export async function lastOf(subject: string): Promise<Logged> {
  const last = (await logOf(subject)).at(-1)
  if (last === undefined) throw new Error('nothing was decided')
  return last
}

export const outcomeOf = async (subject: string, decision: string): Promise<Logged> =>
  vi.waitFor(async () => {
    const found = (await logOf(subject)).find(({ id }) => id === decision)
    if (found === undefined || found.outcome === null) throw new Error('not settled yet')
    return found
  }, 3_000)
