/** How long to wait after a failure, for whoever tries until it succeeds. */
export interface Retry {
  readonly delayMs: (failures: number, asked: number | null) => number
}

const FIRST_MS = 1_000
const LONGEST_MS = 5 * 60_000

/** Twice as long each time, or as long as the other side asks. */
export const BACK_OFF: Retry = {
  delayMs: (failures, asked) =>
    Math.max(Math.min(FIRST_MS * 2 ** failures, LONGEST_MS), Math.min(asked ?? 0, LONGEST_MS)),
}
