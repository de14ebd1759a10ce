// Pure. How values get origins: from results of granted calls, and never by being passed and read back.
import { Passing, standingOf, type PassedValue, type PassingStep } from './atoms.ts'
import type { SessionFlags } from './flags.ts'
import { ofServer, OriginChanges, type OriginChange, type OriginView } from './origin.ts'
import { PASSED } from './passed.ts'

/** What a granted call leaves of its values, from admission on. */
export function passed(
  view: OriginView,
  step: PassingStep,
  values: readonly PassedValue[],
): OriginChange[] {
  const changes = new OriginChanges(view)
  const writes = acts(step.labels)
  for (const value of values) {
    // What only reads leaves nothing behind that could be read back, but for what its rows speak of.
    if (value.role === PASSED && !writes) continue
    const standing = standingOf(new Passing(value, view, step))
    changes.add(value.digest, null, 'used')
    if (value.role === 'target' && step.labels.includes('sink.fetch')) {
      if (value.spelled !== undefined) {
        changes.add(value.spelled, ofServer(step.server), 'fetched')
      }
    }
    if (standing === 'weak') changes.add(value.digest, null, 'weak')
    if (standing === 'none') changes.add(value.digest, null, 'laundered')
  }
  return changes.list()
}

const acts = (labels: readonly string[]): boolean =>
  labels.some((label) => label.startsWith('sink.') && label !== 'sink.fetch')

/** A granted call, of which a result is read. */
export interface AnsweredStep {
  readonly server: string
  readonly labels: readonly string[]
  /** null: it passed more than was read, so everything in its result may be what it passed. */
  readonly values: readonly { readonly role: string; readonly digest: string }[] | null
}

/** What its result was found to hold, by digest. */
export interface Findings {
  readonly listed: readonly {
    readonly type: string | null
    readonly authority: 'system' | 'listed' | 'claimed'
    readonly digest: string
  }[]
  readonly fields: readonly string[]
  readonly mentions: readonly string[]
  /** Skeletons of what is found, where they are other texts (skeleton.ts). */
  readonly alike?: ReadonlyMap<string, string>
}

type Gain = 'all' | 'claims' | 'nothing'

/**
 * INVARIANT: what was passed without an origin gains none by being read back, and what a stranger
 * claimed gains no better one, in whatever spelling it comes back. What a call that acts answers with
 * counts only if it was not passed, and neither does a search that repeats what was searched for.
 */
export function learned(view: OriginView, step: AnsweredStep, found: Findings): OriginChange[] {
  const changes = new OriginChanges(view)
  const writes = acts(step.labels)
  const untrusted = step.labels.includes('source.untrusted')
  const passedHere = new Set(
    step.values?.flatMap(({ role, digest }) => (writes || role === PASSED ? [digest] : [])),
  )
  const { forgotPassed } = view.flags()
  const gainsAs = (digest: string): Gain => {
    if (forgotPassed || step.values === null || passedHere.has(digest)) return 'nothing'
    const { laundered, weak } = view.origins(digest, null)
    return laundered ? 'nothing' : weak ? 'claims' : 'all'
  }
  const gains = (digest: string): Gain => {
    const alike = found.alike?.get(digest)
    const gain = gainsAs(digest)
    if (alike === undefined || gain === 'nothing') return gain
    const other = gainsAs(alike)
    return other === 'all' ? gain : other
  }

  for (const { type, authority, digest } of found.listed) {
    changes.add(digest, null, 'seen')
    const gain = type === null ? 'nothing' : gains(digest)
    if (gain === 'nothing') continue
    if (authority === 'claimed' || gain === 'claims') changes.add(digest, type, 'claimed')
    else changes.add(digest, type, 'typed')
    if (gain === 'all' && (authority === 'system' || (authority === 'listed' && !untrusted))) {
      changes.add(digest, type, 'typedT')
    }
  }
  for (const digest of found.fields) {
    changes.add(digest, null, 'seen')
    const gain = gains(digest)
    if (gain === 'nothing') continue
    changes.add(digest, ofServer(step.server), 'field')
    if (gain === 'all' && !untrusted) changes.add(digest, ofServer(step.server), 'fieldT')
    if (gain === 'all' && writes && !untrusted) changes.add(digest, ofServer(step.server), 'own')
  }
  const inside = step.labels.includes('source.internal')
  for (const digest of found.mentions) {
    changes.add(digest, null, 'seen', 'mention')
    if (inside && gains(digest) === 'all') changes.add(digest, null, 'internal')
  }
  return changes.list()
}

/** The flags after a granted call, or null where they stay as they are. */
export function flagsAfter(flags: SessionFlags, labels: readonly string[]): SessionFlags | null {
  // What an address out in the world answers with is no secret of this person.
  const reads = labels.includes('source.confidential') && !labels.includes('sink.fetch')
  return reads && !flags.privateRead ? { ...flags, privateRead: true } : null
}
