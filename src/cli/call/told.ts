// What streams of signals told of the subject, as a case says it: without a stream, and without its events.
import type { JsonObject } from '../../mcp/value.ts'
import { ACCESS } from '../../pdp/evaluation.ts'
import { SIGNAL_TOPICS, type SignalFacts, type SignalTopic } from '../../pdp/signals.ts'
import { Fields } from './fields.ts'

/** As the receiver would have left it; times count back from the case's own. */
export type Told = (now: number) => SignalFacts

/** The columns' own defaults (migrations/0011_create_signal_streams.sql). */
const RAISED_ACCESS = ACCESS.filter((one) => one !== 'read')

export function readTold(place: string, value: JsonObject): Told {
  const one = new Fields(place, value)
  one.only([...SIGNAL_TOPICS, 'claims', 'silent'])
  const states = SIGNAL_TOPICS.filter((topic) => one.has(topic)).map((topic) =>
    readState(`${place}: ${topic}`, topic, one.object(topic)),
  )
  const changed = Object.entries(one.objectOrNull('claims') ?? {})
  const silent = one.flag('silent') ? ['a stream'] : []
  return (now) => ({
    states: states.map(({ secondsAgo, ...state }) => ({ ...state, at: now - secondsAgo * 1000 })),
    changed: changed.map(([claim, changedTo]) => ({ claim, value: changedTo })),
    silent,
  })
}

function readState(place: string, topic: SignalTopic, value: JsonObject) {
  const state = new Fields(place, value)
  state.only(['level', 'raised', 'seconds_ago', 'raised_access', 'raised_acr'])
  return {
    topic,
    level: state.text('level'),
    raised: state.has('raised') ? state.flag('raised') : true,
    secondsAgo: state.numberOrNull('seconds_ago') ?? 0,
    access: state.has('raised_access') ? state.texts('raised_access') : RAISED_ACCESS,
    acrValues: (state.textOrNull('raised_acr') ?? '').split(' ').filter((acr) => acr !== ''),
  }
}
