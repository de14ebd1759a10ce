import { SESSION_PROTOCOL, type ObservedMessage } from '../durable-objects/session-protocol.ts'
import { readOther, readResult, type Reading } from '../mcp/reading.ts'
import type { JsonObject } from '../mcp/value.ts'
import { findOrigins, type OriginRow } from '../pdp/provenance/fields.ts'

export type Answer =
  | {
      readonly kind: 'result'
      readonly result: JsonObject
      readonly letters: number
      /** Labels of the resources that it names. */
      readonly labels: readonly string[]
    }
  | { readonly kind: 'error'; readonly error: JsonObject; readonly letters: number }

/** One message of an upstream, before anybody else has seen it. */
export type Sent =
  | Answer
  | { readonly kind: 'notice'; readonly params: JsonObject; readonly letters: number }
  /** An answer that the client does not get to see. */
  | { readonly kind: 'withheld'; readonly answer: Answer }

/** What a session is told of it. What is not read to its end counts as holding anything. */
export function observationOf(
  decision: string,
  sent: Sent,
  origins: readonly OriginRow[],
): ObservedMessage {
  if (sent.kind === 'withheld') return withheld(decision, sent.answer)
  const { structured, text, rows, partial } = readingOf(sent)
  const found = findOrigins({ structured, text }, sent.kind === 'result' ? origins : [])
  return {
    version: SESSION_PROTOCOL,
    decision,
    answer: sent.kind !== 'notice',
    rows,
    labels: sent.kind === 'result' ? sent.labels : [],
    ...found,
    overflow: found.overflow || partial,
  }
}

/**
 * Of what was withheld only the number of rows is told. The upstream has gathered them, and a later
 * call might fetch them from there one by one, so they count as if they had come; until then they were
 * without bound.
 *
 * INVARIANT: nothing gains an origin by being in a result that the client never saw.
 */
function withheld(decision: string, answer: Answer): ObservedMessage {
  const { rows, partial } = readingOf(answer)
  return {
    version: SESSION_PROTOCOL,
    decision,
    answer: true,
    rows: partial ? null : rows,
    labels: [],
    listed: [],
    fields: [],
    mentions: [],
    overflow: false,
  }
}

function readingOf(sent: Exclude<Sent, { kind: 'withheld' }>): Reading {
  switch (sent.kind) {
    case 'result':
      return readResult(sent.result, sent.letters)
    case 'error':
      return readOther(sent.error, sent.letters)
    case 'notice':
      return readOther(sent.params, sent.letters)
  }
}
