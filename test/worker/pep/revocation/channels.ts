import { REVOKED_ON_THE_PAGE } from './console-ends.ts'
import { CONSENTS, TASKS_AT_THE_DOOR, TASKS_BY_SQL } from './declared-ends.ts'
import { REVOCATIONS, SWITCHES, type End } from './ends.ts'
import { POLLED, PUSHED } from './told-ends.ts'

/** Every way in which leave ends, by how it is said. A new channel is a row. */
const CHANNELS: Readonly<Record<string, readonly End[]>> = {
  sql: [...REVOCATIONS, ...SWITCHES, ...TASKS_BY_SQL, ...CONSENTS],
  console: REVOKED_ON_THE_PAGE,
  tasks: TASKS_AT_THE_DOOR,
  push: PUSHED,
  poll: POLLED,
}

export interface Way extends End {
  readonly channel: string
}

export const WAYS: readonly Way[] = Object.entries(CHANNELS).flatMap(([channel, ends]) =>
  ends.map((end) => ({ ...end, channel })),
)

export const nameOf = ({ channel, kind }: Way): string => `${channel}: ${kind}`

export type Random = () => number

/** mulberry32: the same choices for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** All ways in an order of chance, again and again, so that each has its share. */
export function deckOf(random: Random): () => Way {
  const cards: Way[] = []
  return () => {
    if (cards.length === 0) {
      const drawn = WAYS.map((way) => ({ way, at: random() })).toSorted((a, b) => a.at - b.at)
      cards.push(...drawn.map(({ way }) => way))
    }
    const [next] = cards.splice(0, 1)
    if (next === undefined) throw new Error('there is no way')
    return next
  }
}
