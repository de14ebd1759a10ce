import { SESSION_PROTOCOL, type ObservedMessage } from '../durable-objects/session-protocol.ts'
import { readOther, readResult, type Reading } from '../mcp/reading.ts'
import type { JsonObject } from '../mcp/value.ts'
import { findOrigins, type OriginRow } from '../pdp/provenance/fields.ts'

/** One message of an upstream, before anybody else has seen it. */
export type Sent =
  | {
      readonly kind: 'result'
      readonly result: JsonObject
      readonly letters: number
      /** Labels of the resources that it names. */
      readonly labels: readonly string[]
    }
  | { readonly kind: 'error'; readonly error: JsonObject; readonly letters: number }
  | { readonly kind: 'notice'; readonly params: JsonObject; readonly letters: number }

/** What a session is told of it. What is not read to its end counts as holding anything. */
export function observationOf(
  decision: string,
  sent: Sent,
  origins: readonly OriginRow[],
): ObservedMessage {
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

function readingOf(sent: Sent): Reading {
  switch (sent.kind) {
    case 'result':
      return readResult(sent.result, sent.letters)
    case 'error':
      return readOther(sent.error, sent.letters)
    case 'notice':
      return readOther(sent.params, sent.letters)
  }
}
