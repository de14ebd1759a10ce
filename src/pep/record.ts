import {
  SESSION_PROTOCOL,
  type FlowOfCall,
  type SessionStep,
} from '../durable-objects/session-protocol.ts'
import { canonical } from '../mcp/canonical.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { EvaluationRequest, Facts, PolicyMatch, WouldBe } from '../pdp/evaluation.ts'
import type { Asked } from '../pdp/provenance/asked.ts'
import { actorKeyOf } from '../question/history-keys.ts'
import type { Question } from '../question/question.ts'
import { sha256 } from '../sha256.ts'
import type { CarriedRecord } from '../upstream/credentials/carried.ts'

/** Everything that the decision was made from, and what it led to before the history was asked. */
export interface Inputs {
  readonly request: EvaluationRequest
  readonly facts: Facts
  readonly matches: readonly PolicyMatch[]
  readonly wouldBe: WouldBe | null
  /** What the person asked for, and what belongs to the organisation: what origins are judged by. */
  readonly asked?: Asked & Pick<FlowOfCall, 'ownDomains'>
  /** What it carried to its server, by name; absent where nothing was sent. */
  readonly credential?: CarriedRecord
  /** The result that was withheld belongs to this decision; absent where a call was decided. */
  readonly resultOf?: string
  /** The AuthZEN caller that asked and enforces; absent where Sallyport forwards itself. */
  readonly assertedBy?: string
}

/** How long the inputs of a record may be, in characters; beyond it the arguments stay out. */
export const MAX_ADMITTED_INPUTS = 200_000
/** Less for what is refused anyway: anybody with a token can be refused as often as they like. */
export const MAX_REFUSED_INPUTS = 16_000

/** Of a record that is too long: more would be of no use to whoever reads it. */
const MAX_LISTED = 100

/** The step that a session decides and records. */
export function stepOf(
  question: Question,
  decision: string,
  inputs: Inputs,
  argumentsKey: string,
  limit: number,
): SessionStep {
  const { actor, session, server, method, tool } = question
  const { tenant, issuer, subject, client, agent } = actor
  const { wouldBe, ...stored } = inputs
  return {
    version: SESSION_PROTOCOL,
    decision,
    columns: { tenant, session, issuer, subject, client, agent, server, method, tool },
    actorKey: actorKeyOf(actor),
    inputs: textOf(stored, argumentsKey, limit),
    argumentsKey,
    callsPerMinute: inputs.facts.callsPerMinute,
    wouldBe,
    // Shown by a request; this may be a question without one.
    possession: null,
  }
}

function textOf(inputs: Omit<Inputs, 'wouldBe'>, argumentsKey: string, limit: number): string {
  const whole = JSON.stringify(inputs)
  if (whole.length <= limit) return whole
  const context = { ...inputs.request.context, arguments: null }
  const request = { ...inputs.request, context }
  const matches = inputs.matches.slice(0, MAX_LISTED)
  const facts = { ...inputs.facts, targets: inputs.facts.targets.slice(0, MAX_LISTED) }
  const short = { ...inputs, request, facts, matches, argumentsOmitted: argumentsKey }
  const text = JSON.stringify(short)
  return text.length <= limit ? text : JSON.stringify(withoutEvidence(short))
}

/**
 * A token may carry 64 details and a person may have given 200 consents: next to them a refusal
 * would cost more to store than to ask for. How many there were stays.
 */
function withoutEvidence<I extends Omit<Inputs, 'wouldBe'>>(inputs: I) {
  const { request, facts } = inputs
  const { properties } = request.subject
  const details = properties.authorizationDetails
  return {
    ...inputs,
    request: {
      ...request,
      subject: { ...request.subject, properties: { ...properties, authorizationDetails: null } },
    },
    facts: { ...facts, consents: [] },
    evidenceOmitted: {
      consents: facts.consents.length,
      authorizationDetails: details?.length ?? null,
    },
  }
}

/** Short arguments stand for themselves; a digest is for those that would be long to compare. */
const LONG_ARGUMENTS = 512

/** What makes the arguments of two calls equal, whatever the order of their members. */
export async function argumentsKeyOf(given: JsonObject): Promise<string> {
  const text = canonical(given)
  return text.length <= LONG_ARGUMENTS ? text : `sha256:${await sha256(text)}`
}
