// What is no longer trusted, and what was (migrations/0005_create_revocations.sql).
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

const flag = (name: string) => integer(name, { mode: 'boolean' }).notNull()

export const revocations = sqliteTable(
  'revocations',
  {
    tenant: text('tenant').notNull(),
    kind: text('kind').notNull(),
    id: text('id').notNull(),
    issuer: text('issuer').notNull().default('*'),
    source: text('source').notNull().default(''),
    issuedBefore: integer('issued_before'),
    onlyClient: text('only_client').notNull().default(''),
    onlyWithoutSession: flag('only_without_session').default(false),
    reason: text('reason').notNull().default(''),
    revokedAt: integer('revoked_at').notNull(),
    revokedBy: text('revoked_by').notNull().default(''),
    liftedBy: text('lifted_by').notNull().default(''),
  },
  (table) => [
    primaryKey({
      columns: [
        table.tenant,
        table.kind,
        table.id,
        table.issuer,
        table.source,
        table.onlyClient,
        table.onlyWithoutSession,
      ],
    }),
  ],
)

export const revocationHistory = sqliteTable('revocation_history', {
  sequence: integer('sequence').primaryKey(),
  tenant: text('tenant').notNull(),
  kind: text('kind').notNull(),
  id: text('id').notNull(),
  issuer: text('issuer').notNull(),
  source: text('source').notNull(),
  issuedBefore: integer('issued_before'),
  onlyClient: text('only_client').notNull(),
  onlyWithoutSession: flag('only_without_session'),
  reason: text('reason').notNull(),
  revokedAt: integer('revoked_at').notNull(),
  revokedBy: text('revoked_by').notNull(),
  change: text('change', { enum: ['insert', 'update', 'delete'] }).notNull(),
  changedBy: text('changed_by').notNull(),
  changedAt: integer('changed_at').notNull(),
})
