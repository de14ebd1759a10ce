import { applyD1Migrations, reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach } from 'vitest'
import { forgetEverything } from './isolate.ts'
import { endStreams } from './legacy-server.ts'

// The files of one test worker run in one workerd, because starting it costs more than most of them.
// Each begins as if it had one to itself: no row, no session, and an isolate that remembers nothing.
// Said here, because this file runs for each file of tests, and what they share runs once.
afterEach(endStreams)

await forgetEverything()
await reset()
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
await applyD1Migrations(env.DECISIONS, env.TEST_DECISION_MIGRATIONS)
