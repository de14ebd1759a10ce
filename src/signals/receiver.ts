// One event from its text to its effects: read, verify, understand, write. Push and poll both end here.
import type { Jws } from '../authentication/jws.ts'
import type { KeySource } from '../authentication/keys.ts'
import type { UrlRules } from '../authentication/url.ts'
import { inTime, LATE } from '../in-time.ts'
import { err, ok, type Result } from '../result.ts'
import type { Secrets } from '../secrets.ts'
import type { D1Reader } from '../storage/freshness.ts'
import type { StoreFault } from '../storage/policy-store.ts'
import { effectsOf } from './events.ts'
import { setRefused, type SignalRefusal } from './refusal.ts'
import { verifySet, type SecurityEvent } from './set.ts'
import { readStream, streamNamed, streamsPushed, type StoredStream, type Stream } from './stream.ts'
import { aliasesAsked, readSubject, type SubjectRead } from './subjects.ts'
import { peopleOf, targetsOf, type AliasRow, type Known } from './targets.ts'
import { writeEvent, type Outcome } from './write.ts'

/** What receiving needs of the world. */
export interface Receiver {
  /** Readings begin at the primary, are bounded in time and tried twice (policy-store.ts). */
  readonly read: <T>(read: (database: D1Reader) => Promise<T>) => Promise<Result<T, StoreFault>>
  readonly database: D1Database
  readonly keys: KeySource
  readonly secrets: Secrets
  readonly urls: UrlRules
  readonly now: () => number
  /** Tells the operator. Fixed texts only. */
  readonly report: (stream: string, detail: string) => void
}

const WRITE_BUDGET_MS = 5_000

export async function openStream(
  receiver: Receiver,
  id: string,
): Promise<Result<Stream, SignalRefusal>> {
  const row = await receiver.read((database) => streamNamed(database, id))
  if (!row.ok) return err({ reason: 'unavailable' })
  if (row.value === null) return err({ reason: 'stream_unknown' })
  const stream = streamOf(receiver, row.value)
  if (stream.ok) return stream
  receiver.report(id, stream.error)
  return err({ reason: 'unavailable' })
}

/** Those that there are, as far as they can be read: for what only has to tell them from made-up ones. */
export async function openStreams(receiver: Receiver): Promise<readonly Stream[]> {
  const rows = await receiver.read(streamsPushed)
  if (!rows.ok) return []
  return rows.value.results.flatMap((row) => {
    const stream = streamOf(receiver, row)
    return stream.ok ? [stream.value] : []
  })
}

function streamOf({ urls }: Receiver, row: StoredStream): Result<Stream, string> {
  const { issuerKeys: jwksUri, tenantClaim } = row
  const revokedKeys: string[] = JSON.parse(row.revokedKeys)
  return readStream(row, { jwksUri, tenantClaim, revokedKeys }, urls)
}

/** INVARIANT: `ok` means that the event and its effects are durable, in one transaction. */
export async function receiveSet(
  receiver: Receiver,
  stream: Stream,
  jws: Jws,
  /** Under which name it came (RFC 8936 §2.2); absent: it came alone. */
  calledBy?: string,
): Promise<Result<'stored' | 'repeated', SignalRefusal>> {
  const event = await verifySet(jws, stream, receiver.keys, receiver.now())
  if (!event.ok) return event
  if (calledBy !== undefined && calledBy !== event.value.jti) {
    return setRefused('invalid_request', 'the event came under the name of another')
  }
  const outcome = await understand(receiver, stream, event.value)
  if (!outcome.ok) return outcome
  try {
    const work = writeEvent(receiver.database, stream, outcome.value, receiver.now())
    const written = await inTime(work, WRITE_BUDGET_MS, LATE)
    if (written !== LATE) return ok(written)
    receiver.report(stream.id, 'the event was not written in time')
  } catch {
    receiver.report(stream.id, 'the event could not be written')
  }
  // It may have been written all the same: told again, it is known by its `jti`.
  return err({ reason: 'unavailable' })
}

async function understand(
  receiver: Receiver,
  stream: Stream,
  event: SecurityEvent,
): Promise<Result<Outcome, SignalRefusal>> {
  const effects = effectsOf(event.type, event.payload, stream)
  if (effects === 'malformed') {
    return setRefused('invalid_request', 'the event is not as its type defines it')
  }
  const without = (word: string): Result<Outcome, SignalRefusal> =>
    ok({ event, effects: [], targets: [], aliases: [], word })
  if (effects === 'unknown') return without('unknown_event')
  if (effects.length === 0) return without('noted')
  // About the stream itself.
  if (effects.every(({ kind }) => kind === 'verified' || kind === 'status')) {
    return ok({ event, effects, targets: [], aliases: [], word: wordsOf(effects) })
  }
  const subject = readSubject(event.subject, stream)
  if (!subject.ok) {
    return subject.error === 'malformed'
      ? setRefused('invalid_request', '`sub_id` is not a well-formed subject identifier')
      : without('critical_member')
  }
  const asked = aliasesAsked(subject.value)
  const known = await knownOf(receiver, stream, subject.value)
  if (known === null) return err({ reason: 'unavailable' })
  const targets = targetsOf(subject.value, known, stream)
  return targets.length === 0
    ? without(whyNobody(subject.value))
    : ok({ event, effects, targets, aliases: asked, word: wordsOf(effects) })
}

const wordsOf = (effects: Outcome['effects']): string => effects.map(({ kind }) => kind).join(' ')

function whyNobody({ members, narrower }: SubjectRead): string {
  const kinds = new Set([...members.values()].flat().map(({ kind }) => kind))
  if (kinds.has('foreign')) return 'foreign_subject'
  return kinds.has('unsupported') || narrower ? 'unsupported_subject' : 'unknown_subject'
}

const ALIASES = `SELECT DISTINCT known.member, known.subject FROM json_each(?3) AS asked
  CROSS JOIN subject_aliases AS known ON known.tenant = ?1 AND known.issuer = ?2
    AND known.member = asked.value ->> 0 AND known.format = asked.value ->> 1
    AND known.value = asked.value ->> 2
  WHERE known.ended_at IS NULL`

const HAVE = `SELECT DISTINCT member, subject FROM subject_aliases
  WHERE tenant = ?1 AND issuer = ?2 AND subject IN (SELECT value FROM json_each(?3))
    AND member IN ('device', 'group') AND ended_at IS NULL`

/** null: nobody can say now. */
async function knownOf(
  receiver: Receiver,
  { tenant, issuer }: Stream,
  subject: SubjectRead,
): Promise<Known | null> {
  const rowsFor = async (sql: string, about: readonly unknown[]) => {
    if (about.length === 0) return []
    const rows = await receiver.read((database) =>
      database.prepare(sql).bind(tenant, issuer, JSON.stringify(about)).all<AliasRow>(),
    )
    return rows.ok ? rows.value.results : null
  }
  const named = await rowsFor(ALIASES, aliasesAsked(subject))
  if (named === null) return null
  const narrows = subject.members.has('device') || subject.members.has('group')
  const people = narrows ? peopleOf(subject, { named, have: [] }) : []
  const have = await rowsFor(HAVE, people)
  return have === null ? null : { named, have }
}
