// The receiver of signals as one isolate has it.
import type { Config } from '../config.ts'
import { Allowance } from '../allowance.ts'
import { beginPolling } from './liveness.ts'
import { receiverOf } from './parts.ts'
import type { PushDoor } from './push.ts'

/** Well-formed events that nobody's known key has signed. */
const STRANGERS_PER_SECOND = 100
/** Events of one stream; beyond it the transmitter is asked to come again. */
const EVENTS_PER_SECOND = 100
const MOST_STREAMS = 256

export function createPushDoor(env: Env, config: Config): PushDoor {
  const allowances = new Map<string, Allowance>()
  return {
    config,
    receiver: receiverOf(env),
    strangers: new Allowance(STRANGERS_PER_SECOND),
    listings: new Allowance(1),
    allowanceOf: (stream) => {
      const known = allowances.get(stream)
      if (known !== undefined) return known
      const allowance = new Allowance(EVENTS_PER_SECOND)
      if (allowances.size >= MOST_STREAMS) allowances.clear()
      allowances.set(stream, allowance)
      return allowance
    },
    known: new Map(),
  }
}

/** Once a minute (`[triggers]` in wrangler.toml). */
export const onClock = (env: Env): Promise<void> =>
  beginPolling(receiverOf(env).read, async (stream) => {
    await env.SIGNAL_POLLS.get(env.SIGNAL_POLLS.idFromName(stream)).begin(stream)
  })
