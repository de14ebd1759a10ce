import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { inThisWorld, newUser } from '../../support/worker/world.ts'
import { CAEP, callAfter, person, RISC, tell, withStream } from '../../support/worker/signals.ts'

inThisWorld()
withStream()

const LANES = 6
const EACH = 30

describe('the first call after the 202', () => {
  it('is refused, each time, with others under way', { timeout: 60_000 }, async () => {
    const kinds = [
      [`${CAEP}session-revoked`, {}],
      [`${RISC}account-disabled`, {}],
      [`${RISC}credential-compromise`, { credential_type: 'password' }],
      [`${CAEP}credential-change`, { credential_type: 'password', change_type: 'update' }],
      [`${CAEP}risk-level-change`, { current_level: 'HIGH' }],
      [`${CAEP}token-claims-change`, { claims: { scope: '' } }],
    ] as const
    const one = async (n: number) => {
      const sub = await newUser()
      const [type, event] = kinds[n % kinds.length] ?? kinds[0]
      const before = await callAfter(sub, 30)
      await tell(type, person(sub), event)
      return [before, (await callAfter(sub, 30)) === 'allowed'] as const
    }
    // Several at a time, each as fast as it can.
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const outcomes = []
      for (let n = 0; n < EACH; n += 1) outcomes.push(await one(lane + n))
      return outcomes
    })
    const outcomes = (await Promise.all(lanes)).flat()
    expect(outcomes.filter(([before]) => before !== 'allowed')).toEqual([])
    expect(outcomes.filter(([, allowed]) => allowed)).toEqual([])
    const rows = await env.DB.prepare('SELECT count(*) AS n FROM signal_events').first()
    expect(rows).toEqual({ n: LANES * EACH })
  })
})
