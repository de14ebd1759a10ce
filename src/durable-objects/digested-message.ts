import type { Observation } from '../pdp/sequence/step.ts'
import type { Digests } from './digests.ts'
import type { ObservedMessage } from './session-protocol.ts'

/** What an upstream's message holds, as it is kept. Values leave here as digests only. */
export function digested(
  { answer, rows, labels, listed, fields, mentions, alike, overflow }: ObservedMessage,
  digests: Digests,
): Observation {
  const digest = (text: string): string => digests.of(text)
  return {
    answer,
    rows,
    labels,
    listed: listed.map(({ type, authority, text }) => ({ type, authority, digest: digest(text) })),
    fields: fields.map(digest),
    mentions: mentions.map(digest),
    alike: new Map(alike?.map(([text, skeleton]) => [digest(text), digest(skeleton)])),
    overflow,
  }
}
