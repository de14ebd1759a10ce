// Pure. What a session knows of one value: bits, kept under a digest of the value and under what they
// are true of.
//
//   (digest, null)     of the value itself: internal, mention, seen, used, weak, laundered
//   (digest, kind)     of the value as a thing of that resource type: typed, typedT, claimed
//   (digest, @server)  of the value as that server's: own, field, fieldT; of its spelling: fetched
//
// Names of resource types begin with a letter, so `@` keeps servers apart from them.
import type { SessionFlags } from './flags.ts'

export interface OriginFact {
  /** A result listed it as that kind, and not as what a stranger may have filled in. */
  readonly typed: boolean
  /** The same, where no part of the result could have been a stranger's. */
  readonly typedT: boolean
  /** A result listed it as that kind; a stranger may have filled it in. */
  readonly claimed: boolean
  /**
   * It came out of a call that acted, and did not go in: an identifier that the server assigned. Not
   * of a tool that answers with what strangers wrote.
   */
  readonly own: boolean
  /** It was a whole field of a result. */
  readonly field: boolean
  /** The same, of a tool that is no untrusted source. */
  readonly fieldT: boolean
  /**
   * A granted fetch of this server named it: its host has had this very request before. Kept under
   * the digest of the text as it was spelled, since letters can be told by their case alone.
   */
  readonly fetched: boolean
  /** It was mentioned in a text that came from inside the organisation. */
  readonly internal: boolean
  /** It was mentioned in the text of a result. */
  readonly mention: boolean
  /** It was a whole field or a mention of some result, wherever and of whatever kind. */
  readonly seen: boolean
  /** A granted call passed it. */
  readonly used: boolean
  /** A granted call passed it when it had no better origin than a stranger's claim. */
  readonly weak: boolean
  /** A granted call passed it when it had no origin at all. */
  readonly laundered: boolean
}
export type OriginFlag = keyof OriginFact

export const NOTHING_KNOWN: OriginFact = {
  typed: false,
  typedT: false,
  claimed: false,
  own: false,
  field: false,
  fieldT: false,
  fetched: false,
  internal: false,
  mention: false,
  seen: false,
  used: false,
  weak: false,
  laundered: false,
}

/** The part of a session's memory that origins are read from. */
export interface OriginView {
  /** `under`: null, a resource type, or `ofServer(name)`. */
  origins(digest: string, under: string | null): OriginFact
  flags(): SessionFlags
}

export const ofServer = (server: string): string => `@${server}`

/** The bits of one key after more has been learned; `Change` of kind `origin` as it is stored. */
export interface OriginChange {
  readonly key: { readonly digest: string; readonly type: string | null }
  readonly value: OriginFact
}

/** Gathers bits over one step and gives each touched key once. */
export class OriginChanges {
  readonly #view: OriginView
  readonly #changed = new Map<string, OriginChange>()

  constructor(view: OriginView) {
    this.#view = view
  }

  add(digest: string, under: string | null, ...flags: readonly OriginFlag[]): void {
    const name = `${under ?? ''}\n${digest}`
    const before = this.#changed.get(name)?.value ?? this.#view.origins(digest, under)
    if (flags.every((flag) => before[flag])) return
    const value = { ...before, ...Object.fromEntries(flags.map((flag) => [flag, true])) }
    this.#changed.set(name, { key: { digest, type: under }, value })
  }

  list(): OriginChange[] {
    return [...this.#changed.values()]
  }
}
