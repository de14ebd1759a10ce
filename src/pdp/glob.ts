// Pure. `*` stands for any characters, everything else for itself. Linear in the text for each
// literal piece: no regular expression is built from what a row says.

export interface Glob {
  /** What every matching text begins with; the whole text where there is no `*`. */
  readonly prefix: string
  readonly exact: boolean
  matches(text: string): boolean
}

export function parseGlob(pattern: string): Glob {
  const pieces = pattern.split('*')
  const [prefix = '', ...rest] = pieces
  if (rest.length === 0) {
    return { prefix: pattern, exact: true, matches: (text) => text === pattern }
  }
  const suffix = rest[rest.length - 1] ?? ''
  const middle = rest.slice(0, -1).filter((piece) => piece !== '')
  return {
    prefix,
    exact: false,
    matches: (text) => {
      if (!text.startsWith(prefix)) return false
      let from = prefix.length
      for (const piece of middle) {
        const found = text.indexOf(piece, from)
        if (found < 0) return false
        from = found + piece.length
      }
      return text.length - suffix.length >= from && text.endsWith(suffix)
    },
  }
}
