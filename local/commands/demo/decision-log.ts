import { setTimeout as pause } from 'node:timers/promises'
import { quote, type Row } from '../../sql-client.ts'
import { deny, type Tour, type Step } from './tour.ts'

const SHIPPED_WITHIN_MS = 15_000

export const decisionLog: Step = {
  title: 'Every decision is on record, with the reason that the client is not told',
  async run(tour) {
    const token = await tour.token({ sub: 'alice', client: 'acme-agent', agent: 'research-bot' })
    const outcome = await tour.expect('research-bot sends mail', deny('denied_by_policy'), {
      token,
      tool: 'send_email',
      args: { to: ['x@example.com'], subject: 'hi', body: 'hello' },
    })
    const row = await recordOf(tour, outcome.decisionId ?? '')
    const seen = row === null ? 'no record' : Object.values(row).join(' ')
    tour.check(
      'the log names the policy',
      seen.includes('research-bot-sends-nothing'),
      seen,
      'research-bot-sends-nothing',
    )
  },
}

/** Sessions keep records until they are shipped, in batches: they arrive a little later. */
async function recordOf(tour: Tour, decision: string): Promise<Row | null> {
  const until = Date.now() + SHIPPED_WITHIN_MS
  const sql = `SELECT decision, reason, json_extract(record, '$.refusal.policy') AS policy
    FROM decisions WHERE id = ${quote(decision)}`
  while (Date.now() < until) {
    const [row] = await tour.stack.query(sql, 'decisions')
    if (row !== undefined) return row
    await pause(100)
  }
  return null
}
