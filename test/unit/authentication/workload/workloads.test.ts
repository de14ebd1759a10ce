import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../../src/authentication/authenticate.ts'
import { SVID_ATTACKS } from './attacks-on-svids.ts'
import { WIT_ATTACKS } from './attacks-on-wits.ts'
import { WPT_ATTACKS } from './attacks-on-wpts.ts'
import { workloadCellOf } from './workload-attack.ts'
import { workloadContext } from './workload-smith.ts'

const ATTACKS = [...SVID_ATTACKS, ...WIT_ATTACKS, ...WPT_ATTACKS]

describe('every attack with the documents of a workload is refused by the cell that names it', () => {
  it('has at least 60 rows, no two alike', () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length)
    expect(ATTACKS.length).toBeGreaterThanOrEqual(60)
  })

  it.each(ATTACKS)('$name -> $refusal ($because)', async (attack) => {
    const result = await authenticate(await attack.credentials(), workloadContext(attack.context))
    expect(result.ok ? 'accepted' : workloadCellOf(result.error)).toBe(attack.refusal)
  })

  it('repeats no 16 letters of any credential', async () => {
    const leaks: string[] = []
    for (const attack of ATTACKS) {
      const credentials = await attack.credentials()
      const told = JSON.stringify(await authenticate(credentials, workloadContext(attack.context)))
      const { authorization, workloadToken, workloadProof } = credentials
      for (const text of [authorization, workloadToken, workloadProof]) {
        for (let i = 0; text !== null && i + 16 <= Math.min(text.length, 2000); i++) {
          if (told.includes(text.slice(i, i + 16))) leaks.push(attack.name)
        }
      }
    }
    expect(leaks).toEqual([])
  })
})
