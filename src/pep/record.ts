import { SESSION_PROTOCOL, type SessionStep } from '../durable-objects/session-protocol.ts'
import { canonical } from '../mcp/canonical.ts'
import type { Operation } from '../mcp/operation.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { Actor, EvaluationRequest, Facts, PolicyMatch } from '../pdp/evaluation.ts'
import { actorKeyOf, sha256 } from './question.ts'

/** What a record says of the call itself, whatever the facts are (docs/records.md). */
export interface Recorded {
  readonly actor: Actor
  readonly sessionKey: string
  readonly server: string
  readonly operation: Operation
  readonly argumentsKey: string
}

/** Everything that the decision was made from. */
export interface Inputs {
  readonly request: EvaluationRequest
  readonly facts: Facts
  readonly matches: readonly PolicyMatch[]
}

/** How long the inputs of a record may be, in characters; beyond it the arguments stay out. */
export const MAX_ADMITTED_INPUTS = 200_000
/** Less for what is refused anyway: anybody with a token can be refused as often as they like. */
export const MAX_REFUSED_INPUTS = 16_000

/** Of a record that is too long: more would be of no use to whoever reads it. */
const MAX_MATCHES = 100

/** The step that a session decides and records. */
export function stepOf(
  { actor, sessionKey, server, operation, argumentsKey }: Recorded,
  decision: string,
  inputs: Inputs,
  limit: number,
): SessionStep {
  const { tenant, issuer, subject, client, agent } = actor
  const tool = operation.kind === 'tool_call' ? operation.tool : null
  return {
    version: SESSION_PROTOCOL,
    decision,
    columns: {
      tenant,
      session: sessionKey,
      issuer,
      subject,
      client,
      agent,
      server,
      method: operation.method,
      tool,
    },
    actorKey: actorKeyOf(actor),
    inputs: textOf(inputs, argumentsKey, limit),
    argumentsKey,
    callsPerMinute: inputs.facts.callsPerMinute,
  }
}

function textOf(inputs: Inputs, argumentsKey: string, limit: number): string {
  const whole = JSON.stringify(inputs)
  if (whole.length <= limit) return whole
  const context = { ...inputs.request.context, arguments: null }
  const request = { ...inputs.request, context }
  const matches = inputs.matches.slice(0, MAX_MATCHES)
  return JSON.stringify({ ...inputs, request, matches, argumentsOmitted: argumentsKey })
}

/** Short arguments stand for themselves; a digest is for those that would be long to compare. */
const LONG_ARGUMENTS = 512

/** What makes the arguments of two calls equal, whatever the order of their members. */
export async function argumentsKeyOf(given: JsonObject): Promise<string> {
  const text = canonical(given)
  return text.length <= LONG_ARGUMENTS ? text : `sha256:${await sha256(text)}`
}
