// Pure. What the values of a field add up to, in buckets of time: as many buckets as the timespan
// has, however many calls there were. A bucket that the timespan cuts counts whole.

export interface Bucket {
  readonly sum: number
  /** How many of its calls have not told their amount. */
  readonly unknown: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Up to a day a sum is told to the minute, beyond it to the hour. */
export const widthOf = (timespanSeconds: number): number =>
  timespanSeconds <= 86_400 ? MINUTE : HOUR

export const bucketOf = (at: number, width: number): number => Math.floor(at / width) * width

/** What one call adds. */
export interface Amount {
  readonly known: number
  readonly unknown: boolean
}

/**
 * INVARIANT: no amount lowers a sum. A negative one counts as much as a positive, and what is no
 * number is unknown.
 */
export function amountOf(amounts: readonly (number | null)[]): Amount {
  let known = 0
  let unknown = false
  for (const amount of amounts) {
    if (amount === null || !Number.isFinite(amount)) unknown = true
    else known += Math.abs(amount)
  }
  return { known, unknown }
}

export const plus = (bucket: Bucket | undefined, amount: Amount): Bucket => ({
  sum: (bucket?.sum ?? 0) + amount.known,
  unknown: (bucket?.unknown ?? 0) + (amount.unknown ? 1 : 0),
})

/** INVARIANT: taking back frees no more than was added: fractions are rounded towards more. */
export function minus(bucket: Bucket, amount: Amount): Bucket {
  const rest = Math.max(0, bucket.sum - amount.known)
  const exact = Number.isSafeInteger(bucket.sum) && Number.isSafeInteger(amount.known)
  return {
    sum: exact ? rest : rest + bucket.sum * Number.EPSILON,
    unknown: Math.max(0, bucket.unknown - (amount.unknown ? 1 : 0)),
  }
}

export const worthOf = ({ sum, unknown }: Bucket): number => (unknown > 0 ? Infinity : sum)
