import { ACCESS } from '../pdp/evaluation.ts'
import { SIGNAL_TOPICS, type SignalFacts, type SignalState } from '../pdp/signals.ts'
import type { JsonValue } from '../mcp/value.ts'

/** SQL for what is known of a token: its `iat` in epoch milliseconds, its client, its `sid`. */
interface TokenSql {
  readonly issuedAt: string
  readonly client: string
  readonly session: string
}

/**
 * Whether a row of `revocations` is about this token, beyond its key. INVARIANT: everybody who reads
 * that table asks this; what a token does not say of itself counts against it.
 */
export const COUNTS_FOR = (row: string, { issuedAt, client, session }: TokenSql): string =>
  `(${row}.issued_before IS NULL OR ${issuedAt} IS NULL OR ${issuedAt} <= ${row}.issued_before)
    AND ${isAmong(row, client, session)}`

function isAmong(row: string, client: string, session: string): string {
  return `(${row}.only_client = '' OR ${row}.only_client = ${client})
    AND (${row}.only_without_session = 0 OR ${session} IS NULL)`
}

const NAMED = (row: string): string => `${row}.tenant = ?1 AND ${row}.kind = named.value ->> 0
  AND ${row}.id = named.value ->> 1 AND ${row}.issuer = ?2 AND named.value ->> 2 IS NULL`

/**
 * Part of the facts' statement, with its numbers: ?1 tenant, ?2 issuer, ?3 client, ?6 keys, ?14 `iat`
 * in milliseconds, ?15 `sid`. A token that is named by its `jti` is meant whenever it was made.
 */
export const SIGNALS = `json_array(
    (SELECT json_group_array(json_array(said.topic, said.level, said.raised, said.event_at,
         json(stream.raised_access), stream.raised_acr))
       FROM json_each(?6) AS named CROSS JOIN signal_states AS said ON ${NAMED('said')}
       JOIN signal_streams AS stream ON stream.id = said.stream
       WHERE said.topic <> 'account' AND ${isAmong('said', '?3', '?15')}),
    (SELECT json_group_array(json_array(changed.claim, json(changed.value), changed.event_at))
       FROM json_each(?6) AS named CROSS JOIN claim_overlays AS changed ON ${NAMED('changed')}
       WHERE (changed.kind = 'token' OR ?14 IS NULL OR ?14 <= changed.event_at)
         AND ${isAmong('changed', '?3', '?15')}),
    (SELECT json_group_array(stream.id) ${MUST_BE_HEARD()}))`

/**
 * Of a login at our own pages: whether streams say that it is too old, or must be heard and are not.
 * With the numbers ?1 tenant, ?2 issuer, ?3 keys, ?4 when it was in milliseconds, ?5 `sid`.
 */
export const LOGIN_SIGNALS = `EXISTS (SELECT 1
    FROM json_each(?3) AS named CROSS JOIN signal_states AS said ON ${NAMED('said')}
    WHERE said.topic = 'login' AND said.raised = 1 AND (?4 IS NULL OR ?4 <= said.event_at)
      AND ${isAmong('said', "''", '?5')}) AS outdated,
  EXISTS (SELECT 1 ${MUST_BE_HEARD()}) AS silent`

/** What follows SELECT, of streams (`stream`) that are silent and must not be: ?1 tenant, ?2 issuer. */
export function MUST_BE_HEARD(): string {
  return `FROM signal_streams AS stream
       LEFT JOIN signal_stream_states AS heard ON heard.stream = stream.id
       WHERE stream.tenant = ?1 AND stream.issuer = ?2 AND stream.on_silence = 'deny' AND ${IS_SILENT()}`
}

/** Of active streams that have a bound: nothing heard for longer, or it says that it is switched off. */
export function IS_SILENT(): string {
  return `stream.active = 1 AND stream.max_silence_s IS NOT NULL AND (
    coalesce(heard.last_heard_at, stream.created_at) < (unixepoch('subsec') - stream.max_silence_s) * 1000
    OR coalesce(heard.status, 'enabled') <> 'enabled')`
}

type StateRow = readonly [
  topic: string,
  level: string,
  raised: number,
  at: number,
  access: readonly unknown[],
  acr: string | null,
]
type ChangedRow = readonly [claim: string, value: JsonValue, at: number]

/** null where no stream says anything, so that a record is as short as without streams. */
export function readSignals(json: string): SignalFacts | null {
  const [states, changed, silent] = JSON.parse(json) as [
    readonly StateRow[],
    readonly ChangedRow[],
    readonly string[],
  ]
  if (states.length + changed.length + silent.length === 0) return null
  return {
    states: states.map(readState).toSorted(byTopicThenTime),
    // By time, so that of two values of one claim the later one is the last.
    changed: changed
      .toSorted(([a, , at], [b, , other]) => at - other || (a < b ? -1 : 1))
      .map(([claim, value]) => ({ claim, value: withoutPrototype(value) })),
    silent: silent.toSorted(),
  }
}

const readState = ([topic, level, raised, at, access, acr]: StateRow): SignalState => ({
  topic: SIGNAL_TOPICS.find((one) => one === topic) ?? 'risk',
  level,
  raised: raised === 1,
  at,
  access: ACCESS.filter((one) => access.includes(one)),
  acrValues: (acr ?? '').split(' ').filter((value) => value !== ''),
})

const byTopicThenTime = (a: SignalState, b: SignalState): number =>
  SIGNAL_TOPICS.indexOf(a.topic) - SIGNAL_TOPICS.indexOf(b.topic) || b.at - a.at

/** As the reader of messages makes them: a member called `__proto__` is one like any other. */
function withoutPrototype(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutPrototype)
  const object = Object.create(null) as Record<string, JsonValue>
  for (const [name, member] of Object.entries(value)) {
    object[name] = withoutPrototype(member as JsonValue)
  }
  return object
}
