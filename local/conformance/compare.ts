import type { Check } from './suites.ts'

export interface Difference {
  readonly scenario: string
  readonly check: string
  readonly direct: string
  readonly through: string
  /** What the suite had against the one of the two that did not pass. */
  readonly message: string | null
}

export interface Comparison {
  /** How many checks the direct run made. */
  readonly checks: number
  readonly passedDirect: number
  readonly passedThrough: number
  /** Where one of the two passed and the other did not. */
  readonly differences: readonly Difference[]
  /** Passed by neither, but not told in the same words: a skipped check that fails, say. */
  readonly otherwise: readonly Difference[]
}

const PASSED = 'SUCCESS'
const ABSENT = 'absent'
/** What the suite notes down besides its checks: requests it sent, events it saw. */
const NOTE = 'INFO'

/** The passed checks of two runs, as sets. A check that a scenario makes twice counts twice. */
export function compare(direct: readonly Check[], through: readonly Check[]): Comparison {
  const one = byKey(direct)
  const other = byKey(through)
  const all = [...new Set([...one.keys(), ...other.keys()])].toSorted()
  const differing = all.flatMap((key) => {
    const [a, b] = [one.get(key), other.get(key)]
    const [before, behind] = [a?.status ?? ABSENT, b?.status ?? ABSENT]
    if (before === behind) return []
    const { scenario, id, name } = (a ?? b) as Check
    const message = before === PASSED ? (b?.message ?? null) : (a?.message ?? null)
    return [{ scenario, check: `${id} (${name})`, direct: before, through: behind, message }]
  })
  const isDifference = (one: Difference) => (one.direct === PASSED) !== (one.through === PASSED)
  return {
    checks: one.size,
    passedDirect: passed(direct),
    passedThrough: passed(through),
    differences: differing.filter(isDifference),
    otherwise: differing.filter((one) => !isDifference(one)),
  }
}

const passed = (checks: readonly Check[]): number =>
  checks.filter(({ status }) => status === PASSED).length

function byKey(checks: readonly Check[]): Map<string, Check> {
  const found = new Map<string, Check>()
  for (const check of checks) {
    if (check.status === NOTE) continue
    for (let nth = 1; ; nth += 1) {
      const key = [check.scenario, check.id, check.name, nth].join('\n')
      if (found.has(key)) continue
      found.set(key, check)
      break
    }
  }
  return found
}
