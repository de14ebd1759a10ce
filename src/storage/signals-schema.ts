import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Streams of Shared Signals and what they told (migrations/0012, 0013): part of the mirror (schema.ts). */

const flag = (name: string) => integer(name, { mode: 'boolean' }).notNull()

export const signalStreams = sqliteTable('signal_streams', {
  id: text('id').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  issuer: text('issuer').notNull(),
  transmitter: text('transmitter'),
  jwksUri: text('jwks_uri'),
  algorithms: text('algorithms').notNull().default('["RS256"]'),
  audience: text('audience').notNull(),
  delivery: text('delivery', { enum: ['push', 'poll'] })
    .notNull()
    .default('push'),
  pollUrl: text('poll_url'),
  pollEverySeconds: integer('poll_every_s').notNull().default(15),
  secret: text('secret'),
  emailIsSubject: flag('email_is_subject').default(false),
  tenantName: text('tenant_name'),
  criticalMembers: text('critical_members').notNull().default('[]'),
  raisedAccess: text('raised_access').notNull().default('["write","export","admin","destructive"]'),
  raisedAcr: text('raised_acr'),
  maxSilenceSeconds: integer('max_silence_s'),
  onSilence: text('on_silence', { enum: ['warn', 'deny'] })
    .notNull()
    .default('warn'),
  active: flag('active').default(true),
  createdAt: integer('created_at').notNull(),
})

export const subjectAliases = sqliteTable(
  'subject_aliases',
  {
    tenant: text('tenant').notNull(),
    issuer: text('issuer').notNull(),
    member: text('member', { enum: ['user', 'device', 'group'] })
      .notNull()
      .default('user'),
    format: text('format').notNull(),
    value: text('value').notNull(),
    subject: text('subject').notNull(),
    endedAt: integer('ended_at'),
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.issuer, table.member, table.format, table.value, table.subject],
    }),
  ],
)

export const signalStreamStates = sqliteTable('signal_stream_states', {
  stream: text('stream').primaryKey().notNull(),
  tenant: text('tenant').notNull(),
  status: text('status', { enum: ['enabled', 'paused', 'disabled'] })
    .notNull()
    .default('enabled'),
  statusAt: integer('status_at').notNull().default(0),
  lastHeardAt: integer('last_heard_at').notNull(),
  lastVerifiedAt: integer('last_verified_at'),
})

export const signalEvents = sqliteTable(
  'signal_events',
  {
    tenant: text('tenant').notNull(),
    stream: text('stream').notNull(),
    jtiDigest: text('jti_digest').notNull(),
    eventType: text('event_type').notNull(),
    subject: text('subject').notNull(),
    eventAt: integer('event_at').notNull(),
    receivedAt: integer('received_at').notNull(),
    effect: text('effect').notNull(),
    targets: text('targets').notNull().default('[]'),
    receipt: text('receipt').notNull(),
  },
  (table) => [primaryKey({ columns: [table.stream, table.jtiDigest] })],
)

/** Whom a row is about: a key of tokens, and which of them only. */
const about = {
  tenant: text('tenant').notNull(),
  kind: text('kind').notNull(),
  id: text('id').notNull(),
  issuer: text('issuer').notNull(),
  stream: text('stream').notNull(),
}
const only = {
  onlyClient: text('only_client').notNull().default(''),
  onlyWithoutSession: flag('only_without_session').default(false),
}

export const signalStates = sqliteTable(
  'signal_states',
  {
    ...about,
    topic: text('topic').notNull(),
    ...only,
    level: text('level').notNull(),
    raised: flag('raised'),
    eventAt: integer('event_at').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.tenant,
        table.kind,
        table.id,
        table.issuer,
        table.stream,
        table.topic,
        table.onlyClient,
        table.onlyWithoutSession,
      ],
    }),
  ],
)

export const claimOverlays = sqliteTable(
  'claim_overlays',
  {
    ...about,
    ...only,
    claim: text('claim').notNull(),
    value: text('value').notNull(),
    eventAt: integer('event_at').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.tenant,
        table.kind,
        table.id,
        table.issuer,
        table.stream,
        table.onlyClient,
        table.onlyWithoutSession,
        table.claim,
      ],
    }),
  ],
)
