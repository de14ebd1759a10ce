import { digestedObservation } from '../pdp/sequence/digested.ts'
import type { Observation } from '../pdp/sequence/step.ts'
import type { Digests } from './digests.ts'
import type { ObservedMessage } from './session-protocol.ts'

/** What an upstream's message holds, as it is kept. Values leave here as digests only. */
export const digested = (message: ObservedMessage, digests: Digests): Observation =>
  digestedObservation(message, message, (text) => digests.of(text))
