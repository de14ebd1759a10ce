import { NOTHING_ASKED, type Asked } from '../../../src/pdp/provenance/asked.ts'
import {
  ATOMS,
  isAtom,
  type Atom,
  type PassedValue,
  type PassingStep,
} from '../../../src/pdp/provenance/atoms.ts'
import { plain } from '../../../src/pdp/provenance/canon.ts'
import { comesFrom } from '../../../src/pdp/provenance/combination.ts'
import type { OriginView } from '../../../src/pdp/provenance/origin.ts'

/** As under a task that has these words of the person, and names nothing. */
export const askedInWords = (text: string): Asked => ({ ...NOTHING_ASKED, text: plain(text) })

/** Every origin that a rule could name of it. */
export const originsOf = (
  value: PassedValue | null,
  view: OriginView,
  step: PassingStep,
): ReadonlySet<Atom> => {
  const atoms = Object.keys(ATOMS).filter(isAtom)
  return new Set(atoms.filter((atom) => comesFrom([[atom]], value, view, step)))
}
