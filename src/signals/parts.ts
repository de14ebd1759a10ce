// The receiver as a Worker's environment makes it, for isolates and for the objects that poll.
import { createKeySource } from '../authentication/keys.ts'
import { parseConfig } from '../config.ts'
import { createSecrets } from '../secrets.ts'
import { Allowance } from '../allowance.ts'
import { PolicyStore } from '../storage/policy-store.ts'
import type { Receiver } from './receiver.ts'

/** A flood, or an outage, costs the operator no more lines in the log. */
const REPORTS_PER_SECOND = 20

export function receiverOf(env: Env): Receiver {
  const config = parseConfig(env)
  const policies = new PolicyStore(env.DB, config)
  const reports = new Allowance(REPORTS_PER_SECOND)
  return {
    read: (read) => policies.read(read),
    database: env.DB,
    keys: createKeySource({
      ask: (request) => env.ISSUER_KEYS.get(env.ISSUER_KEYS.idFromName(request.uri)).keys(request),
      allowLoopback: config.allowLoopback,
      now: Date.now,
    }),
    secrets: createSecrets(env),
    urls: { allowLoopback: config.allowLoopback, ownHosts: config.hosts },
    now: () => Date.now(),
    report: (stream, detail) => {
      if (!reports.take(Date.now())) return
      console.warn(JSON.stringify({ event: 'signals_failed', stream, detail }))
    },
  }
}
