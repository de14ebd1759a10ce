// Pure. The `origins` of a rule: a list in which `a+b` asks for both of the same value.
import { err, ok, type Result } from '../../result.ts'
import { ATOMS, isAtom, Passing, type Atom, type PassedValue, type PassingStep } from './atoms.ts'
import type { OriginView } from './origin.ts'

export type Combination = readonly Atom[]

const MOST_COMBINATIONS = 32

/** An origin that nobody knows makes the rule unreadable, so that it holds for every call. */
export function parseOrigins(column: unknown): Result<readonly Combination[], string> {
  if (!Array.isArray(column) || column.length > MOST_COMBINATIONS) {
    return err(`\`origins\` must be a list of at most ${MOST_COMBINATIONS} origins`)
  }
  const combinations: Combination[] = []
  for (const entry of column as readonly unknown[]) {
    if (typeof entry !== 'string') return err('`origins` must be a list of names')
    const atoms: Atom[] = []
    for (const name of entry.split('+')) {
      if (!isAtom(name)) return err(`there is no origin \`${name}\``)
      atoms.push(name)
    }
    combinations.push(atoms)
  }
  return ok(combinations)
}

/** Whether the value, or the call where it is null, has one of these origins. */
export function comesFrom(
  combinations: readonly Combination[],
  value: PassedValue | null,
  view: OriginView,
  step: PassingStep,
): boolean {
  const one = new Passing(value, view, step)
  return combinations.some((atoms) => atoms.every((atom) => ATOMS[atom](one)))
}
