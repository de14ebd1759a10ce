import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { REVISION, SCHEMA_SHAPE, type D1Reader } from './freshness.ts'
import * as schema from './schema.ts'

/** One tenant's rows of every compiled table, as they are stored (freshness.ts, COMPILED_TABLES). */
export interface TenantTables {
  readonly issuers: readonly (typeof schema.issuers.$inferSelect)[]
  readonly servers: readonly (typeof schema.servers.$inferSelect)[]
  readonly tools: readonly Omit<typeof schema.tools.$inferSelect, 'definition'>[]
  readonly toolAccess: readonly (typeof schema.toolAccess.$inferSelect)[]
  readonly toolLabels: readonly (typeof schema.toolLabels.$inferSelect)[]
  readonly resourceTypes: readonly (typeof schema.resourceTypes.$inferSelect)[]
  readonly toolArguments: readonly (typeof schema.toolArguments.$inferSelect)[]
  readonly toolResults: readonly (typeof schema.toolResults.$inferSelect)[]
  readonly toolOrigins: readonly (typeof schema.toolOrigins.$inferSelect)[]
  /** Enabled rows only. */
  readonly policies: readonly PolicyRow[]
  readonly sequenceRules: readonly (typeof schema.sequenceRules.$inferSelect)[]
}

type PolicyRow = typeof schema.policies.$inferSelect

export interface TenantSnapshot {
  /** `counter:nonce:shape`. */
  readonly revision: string
  readonly tables: TenantTables
  readonly moment: HistoryMoment
}

/** Where the history of policies stood. */
export interface HistoryMoment {
  readonly sequence: number
  /** The revision that its last entry named: random, so it proves that later entries follow on it. */
  readonly revision: string | null
  readonly shape: number
}

/** More changes than this are not taken in one by one. */
const MAX_CHANGES = 200

/** Whether the triggers that move the revision write the history too: a rebuilt table may lack that. */
const HISTORY_IS_WRITTEN = `(SELECT count(*) = 3 FROM sqlite_master WHERE type = 'trigger'
  AND name GLOB 'revision_policies_*' AND instr(sql, 'INSERT INTO policy_history') > 0)`

/**
 * In one transaction, so that rows and revision are of one moment. null: no such tenant.
 *
 * Policies are many: where this isolate knows an earlier state, only what changed since is read. That
 * the state is an earlier one of this very database is proved, not assumed: after Time Travel, or
 * after a table was rebuilt, everything is read. The history only says which rows to look at.
 */
export async function readTenantTables(
  database: D1Reader,
  tenant: string,
  known?: TenantSnapshot,
): Promise<TenantSnapshot | null> {
  // A session reads like a database; the adapter's type knows only the latter.
  const db = drizzle(database as D1Database)
  const { revision, issuers, servers, tools, toolAccess, toolLabels } = schema
  const { resourceTypes, toolArguments, toolResults, toolOrigins, policies, sequenceRules } = schema
  const { policyHistory: history } = schema
  const since = known?.moment.sequence ?? Number.MAX_SAFE_INTEGER
  const changedSince = and(
    eq(history.tenant, tenant),
    eq(history.source, 'policies'),
    gt(history.sequence, since),
  )
  const [current, tip, ancestor, changes, ...rows] = await db.batch([
    db
      .select({ text: sql<string>`${sql.raw(REVISION)}` })
      .from(revision)
      .where(eq(revision.tenant, tenant)),
    db
      .select({
        sequence: history.sequence,
        revision: history.revision,
        shape: sql<number>`${sql.raw(SCHEMA_SHAPE)}`,
        isWritten: sql<number>`${sql.raw(HISTORY_IS_WRITTEN)}`,
      })
      .from(history)
      .where(eq(history.sequence, sql`(SELECT max(sequence) FROM policy_history)`)),
    db.select({ revision: history.revision }).from(history).where(eq(history.sequence, since)),
    db
      .selectDistinct({ id: history.id })
      .from(history)
      .where(changedSince)
      .limit(MAX_CHANGES + 1),
    db.select().from(issuers).where(eq(issuers.tenant, tenant)),
    db.select().from(servers).where(eq(servers.tenant, tenant)),
    // The definitions themselves are long, and the hash says as much.
    db.select(ALL_BUT_DEFINITION).from(tools).where(eq(tools.tenant, tenant)),
    db.select().from(toolAccess).where(eq(toolAccess.tenant, tenant)),
    db.select().from(toolLabels).where(eq(toolLabels.tenant, tenant)),
    db.select().from(resourceTypes).where(eq(resourceTypes.tenant, tenant)),
    db.select().from(toolArguments).where(eq(toolArguments.tenant, tenant)),
    db.select().from(toolResults).where(eq(toolResults.tenant, tenant)),
    db.select().from(toolOrigins).where(eq(toolOrigins.tenant, tenant)),
    db
      .select()
      .from(sequenceRules)
      .where(and(eq(sequenceRules.tenant, tenant), eq(sequenceRules.enabled, true)))
      .orderBy(asc(sequenceRules.id)),
    db
      .select()
      .from(policies)
      .where(
        and(
          eq(policies.tenant, tenant),
          eq(policies.enabled, true),
          known === undefined
            ? undefined
            : inArray(policies.id, db.select({ id: history.id }).from(history).where(changedSince)),
        ),
      ),
  ])
  const [now] = current
  if (now === undefined) return null
  const { sequence, revision: last, shape, isWritten } = tip[0] ?? NO_HISTORY
  const follows =
    known !== undefined &&
    isWritten === 1 &&
    ancestor[0]?.revision === known.moment.revision &&
    shape === known.moment.shape &&
    changes.length <= MAX_CHANGES
  // Nothing that is known leads here: once more, and everything.
  if (known !== undefined && !follows) return readTenantTables(database, tenant)
  return {
    revision: now.text,
    moment: { sequence, revision: last, shape },
    tables: {
      issuers: rows[0],
      servers: rows[1],
      tools: rows[2],
      toolAccess: rows[3],
      toolLabels: rows[4],
      resourceTypes: rows[5],
      toolArguments: rows[6],
      toolResults: rows[7],
      toolOrigins: rows[8],
      sequenceRules: rows[9],
      policies: known === undefined ? rows[10] : replaced(known.tables.policies, changes, rows[10]),
    },
  }
}

const NO_HISTORY = { sequence: 0, revision: null, shape: 0, isWritten: 0 }

/** What changed is gone, and what of it is still there and enabled comes back as it is now. */
function replaced(
  before: readonly PolicyRow[],
  changed: readonly { readonly id: string }[],
  rows: readonly PolicyRow[],
): readonly PolicyRow[] {
  if (changed.length === 0) return before
  const ids = new Set(changed.map(({ id }) => id))
  return [...before.filter(({ id }) => !ids.has(id)), ...rows]
}

const { tenant, server, name, access, environment, requiredScope } = schema.tools
const { labelsReviewed, definitionHash, pinnedAt } = schema.tools
const ALL_BUT_DEFINITION = {
  tenant,
  server,
  name,
  access,
  environment,
  requiredScope,
  labelsReviewed,
  definitionHash,
  pinnedAt,
}
