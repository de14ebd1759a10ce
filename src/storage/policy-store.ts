import type { Config } from '../config.ts'
import { err, ok, type Result } from '../result.ts'
import { inTime, LATE } from '../in-time.ts'
import { isObserved } from '../pdp/evaluate.ts'
import { Allowance } from '../allowance.ts'
import { loadTenant, localTrust, type CompiledTenant } from './compiled.ts'
import type { CredentialKind } from './credential-kinds.ts'
import { factsStatement, type FactKeys, type FreshFacts } from './facts.ts'
import { readFactsRow } from './facts-row.ts'
import { REVISION, REVISION_TRIGGERS, tableWithoutTriggers, type D1Reader } from './freshness.ts'
import { readHealth } from './health.ts'

/** Fresh facts, and the compiled rows of the very same revision. */
export interface Gathered {
  readonly facts: FreshFacts
  readonly compiled: CompiledTenant
  /** When the reading began, epoch ms: the age of the decision counts from here. */
  readonly readAt: number
}

/** Rows that have moved, or that they have not, or that nobody can say now. */
export type Refreshed = CompiledTenant | 'same' | 'unknown'

export interface Health {
  /** Sum of all revision counters: it only grows. */
  readonly revision: number
  readonly brokenRows: number
  /** Servers where most refusals are only written down, and until when (epoch milliseconds). */
  readonly observed: readonly { readonly server: string; readonly until: number }[]
  /** What calls carry to some server of these rows. */
  readonly credentials: ReadonlySet<CredentialKind>
}

/** Why D1 does not answer for a decision. */
export type StoreFault =
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'unsafe'; readonly detail: string }

const UNAVAILABLE: StoreFault = { kind: 'unavailable' }
const LOCAL_TRUST =
  'a demo issuer, a loopback issuer or a loopback server stands behind a public origin'
const missingTriggers = (table: string): string =>
  `the triggers that move the revision on are not as they should be: ${table}`

/** A reading that takes longer is as good as none. */
const READ_BUDGET_MS = 1_500
const RETRY_AFTER_MS = 30
/** A flood of bad tokens costs no more small readings than this, per isolate. */
const REFRESHES_PER_SECOND = 50
/** The same before a token is shown to its issuer: as many as there may be questions (introspection.ts). */
const CONFIRMATIONS_PER_SECOND = 200
/** A flood of unknown server names costs no more lookups than this, and then one list a second. */
const LOOKUPS_PER_SECOND = 50
const HEALTH_CHECKS_PER_SECOND = 20
/** Rows that nobody confirmed for this long are read again before they refuse a bad token. */
const OLD_MS = 1_000
/** How often the rows may move while they are read. */
const MAX_READINGS = 4

/**
 * The reading side of D1: one small interface, so that at fleet scale one reading can serve many
 * calls (docs/decisions/0003-one-reading-per-decision.md). Every reading begins at the primary;
 * nothing is answered from memory but compiled rows whose revision was just confirmed.
 */
export class PolicyStore {
  readonly #database: D1Database
  readonly #config: Config
  /** Last known, by tenant. May reject a token; never accepts a call (docs/architecture.md). */
  readonly #tenants = new Map<string, CompiledTenant>()
  readonly #tenantOfServer = new Map<string, string>()
  readonly #confirmedAt = new Map<string, number>()
  readonly #refreshes = new Allowance(REFRESHES_PER_SECOND)
  readonly #confirmations = new Allowance(CONFIRMATIONS_PER_SECOND)
  readonly #lookups = new Allowance(LOOKUPS_PER_SECOND)
  readonly #listings = new Allowance(1)
  readonly #healthChecks = new Allowance(HEALTH_CHECKS_PER_SECOND)
  #lastHealth: Result<Health, StoreFault> | null = null
  /** All server names, as of the last second in which somebody asked for too many unknown ones. */
  #names: ReadonlySet<string> | null = null

  constructor(database: D1Database, config: Config) {
    this.#database = database
    this.#config = config
  }

  /** Rows as this isolate last saw them, or as they are now if it never saw the server. */
  async lastKnown(server: string): Promise<Result<CompiledTenant | null, StoreFault>> {
    const tenant = this.#tenantOfServer.get(server)
    const known = tenant === undefined ? undefined : this.#tenants.get(tenant)
    if (known?.servers.has(server) === true) return ok(known)
    if (this.#lookups.take(Date.now())) return this.#find(server)
    return (await this.#mayExist(server)) ? this.#find(server) : ok(null)
  }

  /**
   * Rows as they are now, where an answer hangs on it: a row could have changed a refusal, or
   * nobody has confirmed these for a while. Costs a small reading; what moved is loaded.
   */
  async refreshed(
    server: string,
    known: CompiledTenant,
    allowance: Allowance = this.#refreshes,
  ): Promise<Refreshed> {
    if (!allowance.take(Date.now())) return 'unknown'
    const readAt = Date.now()
    const row = await this.#read((database) =>
      database
        .prepare(`SELECT ${REVISION} AS revision FROM revision WHERE tenant = ?1`)
        .bind(known.tenant)
        .first<{ revision: string }>(),
    )
    if (!row.ok) return 'unknown'
    if (row.value?.revision === known.revision) {
      this.#confirmedAt.set(known.tenant, readAt)
      return 'same'
    }
    const found = await this.#find(server)
    return found.ok ? (found.value ?? 'same') : 'unknown'
  }

  /**
   * Rows that somebody confirmed within the last second. Counted apart, so that a flood of bad tokens
   * does not take the place of good ones.
   */
  async confirmed(server: string, known: CompiledTenant): Promise<CompiledTenant | 'unknown'> {
    if (!this.isOld(known)) return known
    const rows = await this.refreshed(server, known, this.#confirmations)
    return rows === 'same' ? known : rows
  }

  /** For a first challenge: what the last known rows ask for, or nothing. */
  requiredScopes(server: string): readonly string[] {
    const tenant = this.#tenants.get(this.#tenantOfServer.get(server) ?? '')
    return tenant?.servers.get(server)?.facts.requiredScopes ?? []
  }

  /** Whether nobody has confirmed these rows lately. */
  isOld(compiled: CompiledTenant): boolean {
    return Date.now() - (this.#confirmedAt.get(compiled.tenant) ?? 0) >= OLD_MS
  }

  /**
   * One round trip, unless a row has changed since this isolate last looked.
   *
   * INVARIANT: what is returned is of one revision, and that revision was current after `readAt`.
   */
  async gather(
    keysIn: (compiled: CompiledTenant) => FactKeys,
    known: CompiledTenant,
  ): Promise<Result<Gathered, StoreFault>> {
    let compiled = known
    for (let reading = 0; reading < MAX_READINGS; reading += 1) {
      const readAt = Date.now()
      // What a call touches is for the rows to say, so new rows may ask for other facts.
      const keys = keysIn(compiled)
      const row = await this.#read((database) => factsStatement(database, keys).first())
      if (!row.ok) return row
      const facts = readFactsRow(row.value, keys)
      const fault = await this.#unsafe(facts)
      if (fault !== null) return err(fault)
      if (facts.revision === compiled.revision) {
        this.#confirmedAt.set(keys.tenant, readAt)
        return ok({ facts, compiled, readAt })
      }
      const loaded = await this.#read((database) => this.#load(database, keys.tenant))
      if (!loaded.ok) return loaded
      if (loaded.value === null) return err(UNAVAILABLE)
      compiled = loaded.value
    }
    return err(UNAVAILABLE)
  }

  /** Any other reading that a decision needs: from the primary, within the same time, tried twice. */
  read<T>(read: (database: D1Reader) => Promise<T>): Promise<Result<T, StoreFault>> {
    return this.#read(read)
  }

  /** Rows as they are now, whatever was known; null: no server has that name any more. */
  current(server: string): Promise<Result<CompiledTenant | null, StoreFault>> {
    return this.#find(server)
  }

  /** Null where no server has that name. */
  #find(server: string): Promise<Result<CompiledTenant | null, StoreFault>> {
    return this.#read(async (database) => {
      const row = await database
        .prepare('SELECT tenant FROM servers WHERE name = ?1')
        .bind(server)
        .first<{ tenant: string }>()
      return row === null ? null : this.#load(database, row.tenant)
    })
  }

  /** In a flood of made-up names: a list that is at most a second old tells them from real ones. */
  async #mayExist(server: string): Promise<boolean> {
    if (this.#listings.take(Date.now())) {
      const list = await this.#read((database) =>
        database.prepare('SELECT name FROM servers').all<{ name: string }>(),
      )
      if (list.ok) this.#names = new Set(list.value.results.map(({ name }) => name))
    }
    return this.#names?.has(server) ?? true
  }

  /** What `/healthz` tells: that all of it is fit to decide by, of every tenant. */
  async health(): Promise<Result<Health, StoreFault>> {
    // Anybody may ask: beyond this the last answer, at most a second old, is as good.
    if (this.#lastHealth !== null && !this.#healthChecks.take(Date.now())) return this.#lastHealth
    this.#lastHealth = await this.#checkHealth()
    return this.#lastHealth
  }

  async #checkHealth(): Promise<Result<Health, StoreFault>> {
    const state = await this.#read(readHealth)
    if (!state.ok) return state
    const { revision, triggers, issuers, servers } = state.value
    const trust = this.#config.local ? null : localTrust(issuers, servers)
    if (trust !== null) return err({ kind: 'unsafe', detail: trust })
    const fault = await this.#triggerFault(triggers)
    if (fault !== null) return err(fault)
    const brokenRows = [...this.#tenants.values()].flatMap((tenant) => tenant.problems()).length
    const now = Date.now()
    const observed = servers.flatMap(({ name, observeUntil }) =>
      observeUntil !== null && isObserved({ server: { observeUntil } }, now)
        ? [{ server: name, until: observeUntil }]
        : [],
    )
    const credentials = new Set(servers.map(({ credential }) => credential))
    return ok({ revision, brokenRows, observed, credentials })
  }

  async #load(database: D1Reader, tenant: string): Promise<CompiledTenant | null> {
    const readAt = Date.now()
    const compiled = await loadTenant(database, tenant, this.#config, this.#tenants.get(tenant))
    // A load that finished late must not put newer rows aside.
    if (compiled === null || readAt < (this.#confirmedAt.get(tenant) ?? 0)) return compiled
    this.#tenants.set(tenant, compiled)
    this.#confirmedAt.set(tenant, readAt)
    for (const name of compiled.servers.keys()) this.#tenantOfServer.set(name, tenant)
    return compiled
  }

  /** Reasons to decide nothing at all, however good the facts look. */
  async #unsafe(facts: FreshFacts): Promise<StoreFault | null> {
    if (facts.localTrust && !this.#config.local) return { kind: 'unsafe', detail: LOCAL_TRUST }
    return facts.revision === null ? UNAVAILABLE : this.#triggerFault(facts.revisionTriggers)
  }

  async #triggerFault(count: number): Promise<StoreFault | null> {
    if (count === REVISION_TRIGGERS) return null
    const table = await this.#read(tableWithoutTriggers)
    return table.ok ? { kind: 'unsafe', detail: missingTriggers(table.value) } : UNAVAILABLE
  }

  /** Once more after a short wait, then it is said that nothing can be decided. */
  async #read<T>(read: (database: D1Reader) => Promise<T>): Promise<Result<T, StoreFault>> {
    for (const wait of [RETRY_AFTER_MS, null]) {
      try {
        const reading = read(this.#database.withSession('first-primary'))
        const value = await inTime(reading, READ_BUDGET_MS, LATE)
        if (value !== LATE) return ok(value)
        console.warn('reading D1 took too long')
      } catch (error) {
        console.warn('reading D1 failed', String(error))
      }
      if (wait !== null) await new Promise((resolve) => setTimeout(resolve, wait))
    }
    return err(UNAVAILABLE)
  }
}
