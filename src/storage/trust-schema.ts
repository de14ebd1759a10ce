import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { INTROSPECTIONS, ISSUER_KINDS } from '../authentication/issuer.ts'
import { HOLDER_KINDS } from '../pdp/evaluation.ts'

/** Who exists (migrations/0001_create_trust.sql): the part of the mirror (schema.ts) that says so. */

const flag = (name: string) => integer(name, { mode: 'boolean' }).notNull()

export const tenants = sqliteTable('tenants', {
  id: text('id').primaryKey().notNull(),
  name: text('name').notNull().default(''),
  active: flag('active').default(true),
  callsPerMinute: integer('actor_calls_per_minute').notNull().default(6000),
  ownDomains: text('own_domains').notNull().default('[]'),
})

export const revision = sqliteTable('revision', {
  tenant: text('tenant').primaryKey().notNull(),
  counter: integer('counter').notNull(),
  nonce: text('nonce').notNull(),
  freshCounter: integer('fresh_counter').notNull().default(0),
  freshNonce: text('fresh_nonce').notNull().default(''),
})

export const issuers = sqliteTable(
  'issuers',
  {
    tenant: text('tenant').notNull(),
    url: text('url').notNull(),
    jwksUri: text('jwks_uri').notNull(),
    algorithms: text('algorithms').notNull().default('["ES256"]'),
    tenantClaim: text('tenant_claim'),
    maxLifetimeSeconds: integer('max_lifetime_s').notNull().default(3600),
    active: flag('active').default(true),
    demo: flag('demo').default(false),
    kind: text('kind', { enum: ISSUER_KINDS }).notNull().default('oauth'),
    audience: text('audience'),
    introspection: text('introspection', { enum: INTROSPECTIONS }).notNull().default('never'),
    introspectionUrl: text('introspection_url'),
    introspectionSecret: text('introspection_secret'),
    tokenUrl: text('token_url'),
    revocationUrl: text('revocation_url'),
    loginClient: text('login_client'),
    loginSecret: text('login_secret'),
    opensTasks: flag('opens_tasks').default(false),
    statusList: text('status_list'),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.url] }),
    index('issuers_by_url').on(table.url),
  ],
)

export const clients = sqliteTable(
  'clients',
  {
    tenant: text('tenant').notNull(),
    issuer: text('issuer').notNull(),
    id: text('id').notNull(),
    name: text('name').notNull().default(''),
    active: flag('active').default(true),
    redirectHosts: text('redirect_hosts').notNull().default('[]'),
    actsForUsers: flag('acts_for_users').default(true),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.issuer, table.id] })],
)

export const agents = sqliteTable(
  'agents',
  {
    tenant: text('tenant').notNull(),
    issuer: text('issuer').notNull(),
    id: text('id').notNull(),
    name: text('name').notNull().default(''),
    active: flag('active').default(true),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.issuer, table.id] })],
)

export const roleAssignments = sqliteTable(
  'role_assignments',
  {
    tenant: text('tenant').notNull(),
    issuer: text('issuer').notNull(),
    holderKind: text('holder_kind', { enum: HOLDER_KINDS }).notNull(),
    holder: text('holder').notNull(),
    role: text('role').notNull(),
    expiresAt: integer('expires_at'),
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.issuer, table.holderKind, table.holder, table.role],
    }),
  ],
)
