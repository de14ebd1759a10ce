import { createIntrospection } from './authentication/introspection/introspection.ts'
import type { Fetch } from './authentication/key-fetch.ts'
import { createKeySource } from './authentication/keys.ts'
import { createStatusSource } from './authentication/status-list/source.ts'
import { CallerRows } from './authzen/caller-rows.ts'
import { parseConfig } from './config.ts'
import { RateBound } from './durable-objects/rate-bound.ts'
import type { Doors } from './pep/doors.ts'
import { TrustingTenants } from './pep/trusting-tenants.ts'
import type { People } from './people/people.ts'
import { createSecrets } from './secrets.ts'
import { createPushDoor } from './signals/deployment.ts'
import type { PushDoor } from './signals/push.ts'
import { Allowance } from './allowance.ts'
import { PolicyStore } from './storage/policy-store.ts'
import { SightingStore } from './storage/sightings.ts'
import { createUpstreamCredentials } from './upstream/credentials/credentials.ts'
import type { OwnKeyTexts } from './upstream/credentials/own-keys.ts'

/** Parts of an isolate. */
export interface Deployment {
  readonly env: Env
  readonly doors: Doors
  readonly callers: CallerRows
  readonly taskRates: RateBound
  readonly people: People
  readonly push: PushDoor
}

/** Calls that wait for a look at their tool's definition; beyond it they are told to come again. */
const OWN_LISTINGS_PER_SECOND = 5
/** Pages of our own that are shown to people. */
const VISITS_PER_SECOND = 200

let deployment: Deployment | null = null

/** Made with the first request of an isolate, whose environment never changes. */
export function deploymentOf(env: Env): Deployment {
  if (deployment?.env !== env) deployment = createDeployment(env)
  return deployment
}

function createDeployment(env: Env): Deployment {
  const config = parseConfig(env)
  const { allowLoopback, hosts: ownHosts, publicOrigins } = config
  const secrets = createSecrets(env)
  const keys = createKeySource({
    ask: (request) => env.ISSUER_KEYS.get(env.ISSUER_KEYS.idFromName(request.uri)).keys(request),
    allowLoopback,
    now,
  })
  const policies = new PolicyStore(env.DB, config)
  const asking = { secrets, keys, urls: { allowLoopback, ownHosts }, fetch: send, now }
  const doors: Doors = {
    config,
    policies,
    trusting: new TrustingTenants(policies),
    keys,
    introspection: createIntrospection({
      ...asking,
      report: (issuer, detail) => report({ event: 'introspection_failed', issuer, detail }),
    }),
    statuses: createStatusSource({
      ...asking,
      report: (issuer, detail) => report({ event: 'status_list_failed', issuer, detail }),
    }),
    sessions: env.SESSIONS,
    sightings: new SightingStore(env.DB),
    credentials: createUpstreamCredentials({
      origin: publicOrigins[0],
      secrets,
      own: env as OwnKeyTexts,
      obtain: (session, request) => env.CREDENTIALS.getByName(session).obtain(request),
      now,
      report: (server, detail) => report({ event: 'credential_unavailable', server, detail }),
    }),
    running: env.CREDENTIALS,
    ownListings: new Allowance(OWN_LISTINGS_PER_SECOND),
    lookedAhead: new Map(),
    unrecorded: new Map(),
  }
  return {
    env,
    doors,
    callers: new CallerRows(policies),
    taskRates: new RateBound(),
    push: createPushDoor(env, config),
    people: {
      doors,
      database: env.DB,
      secrets,
      credentials: env.CREDENTIALS,
      log: env.DECISIONS,
      visits: new Allowance(VISITS_PER_SECOND),
      fetch: send,
      now,
      report,
    },
  }
}

// Looked up when they are needed, so that a test can put others in their place.
const now = (): number => Date.now()
const send: Fetch = (url, init) => fetch(url, init)

/** For the operator. Fixed texts and names only. */
const report = (event: Readonly<Record<string, string>>): void => {
  console.warn(JSON.stringify(event))
}
