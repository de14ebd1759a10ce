// Pure. A threshold such as `{"gt": 10}`, asked of a number of which perhaps only its bounds are known.
import { err, ok, type Result } from '../../result.ts'

const COMPARISONS = {
  gt: { least: true, holds: (count: number, bound: number) => count > bound },
  gte: { least: true, holds: (count: number, bound: number) => count >= bound },
  lt: { least: false, holds: (count: number, bound: number) => count < bound },
  lte: { least: false, holds: (count: number, bound: number) => count <= bound },
} as const
export type Comparison = keyof typeof COMPARISONS

export interface Term {
  readonly name: Comparison
  readonly bound: number
}

export interface CountCondition {
  readonly terms: readonly Term[]
  readonly highestBound: number
  /** Whether it asks for more than something, so that what may have happened must count. */
  readonly asksForMore: boolean
  /** Whether it asks for less than something, so that what may not have happened must not count. */
  readonly asksForLess: boolean
  /**
   * INVARIANT: whether it may hold for a number between `low` and `high`; so it holds where the
   * number is not known well enough.
   */
  holds(low: number, high: number): boolean
}

export function parseCondition(parsed: unknown): Result<CountCondition, string> {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return err('`condition` must be an object such as `{"gt": 10}`')
  }
  const terms: Term[] = []
  for (const [name, bound] of Object.entries(parsed)) {
    if (!isComparison(name)) return err(`\`condition\` has no comparison \`${name}\``)
    if (typeof bound !== 'number' || !Number.isFinite(bound)) {
      return err(`\`${name}\` needs a number`)
    }
    terms.push({ name, bound })
  }
  if (terms.length === 0) return err('`condition` is empty')
  return ok({
    terms,
    highestBound: Math.max(...terms.map((term) => term.bound)),
    asksForMore: terms.some(({ name }) => COMPARISONS[name].least),
    asksForLess: terms.some(({ name }) => !COMPARISONS[name].least),
    holds: (low, high) =>
      terms.every(({ name, bound }) =>
        COMPARISONS[name].holds(COMPARISONS[name].least ? high : low, bound),
      ),
  })
}

const isComparison = (name: string): name is Comparison => Object.hasOwn(COMPARISONS, name)
