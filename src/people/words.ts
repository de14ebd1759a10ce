// Pure. What classes of access and lengths of time are called on a page.
import type { Access } from '../pdp/evaluation.ts'

export const ACCESS_WORDS: Readonly<Record<Access, string>> = {
  read: 'look things up',
  write: 'add and change things',
  export: 'take data out in bulk',
  admin: 'change settings and rights',
  destructive: 'delete things for good',
}

const HOUR_MS = 3_600_000

/** For how long; null: until the person takes it back. */
export const SPANS = {
  hour: { words: 'for one hour', ms: HOUR_MS },
  day: { words: 'for one day', ms: 24 * HOUR_MS },
  month: { words: 'for 30 days', ms: 30 * 24 * HOUR_MS },
  open: { words: 'until I withdraw it', ms: null },
} as const

export type Span = keyof typeof SPANS

export const isSpan = (word: string): word is Span => Object.hasOwn(SPANS, word)

/** In UTC, because a server knows no other clock of the person's. */
export const timeWords = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
