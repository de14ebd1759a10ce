import { argumentValues, type RoleRow } from '../../../../src/pdp/provenance/arguments.ts'
import type { PassingStep } from '../../../../src/pdp/provenance/atoms.ts'
import { findOrigins, type OriginRow } from '../../../../src/pdp/provenance/fields.ts'
import { learned, passed } from '../../../../src/pdp/provenance/learn.ts'
import { step, View } from './view.ts'
import { originsOf } from '../../../support/pdp/origins.ts'

export const TO: RoleRow = { pointer: ['to', '*'], role: 'target', resourceType: 'email' }
export const LISTS: OriginRow = {
  pointer: '/people/*/mail',
  resourceType: 'email',
  authority: 'listed',
}

/** The life of one session, as far as values and their origins go. A value is its own digest. */
export class Life {
  readonly view = new View()

  /** A granted call, and what it is answered with. */
  calls(
    args: object,
    rows: readonly RoleRow[] = [TO],
    changes: Partial<PassingStep> = {},
    answer: unknown = {},
  ): void {
    const call = step(changes)
    const values = argumentValues(args as never, rows)?.map(digested) ?? null
    if (values === null) this.view.now = { ...this.view.now, forgotPassed: true }
    this.view.apply(passed(this.view, call, values ?? []))
    this.answered(answer, { ...call, values })
  }

  reads(
    structured: unknown,
    changes: Partial<PassingStep> = {},
    rows: readonly OriginRow[] = [LISTS],
  ): void {
    const call = step({ labels: ['source.confidential'], ...changes })
    this.answered(structured, { ...call, values: [] }, rows)
  }

  /** Origins that say more of the value than that it is there. */
  origins(to: string, changes: Partial<PassingStep> = {}): string[] {
    const call = step(changes)
    const values = argumentValues({ to }, [TO])?.filter(({ role }) => role === 'target') ?? []
    const all = values.map((value) => originsOf(digested(value), this.view, call))
    return VOUCHING.filter(
      (name) => all.length > 0 && all.every((names) => names.has(name as never)),
    )
  }

  private answered(
    structured: unknown,
    call: Parameters<typeof learned>[1],
    rows: readonly OriginRow[] = [LISTS],
  ): void {
    const found = findOrigins(
      { structured: structured as never, text: JSON.stringify(structured) },
      rows,
    )
    this.view.apply(
      learned(this.view, call, {
        ...found,
        listed: found.listed.map((one) => ({ ...one, digest: one.text })),
        alike: new Map(found.alike),
      }),
    )
  }
}

const VOUCHING = ['user', 'org', 'own', 'typed', 'typed_t', 'claimed', 'field', 'internal', 'used']

const digested = <T extends { readonly text: string; readonly spelling?: string }>(value: T) => ({
  ...value,
  digest: value.text,
  ...(value.spelling === undefined ? {} : { spelled: `spelled ${value.spelling}` }),
})
