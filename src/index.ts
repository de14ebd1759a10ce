import { app } from './app.ts'
import { onClock } from './signals/deployment.ts'

export { Credentials } from './durable-objects/credentials.ts'
export { IssuerKeys } from './durable-objects/issuer-keys.ts'
export { Session } from './durable-objects/session.ts'
export { SignalPoll } from './durable-objects/signal-poll.ts'

export default {
  fetch: app.fetch,
  scheduled: (_, env, context) => context.waitUntil(onClock(env)),
} satisfies ExportedHandler<Env>
