import { NOTHING_ASKED } from '../../../../src/pdp/provenance/asked.ts'
import type { PassedValue, PassingStep } from '../../../../src/pdp/provenance/atoms.ts'
import { FRESH, type SessionFlags } from '../../../../src/pdp/provenance/flags.ts'
import {
  NOTHING_KNOWN,
  type OriginChange,
  type OriginFact,
  type OriginFlag,
  type OriginView,
} from '../../../../src/pdp/provenance/origin.ts'

/** A memory of origins that tests can write into. A value is its own digest. */
export class View implements OriginView {
  readonly #facts = new Map<string, OriginFact>()
  now: SessionFlags = FRESH

  origins(digest: string, under: string | null): OriginFact {
    return this.#facts.get(`${under ?? ''} ${digest}`) ?? NOTHING_KNOWN
  }

  flags(): SessionFlags {
    return this.now
  }

  know(digest: string, under: string | null, ...flags: OriginFlag[]): void {
    const value = Object.fromEntries(flags.map((flag) => [flag, true]))
    this.apply([
      { key: { digest, type: under }, value: { ...this.origins(digest, under), ...value } },
    ])
  }

  apply(changes: readonly OriginChange[]): void {
    for (const { key, value } of changes) this.#facts.set(`${key.type ?? ''} ${key.digest}`, value)
  }
}

export const value = (
  text: string,
  type: string | null = 'email',
  role = 'target',
): PassedValue => ({
  role,
  type,
  text,
  digest: text,
  spelled: `spelled ${text}`,
})

export const step = (changes: Partial<PassingStep>): PassingStep => ({
  server: 'mail',
  tool: 'send_email',
  labels: ['sink.external_send'],
  asked: NOTHING_ASKED,
  ownDomains: [],
  ...changes,
})
