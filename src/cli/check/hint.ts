/** The known name that a misspelt one resembles most, by the letters that both begin or end with. */
export function nearest(name: string, known: readonly string[]): string | null {
  const common = (other: string): number => {
    let [start, end] = [0, 0]
    while (start < name.length && name[start] === other[start]) start += 1
    while (end < name.length && name.at(-1 - end) === other.at(-1 - end)) end += 1
    return start + end
  }
  const [best] = known.toSorted((a, b) => common(b) - common(a))
  return best === undefined || common(best) < 3 ? null : best
}

/** What to do about a name without a row. */
export function hint(name: string | null, known: readonly string[]): string {
  const best = nearest(name ?? '', known)
  return best === null ? 'add its row or correct the name' : `write \`${best}\` or add a row for it`
}
