// What an event brings about, as one transaction: the event and all its effects, or nothing.
import { sha256 } from '../sha256.ts'
import type { Effect } from './events.ts'
import type { SecurityEvent } from './set.ts'
import type { Stream } from './stream.ts'
import type { Target } from './targets.ts'

export interface Outcome {
  readonly event: SecurityEvent
  readonly effects: readonly Effect[]
  readonly targets: readonly Target[]
  /** Identifiers in the subject that `subject_aliases` may know: [member, format, value]. */
  readonly aliases: readonly (readonly [string, string, string])[]
  /** One word for people who read the table. */
  readonly word: string
}

/** Everything that a statement may need. The first four are in all of them, as ?1 to ?4. */
interface Writing extends Outcome {
  readonly stream: Stream
  readonly digest: string
  readonly receipt: string
  readonly receivedAt: number
  /** As JSON: [kind, id, only_client, only_without_session]. */
  readonly about: string
}

type Statement = readonly [sql: string, ...values: (string | number | null)[]]

/**
 * INVARIANT: only the delivery that stored the event brings its effects about: another one with the
 * same `jti`, at the same moment or years later, finds a row that is not its own.
 */
const IS_FIRST = `EXISTS (SELECT 1 FROM signal_events WHERE stream = ?2 AND jti_digest = ?3 AND receipt = ?4)`

const EVENT = `INSERT INTO signal_events
    (tenant, stream, jti_digest, receipt, event_type, subject, event_at, received_at, effect, targets)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING`

const ABOUT = `about.value ->> 0 AS kind, about.value ->> 1 AS id, about.value ->> 2 AS only_client,
  about.value ->> 3 AS only_without_session`

const REVOCATION = `INSERT INTO revocations
    (tenant, issuer, source, kind, id, only_client, only_without_session, issued_before, reason, revoked_at)`
const REVOCATION_KEY = 'tenant, kind, id, issuer, source, only_client, only_without_session'

/** A login or a token is ended for good, whatever is issued under its name later. */
const END_OLDER = `${REVOCATION}
  SELECT ?1, ?5, ?2 || '/tokens', kind, id, only_client, only_without_session,
    iif(kind IN ('token', 'token_session'), NULL, ?6), ?7, ?8
  FROM (SELECT ${ABOUT} FROM json_each(?9) AS about) WHERE ${IS_FIRST}
  ON CONFLICT (${REVOCATION_KEY}) DO UPDATE SET reason = excluded.reason, revoked_at = excluded.revoked_at,
    issued_before = iif(issued_before IS NULL OR excluded.issued_before IS NULL, NULL,
      max(issued_before, excluded.issued_before))`

/** INVARIANT: the latest event counts, in whichever order they come; of two at one moment the worse. */
const STATE = `INSERT INTO signal_states
    (tenant, issuer, stream, kind, id, only_client, only_without_session, topic, level, raised, event_at)
  SELECT ?1, ?5, ?2, kind, id, only_client, only_without_session, ?6, ?7, ?8, ?9
  FROM (SELECT ${ABOUT} FROM json_each(?10) AS about) WHERE ${IS_FIRST}
  ON CONFLICT (tenant, kind, id, issuer, stream, topic, only_client, only_without_session)
    DO UPDATE SET level = excluded.level, raised = excluded.raised, event_at = excluded.event_at
    WHERE excluded.event_at > event_at OR (excluded.event_at = event_at AND excluded.raised >= raised)`

/** Of those that were just told of: what their account is now, which a later event may have said. */
const ACCOUNTS = (raised: 0 | 1): string => `(SELECT said.* FROM signal_states AS said
  JOIN (SELECT ${ABOUT} FROM json_each(?6) AS about) AS told
    ON told.kind = said.kind AND told.id = said.id AND told.only_client = said.only_client
      AND told.only_without_session = said.only_without_session
  WHERE said.tenant = ?1 AND said.stream = ?2 AND said.issuer = ?5 AND said.topic = 'account'
    AND said.raised = ${raised} AND ${IS_FIRST})`

const CLOSE = `${REVOCATION}
  SELECT ?1, ?5, ?2 || '/account', kind, id, only_client, only_without_session, NULL, 'account ' || level, ?7
  FROM ${ACCOUNTS(1)} WHERE true
  ON CONFLICT (${REVOCATION_KEY}) DO UPDATE SET reason = excluded.reason, revoked_at = excluded.revoked_at`

/** INVARIANT: only what this stream closed: nobody's own revocation is lifted by an event. */
const CLOSED_HERE = `WHERE tenant = ?1 AND issuer = ?5 AND source = ?2 || '/account'
  AND (kind, id, only_client, only_without_session) IN
    (SELECT kind, id, only_client, only_without_session FROM ${ACCOUNTS(0)})`
const OPENED_BY = `UPDATE revocations SET lifted_by = source ${CLOSED_HERE}`
const OPEN = `DELETE FROM revocations ${CLOSED_HERE}`

const CHANGE = `INSERT INTO claim_overlays
    (tenant, issuer, stream, kind, id, only_client, only_without_session, claim, value, event_at)
  SELECT ?1, ?5, ?2, told.kind, told.id, told.only_client, told.only_without_session,
    claim.value ->> 0, claim.value ->> 1, ?6
  FROM (SELECT ${ABOUT} FROM json_each(?7) AS about) AS told CROSS JOIN json_each(?8) AS claim WHERE ${IS_FIRST}
  ON CONFLICT (tenant, kind, id, issuer, stream, only_client, only_without_session, claim)
    DO UPDATE SET value = excluded.value, event_at = excluded.event_at WHERE excluded.event_at >= event_at`

/** RISC 1.0 §2.5, §2.6: an email or a telephone number of a person. A group that stands beside it goes on. */
const END_IDENTIFIER = `UPDATE subject_aliases SET ended_at = ?6
  WHERE tenant = ?1 AND issuer = ?5 AND ended_at IS NULL AND ${IS_FIRST}
    AND member = 'user' AND format IN ('email', 'phone_number') AND (member, format, value) IN
      (SELECT asked.value ->> 0, asked.value ->> 1, asked.value ->> 2 FROM json_each(?7) AS asked)`

/**
 * INVARIANT: heard when the event was made, not when it came: whoever holds events back, or shows
 * one again, cannot make a dead stream look alive.
 */
const HEARD = `INSERT INTO signal_stream_states (tenant, stream, last_heard_at, last_verified_at)
  SELECT ?1, ?2, ?5, ?6 WHERE ${IS_FIRST}
  ON CONFLICT (stream) DO UPDATE SET last_heard_at = max(last_heard_at, excluded.last_heard_at),
    last_verified_at = nullif(max(coalesce(last_verified_at, 0), coalesce(excluded.last_verified_at, 0)), 0)`

const STATUS = `UPDATE signal_stream_states SET status = ?5, status_at = ?6
  WHERE tenant = ?1 AND stream = ?2 AND ${IS_FIRST}
    AND (status_at < ?6 OR (status_at = ?6 AND ?5 <> 'enabled'))`

const RECEIPT = `SELECT receipt FROM signal_events WHERE stream = ?1 AND jti_digest = ?2`

/** One row per kind of effect; the compiler asks for each. */
const EFFECTS: {
  readonly [K in Effect['kind']]: (
    effect: Extract<Effect, { kind: K }>,
    writing: Writing,
  ) => readonly Statement[]
} = {
  end_older_tokens: (_, { stream, event, receivedAt, about }) => [
    [END_OLDER, stream.issuer, event.at, nameOf(event.type), receivedAt, about],
  ],
  account: ({ open, level }, { stream, event, receivedAt, about }) => [
    [STATE, stream.issuer, 'account', level, open ? 0 : 1, event.at, about],
    [CLOSE, stream.issuer, about, receivedAt],
    [OPENED_BY, stream.issuer, about],
    [OPEN, stream.issuer, about],
  ],
  state: ({ topic, level, raised }, { stream, event, about }) => [
    [STATE, stream.issuer, topic, level, raised ? 1 : 0, event.at, about],
  ],
  change_claims: ({ claims }, { stream, event, about }) => [
    [
      CHANGE,
      stream.issuer,
      event.at,
      about,
      JSON.stringify(claims.map(([claim, value]) => [claim, JSON.stringify(value)])),
    ],
  ],
  end_identifier: (_, { stream, event, aliases }) => [
    [END_IDENTIFIER, stream.issuer, event.at, JSON.stringify(aliases)],
  ],
  verified: () => [],
  status: ({ status }, { event }) => [[STATUS, status, event.at]],
}

/** `repeated`: it was stored before, and this delivery changed nothing. Throws what D1 throws. */
export async function writeEvent(
  database: D1Database,
  stream: Stream,
  outcome: Outcome,
  receivedAt: number,
): Promise<'stored' | 'repeated'> {
  const { event, effects, targets } = outcome
  const digest = await sha256(event.jti)
  const receipt = crypto.randomUUID()
  const about = JSON.stringify(targets.map(rowOf))
  const writing: Writing = { ...outcome, stream, digest, receipt, receivedAt, about }
  const verifiedAt = effects.some(({ kind }) => kind === 'verified') ? event.toldAt : null
  const statements: readonly Statement[] = [
    [
      EVENT,
      event.type,
      textOf(event.subject),
      event.at,
      receivedAt,
      outcome.word,
      JSON.stringify(targets.slice(0, MOST_LISTED).map(rowOf)),
    ],
    [HEARD, event.toldAt, verifiedAt],
    ...effects.flatMap((effect) => statementsOf(effect, writing)),
  ]
  const results = await database.batch<{ receipt: string }>([
    ...statements.map(([sql, ...values]) =>
      database.prepare(sql).bind(stream.tenant, stream.id, digest, receipt, ...values),
    ),
    database.prepare(RECEIPT).bind(stream.id, digest),
  ])
  return results.at(-1)?.results[0]?.receipt === receipt ? 'stored' : 'repeated'
}

const statementsOf = <K extends Effect['kind']>(
  effect: Extract<Effect, { kind: K }>,
  writing: Writing,
): readonly Statement[] => EFFECTS[effect.kind as K](effect, writing)

const rowOf = ({ kind, id, onlyClient, onlyWithoutSession }: Target) => [
  kind,
  id,
  onlyClient,
  onlyWithoutSession ? 1 : 0,
]

/** A group may have many members; the effects are for all of them. */
const MOST_LISTED = 20
const LONGEST_SUBJECT = 4_000

const textOf = (subject: unknown): string => {
  const text = JSON.stringify(subject)
  return text.length <= LONGEST_SUBJECT ? text : '{"omitted":"too long"}'
}

const nameOf = (type: string): string => type.slice(type.lastIndexOf('/') + 1)
