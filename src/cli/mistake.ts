/** Something that the author can put right: its message says how, and no stack trace follows. */
export class Mistake extends Error {
  override readonly name = 'Mistake'
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
