import { describe, expect, it } from 'vitest'
import { Allowance } from '../../src/allowance.ts'

describe('an allowance', () => {
  const take = (allowance: Allowance, times: readonly number[]) =>
    times.map((now) => allowance.take(now))

  it('is so many a second, counted from the first', () => {
    const two = new Allowance(2)
    expect(take(two, [5_000, 5_500, 5_999, 6_000])).toEqual([true, true, false, true])
  })

  it('is not used up for as long as a clock was set back', () => {
    const one = new Allowance(1)
    expect(take(one, [9_000_000, 9_000_001, 5_000, 5_001, 6_000])).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
  })
})
