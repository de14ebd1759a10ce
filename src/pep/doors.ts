import type { Introspection } from '../authentication/introspection/introspection.ts'
import type { StatusSource } from '../authentication/status-list/source.ts'
import type { KeySource } from '../authentication/keys.ts'
import type { Config } from '../config.ts'
import type { Credentials } from '../durable-objects/credentials.ts'
import type { Session } from '../durable-objects/session.ts'
import type { Allowance } from '../allowance.ts'
import type { PolicyStore } from '../storage/policy-store.ts'
import type { UpstreamCredentials } from '../upstream/credentials/credentials.ts'
import type { SightingStore } from '../storage/sightings.ts'
import type { TrustingTenants } from './trusting-tenants.ts'

/** What the journey needs of the world. Made once per isolate (`deployment.ts`). */
export interface Doors {
  readonly config: Config
  readonly policies: PolicyStore
  /** For doors whose address names no server (whose-token.ts). */
  readonly trusting: TrustingTenants
  readonly keys: KeySource
  readonly introspection: Introspection
  /** Absent: tokens that name a status list are refused. */
  readonly statuses?: StatusSource
  readonly sessions: DurableObjectNamespace<Session>
  readonly sightings: SightingStore
  readonly credentials: UpstreamCredentials
  /** Where it is written down what runs on at servers (running-tasks.ts). */
  readonly running: Pick<DurableObjectNamespace<Credentials>, 'getByName'>
  /** How often this isolate may list tools for itself. */
  readonly ownListings: Allowance
  /** By server: when this isolate last listed its tools before it had to, epoch ms. */
  readonly lookedAhead: Map<string, number>
  /** How often this isolate refused what is in no record, by what the door that refused calls it. */
  readonly unrecorded: Map<string, number>
}

/** Work that outlives the answer, such as the outcome of a stream. */
export type Background = (work: Promise<unknown>) => void
