// Pure. Every origin that a rule may name: what it takes for a value, or for the call itself, to have
// it. A new origin is a new line of ATOMS.
import { isAskedFor, type Asked } from './asked.ts'
import type { Shape } from './mentions.ts'
import { isNamed, isOwn } from './naming.ts'
import { NOTHING_KNOWN, ofServer, type OriginFact, type OriginView } from './origin.ts'

/** A value that a call passes. */
export interface PassedValue {
  readonly role: string
  readonly type: string | null
  /** Canonical. */
  readonly text: string
  readonly digest: string
  /** Of the text byte for byte; absent where nobody looked. */
  readonly spelled?: string
  /** Of the text as it was written; where nobody looked it may be an address. */
  readonly shape?: Shape
}

/** What of a call origins are judged by. */
export interface PassingStep {
  readonly server: string
  readonly tool: string
  readonly labels: readonly string[]
  readonly asked: Asked
  readonly ownDomains: readonly string[]
}

/** One value of one call, or the call itself where `value` is null. Each fact is read at most once. */
export class Passing {
  readonly value: PassedValue | null
  readonly view: OriginView
  readonly step: PassingStep
  #itself: OriginFact | null = null
  #kind: OriginFact | null = null
  #server: OriginFact | null = null

  constructor(value: PassedValue | null, view: OriginView, step: PassingStep) {
    this.value = value
    this.view = view
    this.step = step
  }

  /** Of the value, whatever it names and wherever it came from. */
  get itself(): OriginFact {
    return (this.#itself ??= this.#read(null))
  }
  get asKind(): OriginFact {
    return (this.#kind ??= this.#read(this.value?.type ?? ''))
  }
  get ofServer(): OriginFact {
    return (this.#server ??= this.#read(ofServer(this.step.server)))
  }

  #read(under: string | null): OriginFact {
    if (this.value === null || under === '') return NOTHING_KNOWN
    return this.view.origins(this.value.digest, under)
  }
}

type Test = (one: Passing) => boolean

/** INVARIANT: an argument that no row gave a type takes its origins from its own server alone. */
const typed: Test = (one) => (one.value?.type ? one.asKind.typed : one.ofServer.fieldT)
const claimed: Test = (one) => (one.value?.type ? one.asKind.claimed : one.ofServer.field)

const user: Test = ({ value, step: { asked } }) => value !== null && isNamed(value.text, asked)

/** `ownDomains` begin at a border of a name: `@corp.example`, `.corp.example`. */
const org: Test = ({ value, step }) => value !== null && isOwn(value.text, step.ownDomains)

const own: Test = (one) => one.ofServer.own
const internal: Test = (one) => one.itself.internal && !one.itself.laundered

/** Nothing gives the value, neither people nor results: the model has made it up, or rebuilt it. */
const none: Test = (one) =>
  one.value !== null &&
  !one.view.flags().forgotSeen &&
  !one.itself.seen &&
  !one.itself.used &&
  !user(one) &&
  !org(one)

const untyped = (one: Passing, ...shapes: readonly (Shape | undefined)[]): boolean =>
  one.value !== null && one.value.type === null && shapes.includes(one.value.shape)
const isPath: Test = (one) => untyped(one, 'path')

export const ATOMS = {
  user,
  org,
  own,
  typed,
  typed_t: (one) => (one.value?.type ? one.asKind.typedT : one.ofServer.fieldT),
  claimed,
  field: (one) => one.ofServer.field,
  internal,
  /** The very same request as before tells its host nothing new; another spelling of it does. */
  fetched: ({ value, view, step }) =>
    value?.spelled !== undefined && view.origins(value.spelled, ofServer(step.server)).fetched,
  mention: (one) => one.itself.mention,
  used: (one) => one.itself.used && !one.itself.laundered && !one.itself.weak,
  none,
  path: isPath,
  new_path: (one) => isPath(one) && none(one),
  no_address: (one) => untyped(one, 'path', 'other'),

  // Of the call itself.
  asked: ({ step }) => isAskedFor(step.tool, step.asked),
  granted: ({ step: { asked, tool } }) => asked.task && asked.tools?.includes(tool) === true,
  taskless: ({ step: { asked } }) => !asked.task || asked.tools === null,
  unworded: ({ step: { asked } }) => asked.text === null,
  no_secret: ({ view }) => !view.flags().privateRead,
} as const satisfies Record<string, Test>

export type Atom = keyof typeof ATOMS
export const isAtom = (name: string): name is Atom => Object.hasOwn(ATOMS, name)

/** How far a value that is passed can be trusted when a result brings it back. */
export type Standing = 'good' | 'weak' | 'none'

export function standingOf(one: Passing): Standing {
  if (user(one) || org(one) || own(one) || typed(one)) return 'good'
  return claimed(one) || internal(one) || one.ofServer.field ? 'weak' : 'none'
}
