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

const DAY_MS = 24 * HOUR_MS
/** The year 10000: later ones are not written in four digits. */
const LAST_TIME = 253_402_300_800_000

/** null: what a row holds is no time that anybody could read. */
export const isoTime = (at: number): string | null =>
  at >= 0 && at < LAST_TIME ? new Date(at).toISOString() : null

/** In UTC, because a server knows no other clock of the person's. */
export const timeWords = (at: number): string => {
  const iso = isoTime(at)
  return iso === null ? 'at no known time' : `${iso.slice(0, 16).replace('T', ' ')} UTC`
}

/** How far from now, for people whose clock is another one. */
export function distanceWords(at: number, now: number): string {
  const apart = Math.abs(at - now)
  if (apart < 60_000) return at > now ? 'in less than a minute' : 'just now'
  const [count, unit] =
    apart < 2 * HOUR_MS
      ? [Math.round(apart / 60_000), 'minute']
      : apart < 2 * DAY_MS
        ? [Math.round(apart / HOUR_MS), 'hour']
        : [Math.round(apart / DAY_MS), 'day']
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`
  return at > now ? `in ${words}` : `${words} ago`
}
