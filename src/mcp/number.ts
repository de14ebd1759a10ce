// Pure. Whether a double is the number that was written.

/** Up to 15 significant digits always survive a double (IEEE 754 binary64). */
const ALWAYS_EXACT = /^-?[0-9]{1,15}$/

/**
 * True if the shortest decimal that reads back as `value` is the decimal that was written, so that
 * `1.0`, `1e2` and `0.1` are exact and `0.1000000000000000055` is not.
 *
 * Comparing the significant digits is enough: the decimals that round to one finite double, zero
 * aside, lie within a factor of ten, so with equal digits they have equal exponents.
 *
 * INVARIANT: two different decimals are never both exact and the same double; comparing exact
 * numbers is comparing what was written.
 */
export function isExact(value: number, written: string): boolean {
  if (written.length <= 16 && ALWAYS_EXACT.test(written)) return true
  return Number.isFinite(value) && significant(written) === significant(String(value))
}

/** Digits without leading and trailing zeros; none for zero. Linear: the text may be megabytes. */
function significant(written: string): string {
  const unsigned = written.startsWith('-') ? written.slice(1) : written
  const [mantissa = ''] = unsigned.split(/[eE]/, 1)
  const digits = mantissa.replace('.', '')
  let start = 0
  while (digits.charCodeAt(start) === 0x30) start += 1
  let end = digits.length
  while (end > start && digits.charCodeAt(end - 1) === 0x30) end -= 1
  return digits.slice(start, end)
}
