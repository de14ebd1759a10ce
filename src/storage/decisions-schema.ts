import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { CREDENTIAL_EVENTS, SERVER_TASK_EVENTS } from './credential-kinds.ts'

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

export const credentialEvents = sqliteTable('credential_events', {
  id: text('id').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  credential: text('credential').notNull(),
  event: text('event', { enum: CREDENTIAL_EVENTS }).notNull(),
  cause: text('cause'),
  issuer: text('issuer').notNull(),
  subjectIssuer: text('subject_issuer').notNull(),
  subject: text('subject').notNull(),
  client: text('client').notNull(),
  agent: text('agent'),
  server: text('server').notNull(),
  task: text('task'),
  decision: text('decision').notNull(),
  status: integer('status'),
  attempts: integer('attempts').notNull().default(0),
  detail: text('detail').notNull().default(''),
  happenedAt: integer('happened_at').notNull(),
  shippedAt: integer('shipped_at').notNull(),
})

export const serverTaskEvents = sqliteTable('server_task_events', {
  id: text('id').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  running: text('running').notNull(),
  server: text('server').notNull(),
  serverTask: text('server_task').notNull(),
  event: text('event', { enum: SERVER_TASK_EVENTS }).notNull(),
  cause: text('cause'),
  subjectIssuer: text('subject_issuer').notNull(),
  subject: text('subject').notNull(),
  client: text('client').notNull(),
  agent: text('agent'),
  tool: text('tool'),
  task: text('task'),
  decision: text('decision').notNull(),
  carried: text('carried'),
  status: integer('status'),
  attempts: integer('attempts').notNull().default(0),
  detail: text('detail').notNull().default(''),
  happenedAt: integer('happened_at').notNull(),
  shippedAt: integer('shipped_at').notNull(),
})
