// Pure. What a session remembers of itself, besides labels and values. All of it only ever refuses more.

export interface SessionFlags {
  /** Something confidential was read, other than from an address out in the world. */
  readonly privateRead: boolean
  /**
   * INVARIANT: once a result was not read to its end, or a value that it held was let go of, nothing
   * is concluded from a value not being known.
   */
  readonly forgotSeen: boolean
  /**
   * INVARIANT: once a value that was passed without an origin was let go of, no result gives any value
   * an origin any more: it may be the one.
   */
  readonly forgotPassed: boolean
}

export const FRESH: SessionFlags = { privateRead: false, forgotSeen: false, forgotPassed: false }
