// Pure. What a call passed and what a message held, as a history keeps them: values by digest only.
// Whoever keeps the history has the key.
import type { ArgumentValue } from '../provenance/arguments.ts'
import type { Found } from '../provenance/fields.ts'
import type { Observation, StepValue } from './step.ts'

export type Digest = (text: string) => string

export const digestedValues = (
  values: readonly ArgumentValue[] | null,
  digest: Digest,
): readonly StepValue[] | null =>
  values?.map(({ spelling, name, ...value }) => ({
    ...value,
    digest: digest(value.text),
    ...(spelling === undefined ? {} : { spelled: digest(spelling) }),
    ...(name === undefined ? {} : { named: digest(name) }),
  })) ?? null

export const digestedObservation = (
  { listed, fields, mentions, alike, overflow }: Found,
  { answer, rows, labels }: Pick<Observation, 'answer' | 'rows' | 'labels'>,
  digest: Digest,
): Observation => ({
  answer,
  rows,
  labels,
  listed: listed.map(({ type, authority, text }) => ({ type, authority, digest: digest(text) })),
  fields: fields.map(digest),
  mentions: mentions.map(digest),
  alike: new Map(alike?.map(([text, skeleton]) => [digest(text), digest(skeleton)])),
  overflow,
})
