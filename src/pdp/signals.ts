// Pure. What an issuer told of a token's subject after the token was made (OpenID SSF, CAEP, RISC): it
// takes away, asks for another login, or is there for policies to look at.
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { isJsonObject } from '../mcp/value.ts'
import type { Actor, EvaluationRequest, Facts } from './evaluation.ts'
import type { DecisionRefusal } from './refusal.ts'

/** What raises the demands on a call: a credential that changed, or what CAEP calls by these names. */
export const SIGNAL_TOPICS = ['login', 'assurance', 'device', 'risk'] as const
export type SignalTopic = (typeof SIGNAL_TOPICS)[number]

/** What was last said of somebody on one topic, and what the stream's row makes of it. */
export interface SignalState {
  readonly topic: SignalTopic
  readonly level: string
  readonly raised: boolean
  /** Epoch milliseconds of the event. */
  readonly at: number
  /** Which classes of calls it touches, and which logins help: `acr` values, maybe none. */
  readonly access: readonly string[]
  readonly acrValues: readonly string[]
}

/** A claim that is no longer what the token says. */
export interface ChangedClaim {
  readonly claim: string
  readonly value: JsonValue
}

/** All that streams say of this token and its subject. Absent in facts where they say nothing. */
export interface SignalFacts {
  readonly states: readonly SignalState[]
  readonly changed: readonly ChangedClaim[]
  /** Streams that must be heard and were not for too long. */
  readonly silent: readonly string[]
}

type Properties = EvaluationRequest['subject']['properties']

/** How each claim that a decision reads is narrowed; what is absent here is for policies only. */
const NARROWED: ReadonlyMap<
  string,
  (properties: Properties, value: JsonValue) => Partial<Properties>
> = new Map<string, (properties: Properties, value: JsonValue) => Partial<Properties>>([
  ['scope', ({ scopes }, value) => ({ scopes: scopes.filter((one) => scopesIn(value).has(one)) })],
  // Classes of login have no order, so one that differs is none at all.
  ['acr', ({ acr }, value) => ({ acr: acr === value ? acr : null })],
  [
    'auth_time',
    ({ authTime }, value) => ({
      // A login at an unreadable time was long ago: with none at all, the token's own age would count.
      authTime:
        authTime === null ? null : Math.min(authTime, typeof value === 'number' ? value : 0),
    }),
  ],
  [
    'authorization_details',
    ({ authorizationDetails: before }, value) => ({
      authorizationDetails: before === null ? detailsIn(value) : sameOrNone(before, value),
    }),
  ],
])

/**
 * INVARIANT: a signal never gives what the token does not: every member is as it was, or less. What
 * an issuer adds comes with the next token.
 */
export function narrowedBySignals(
  request: EvaluationRequest,
  { signals }: Pick<Facts, 'signals'>,
): EvaluationRequest {
  if (signals === undefined || signals.changed.length === 0) return request
  let properties = request.subject.properties
  for (const { claim, value } of signals.changed) {
    const narrow = NARROWED.get(claim)
    if (narrow !== undefined) properties = { ...properties, ...narrow(properties, value) }
  }
  return { ...request, subject: { ...request.subject, properties } }
}

const scopesIn = (value: JsonValue): ReadonlySet<string> =>
  new Set(typeof value === 'string' ? value.split(' ') : [])

/** What cannot be read grants nothing (RFC 9396 §9.1). */
const detailsIn = (value: JsonValue): readonly JsonObject[] =>
  Array.isArray(value) && value.every(isJsonObject) ? (value as readonly JsonObject[]) : []

/** Two bounds that differ would both have to hold; nobody issues such tokens, so nothing does. */
const sameOrNone = (before: readonly JsonObject[], value: JsonValue): readonly JsonObject[] =>
  JSON.stringify(before) === JSON.stringify(value) ? before : []

/** Door two's gate: what the issuer said since asks for another login, or refuses while it stands. */
export function signalGate(
  actor: Actor,
  request: EvaluationRequest,
  facts: Facts,
): DecisionRefusal | null {
  const { signals, tool } = facts
  if (signals === undefined) return null
  if (signals.silent.length > 0) return { at: 'decide', reason: 'signals_silent' }
  if (tool === null) return null
  // In a listing nobody needs anything yet.
  const isListing = request.context.arguments === null
  const outdated = isListing ? null : loginGate(actor, request, facts)
  if (outdated !== null) return outdated
  const classes = tool.depends?.access ?? [tool.access]
  for (const state of signals.states) {
    const { topic, raised, access, acrValues } = state
    // A changed credential is about every call; the rest about the classes that the stream names.
    if (!raised || topic === 'login' || !classes.every((one) => access.includes(one))) continue
    const again = topic === 'assurance' || acrValues.length > 0
    if (!again) return { at: 'decide', reason: 'signal_raised', topic }
    if (!isListing && !isOvercome(state, request)) return loginOutdated(state, request)
  }
  return null
}

/** Of it what concerns whoever comes with a token, whatever for: a credential that has changed since. */
export function loginGate(
  _: Actor,
  request: EvaluationRequest,
  { signals }: Facts,
): DecisionRefusal | null {
  const changed = signals?.states.find(
    (state) => state.topic === 'login' && state.raised && !isOvercome(state, request),
  )
  return changed === undefined ? null : loginOutdated(changed, request)
}

/** By a login after the event, of a class that the stream names, if it does. */
function isOvercome({ topic, at, acrValues }: SignalState, { subject }: EvaluationRequest) {
  const { authTime, tokenIssuedAt = null, acr } = subject.properties
  const accepted = topic === 'login' || acrValues.length === 0 || acrValues.includes(acr ?? '')
  return accepted && (authTime ?? tokenIssuedAt ?? 0) * 1000 > at
}

const loginOutdated = (
  { topic, at, acrValues }: SignalState,
  { subject, context }: EvaluationRequest,
): DecisionRefusal => ({
  at: 'decide',
  reason: 'login_outdated',
  topic,
  acrValues: topic === 'login' ? [] : acrValues,
  // Whole seconds since: a login that is no older was made after the event.
  maxAgeSeconds: Math.max(0, Math.floor((context.now - at) / 1000) - 1),
  scopes: subject.properties.scopes,
})

/** What conditions see: '' where nothing was said. */
export function signalVariables({ signals }: Pick<Facts, 'signals'>) {
  // Of streams that differ the one that warns: that another knows nothing of it lifts nothing.
  const levelOf = (topic: SignalTopic): string => {
    const said = signals?.states.filter((state) => state.topic === topic) ?? []
    return (said.find(({ raised }) => raised) ?? said[0])?.level ?? ''
  }
  const claims = Object.create(null) as Record<string, JsonValue>
  for (const { claim, value } of signals?.changed ?? []) claims[claim] = value
  return {
    assurance: levelOf('assurance'),
    device: levelOf('device'),
    risk: levelOf('risk'),
    claims: claims as JsonObject,
  }
}
