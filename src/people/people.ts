import type { Fetch } from '../authentication/key-fetch.ts'
import type { Credentials } from '../durable-objects/credentials.ts'
import type { Doors } from '../pep/doors.ts'
import type { Secrets } from '../secrets.ts'
import type { Allowance } from '../allowance.ts'

/** What the pages need of the world. Made once per isolate (`deployment.ts`). */
export interface People {
  readonly doors: Pick<Doors, 'config' | 'policies' | 'keys'>
  /** The database of policies, to write sessions and consents into. */
  readonly database: D1Database
  readonly secrets: Secrets
  /** What upstreams were given for a subject: looked at when something of that subject is revoked. */
  readonly credentials: Pick<DurableObjectNamespace<Credentials>, 'getByName'>
  /** The log: who was given something under a task that only tokens declare. Only read here. */
  readonly log: D1Database
  /** How often this isolate may look for newer rows because a page was asked for. */
  readonly visits: Allowance
  readonly fetch: Fetch
  readonly now: () => number
  /** For the operator: nothing of a person or a token. */
  readonly report: (event: Readonly<Record<string, string>>) => void
}
