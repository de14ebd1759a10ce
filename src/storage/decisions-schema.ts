import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** The decision log's own database (migrations/decisions/). */
export const decisions = sqliteTable('decisions', {
  id: text('id').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  session: text('session').notNull(),
  sequence: integer('sequence').notNull(),
  decidedAt: integer('decided_at').notNull(),
  decision: text('decision', { enum: ['allow', 'deny', 'approve'] }).notNull(),
  reason: text('reason').notNull(),
  wouldBe: text('would_be'),
  issuer: text('issuer').notNull(),
  subject: text('subject').notNull(),
  client: text('client').notNull(),
  agent: text('agent'),
  server: text('server').notNull(),
  method: text('method').notNull(),
  tool: text('tool'),
  record: text('record').notNull(),
  shippedAt: integer('shipped_at').notNull(),
})

export const outcomes = sqliteTable('outcomes', {
  decision: text('decision').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  state: text('state', { enum: ['committed', 'failed', 'withheld'] }).notNull(),
  detail: text('detail').notNull().default(''),
  endedAt: integer('ended_at').notNull(),
})
