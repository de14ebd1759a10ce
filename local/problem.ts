/** Something that the person at the keyboard can put right: its message says how, no stack trace. */
export class LocalProblem extends Error {
  override readonly name = 'LocalProblem'
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
