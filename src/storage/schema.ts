import { integer, primaryKey, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core'
import { ACCESS, HOLDER_KINDS, REQUIRED_TASKS } from '../pdp/evaluation.ts'
import { ARGUMENT_ROLES, AUTHORITIES } from '../pdp/flows.ts'
import { RESOURCE_FORMS } from '../pdp/resource-name.ts'
import { SENSITIVITY } from '../pdp/resources.ts'
import { CREDENTIAL_KINDS, EXCHANGE_GRANTS } from './credential-kinds.ts'

/**
 * The typed mirror of `migrations/`. SQL is the truth (constraints and triggers live there only);
 * a test compares every column of every table with it.
 */

const flag = (name: string) => integer(name, { mode: 'boolean' }).notNull()

export const servers = sqliteTable(
  'servers',
  {
    name: text('name').primaryKey().notNull(),
    tenant: text('tenant').notNull(),
    url: text('url').notNull(),
    title: text('title').notNull().default(''),
    requiredScope: text('required_scope').notNull().default(''),
    internal: flag('internal').default(false),
    active: flag('active').default(true),
    consentRequired: flag('consent_required').default(false),
    dpopNonce: flag('dpop_nonce').default(false),
    credential: text('credential', { enum: CREDENTIAL_KINDS }).notNull().default('none'),
    credentialAudience: text('credential_audience'),
    credentialScope: text('credential_scope').notNull().default(''),
    credentialSecret: text('credential_secret'),
    exchangeIssuer: text('exchange_issuer'),
    exchangeGrant: text('exchange_grant', { enum: EXCHANGE_GRANTS })
      .notNull()
      .default('token-exchange'),
    exchangeSecret: text('exchange_secret'),
    assertionSecret: text('assertion_secret'),
    introspectionDigest: text('introspection_digest'),
    observeUntil: integer('observe_until'),
  },
  (table) => [unique().on(table.tenant, table.name)],
)

export const tools = sqliteTable(
  'tools',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    name: text('name').notNull(),
    access: text('access', { enum: ACCESS }).notNull(),
    environment: text('environment').notNull().default('production'),
    requiredScope: text('required_scope').notNull().default(''),
    labelsReviewed: flag('labels_reviewed').default(false),
    definitionHash: text('definition_hash'),
    definition: text('definition'),
    pinnedAt: integer('pinned_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.server, table.name] })],
)

export const toolAccess = sqliteTable(
  'tool_access',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    tool: text('tool').notNull(),
    access: text('access', { enum: ACCESS }).notNull(),
    condition: text('condition').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.server, table.tool, table.access] })],
)

export const toolLabels = sqliteTable(
  'tool_labels',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    tool: text('tool').notNull(),
    label: text('label').notNull(),
    condition: text('condition'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.server, table.tool, table.label] })],
)

export const resourceTypes = sqliteTable(
  'resource_types',
  {
    tenant: text('tenant').notNull(),
    name: text('name').notNull(),
    form: text('form', { enum: RESOURCE_FORMS }).notNull().default('exact'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.name] })],
)

export const toolArguments = sqliteTable(
  'tool_arguments',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    tool: text('tool').notNull(),
    pointer: text('pointer').notNull(),
    role: text('role', { enum: ARGUMENT_ROLES }),
    resourceType: text('resource_type'),
    optional: flag('optional').default(false),
    unlisted: text('unlisted', { enum: SENSITIVITY }).notNull().default('restricted'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.server, table.tool, table.pointer] })],
)

export const toolResults = sqliteTable(
  'tool_results',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    tool: text('tool').notNull(),
    pointer: text('pointer').notNull(),
    resourceType: text('resource_type'),
    optional: flag('optional').default(false),
    unlisted: text('unlisted', { enum: SENSITIVITY }).notNull().default('restricted'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.server, table.tool, table.pointer] })],
)

export const toolOrigins = sqliteTable(
  'tool_origins',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    tool: text('tool').notNull(),
    pointer: text('pointer').notNull(),
    resourceType: text('resource_type'),
    authority: text('authority', { enum: AUTHORITIES }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.server, table.tool, table.pointer] })],
)

export const toolSightings = sqliteTable(
  'tool_sightings',
  {
    tenant: text('tenant').notNull(),
    server: text('server').notNull(),
    tool: text('tool').notNull(),
    definitionHash: text('definition_hash').notNull(),
    matchedAt: integer('matched_at'),
    differedAt: integer('differed_at'),
    difference: text('difference').notNull().default('[]'),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.server, table.tool, table.definitionHash] }),
  ],
)

export const resources = sqliteTable(
  'resources',
  {
    tenant: text('tenant').notNull(),
    type: text('type').notNull(),
    id: text('id').notNull(),
    pattern: flag('pattern').default(false),
    owner: text('owner'),
    ownerIssuer: text('owner_issuer'),
    sensitivity: text('sensitivity', { enum: SENSITIVITY }).notNull().default('restricted'),
    labels: text('labels').notNull().default('[]'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.type, table.id, table.pattern] })],
)

export const consents = sqliteTable(
  'consents',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    client: text('client').notNull(),
    server: text('server').notNull(),
    tool: text('tool'),
    access: text('access', { enum: ACCESS }),
    purpose: text('purpose').notNull().default(''),
    definitionHash: text('definition_hash'),
    grantedAt: integer('granted_at').notNull(),
    expiresAt: integer('expires_at'),
    revokedAt: integer('revoked_at'),
    revokedBy: text('revoked_by'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)

export const consentedDefinitions = sqliteTable(
  'consented_definitions',
  {
    tenant: text('tenant').notNull(),
    hash: text('hash').notNull(),
    definition: text('definition').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.hash] })],
)

export const pageSessions = sqliteTable('page_sessions', {
  digest: text('digest').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  issuer: text('issuer').notNull(),
  subject: text('subject').notNull(),
  issuerSession: text('issuer_session'),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
})

export const tasks = sqliteTable(
  'tasks',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    client: text('client').notNull(),
    agent: text('agent'),
    purpose: text('purpose').notNull(),
    tools: text('tools'),
    access: text('access'),
    dataClasses: text('data_classes'),
    maxCalls: integer('max_calls'),
    askedFor: text('asked_for'),
    namedValues: text('named_values').notNull().default('[]'),
    openedBy: text('opened_by').notNull(),
    openedByKind: text('opened_by_kind', { enum: HOLDER_KINDS }).notNull().default('user'),
    openedByIssuer: text('opened_by_issuer'),
    openedThrough: text('opened_through'),
    openedAt: integer('opened_at').notNull(),
    approvedBy: text('approved_by'),
    approvedAt: integer('approved_at'),
    expiresAt: integer('expires_at').notNull(),
    closedAt: integer('closed_at'),
    closedBy: text('closed_by'),
    handleDigest: text('handle_digest'),
    requestKey: text('request_key'),
    requestDigest: text('request_digest'),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)

/** Who may open tasks (migrations/0010_create_task_openers.sql). */
export const taskOpeners = sqliteTable(
  'task_openers',
  {
    tenant: text('tenant').notNull(),
    issuer: text('issuer').notNull(),
    kind: text('kind', { enum: HOLDER_KINDS }).notNull(),
    id: text('id').notNull(),
    client: text('client').notNull(),
    through: text('through'),
    forOthers: flag('for_others').default(false),
    mayApprove: flag('may_approve').default(false),
    maxLifetimeSeconds: integer('max_lifetime_s').notNull().default(3600),
    active: flag('active').default(true),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.issuer, table.kind, table.id, table.client] }),
  ],
)

export const policies = sqliteTable(
  'policies',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    effect: text('effect', { enum: ['allow', 'deny'] }).notNull(),
    mode: text('mode', { enum: ['enforce', 'shadow'] })
      .notNull()
      .default('enforce'),
    role: text('role'),
    client: text('client'),
    agent: text('agent'),
    server: text('server'),
    tool: text('tool'),
    access: text('access', { enum: ACCESS }),
    label: text('label'),
    environment: text('environment'),
    condition: text('condition'),
    requireAcr: text('require_acr'),
    requireSenderConstrained: flag('require_sender_constrained').default(false),
    maxAuthAgeSeconds: integer('max_auth_age_s'),
    requireApproval: flag('require_approval').default(false),
    requireTask: text('require_task', { enum: REQUIRED_TASKS }),
    reason: text('reason').notNull().default(''),
    enabled: flag('enabled').default(true),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)

export const sequenceRules = sqliteTable(
  'sequence_rules',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    effect: text('effect', { enum: ['deny', 'approve', 'audit'] }).notNull(),
    level: text('level').notNull().default('high'),
    onLabel: text('on_label').notNull(),
    onAccess: text('on_access'),
    unlessLabel: text('unless_label'),
    onWhere: text('on_where'),
    type: text('type', {
      enum: [
        'temporal',
        'temporal_ordered',
        'event_count',
        'value_count',
        'value_sum',
        'absence',
        'provenance',
      ],
    }).notNull(),
    rules: text('rules').notNull(),
    groupBy: text('group_by').notNull().default('[]'),
    scope: text('scope', { enum: ['subject', 'actor', 'task'] })
      .notNull()
      .default('subject'),
    timespanSeconds: integer('timespan_s'),
    untilLabel: text('until_label'),
    field: text('field'),
    condition: text('condition'),
    role: text('role'),
    origins: text('origins'),
    title: text('title').notNull().default(''),
    reason: text('reason').notNull(),
    enabled: flag('enabled').default(true),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)

export const policyHistory = sqliteTable('policy_history', {
  sequence: integer('sequence').primaryKey(),
  tenant: text('tenant').notNull(),
  source: text('source', { enum: ['policies', 'sequence_rules'] }).notNull(),
  id: text('id').notNull(),
  change: text('change', { enum: ['insert', 'update', 'delete'] }).notNull(),
  state: text('state').notNull(),
  revision: text('revision').notNull(),
  changedAt: integer('changed_at').notNull(),
})

export const pdpCallers = sqliteTable(
  'pdp_callers',
  {
    tenant: text('tenant').notNull(),
    issuer: text('issuer').notNull(),
    client: text('client').notNull(),
    servers: text('servers').notNull(),
    subjects: text('subjects').notNull().default('["*"]'),
    mayAdmit: flag('may_admit').default(false),
    active: flag('active').default(true),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.issuer, table.client] })],
)

export { revocationHistory, revocations } from './revocations-schema.ts'
export { credentialEvents, decisions, outcomes, serverTaskEvents } from './decisions-schema.ts'
export {
  claimOverlays,
  signalEvents,
  signalStates,
  signalStreams,
  signalStreamStates,
  subjectAliases,
} from './signals-schema.ts'
export { tenants, revision, issuers, clients, agents, roleAssignments } from './trust-schema.ts'
