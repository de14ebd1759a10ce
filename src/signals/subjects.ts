// Pure. Whom an event is about: a simple subject, or a complex one of several members (SSF 1.0 §3.2).
import { isJsonObject, type JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { meaningsOf, type Meaning } from './identifiers.ts'
import type { Stream } from './stream.ts'

/** The members of a complex subject that mean something here; `critical` ones beyond discard. */
export const MEMBERS = ['user', 'session', 'device', 'application', 'tenant', 'group'] as const
export type Member = (typeof MEMBERS)[number]

export interface SubjectRead {
  /** An opaque id that stands alone may be a person's or a login's. */
  readonly simple: boolean
  readonly members: ReadonlyMap<Member, readonly Meaning[]>
  /** It has members that are not known here, and so means fewer than these say. */
  readonly narrower: boolean
}

export type SubjectFault =
  /** The event does not conform: it is refused. */
  | 'malformed'
  /** A member that the transmitter calls critical is not known here: acknowledged, without effect. */
  | 'critical_member'

export function readSubject(
  subject: JsonObject,
  stream: Stream,
): Result<SubjectRead, SubjectFault> {
  if (subject['format'] !== 'complex') {
    const meanings = meaningsOf(subject, stream)
    return meanings.ok
      ? ok({ simple: true, members: new Map([['user', meanings.value]]), narrower: false })
      : meanings
  }
  const members = new Map<Member, readonly Meaning[]>()
  let narrower = false
  for (const [name, value] of Object.entries(subject)) {
    if (name === 'format') continue
    const member = MEMBERS.find((one) => one === name)
    if (member === undefined) {
      if (stream.criticalMembers.includes(name)) return err('critical_member')
      // Not critical: the transmitter lets a receiver look past it.
      narrower = true
      continue
    }
    if (!isJsonObject(value)) return err('malformed')
    const meanings = meaningsOf(value, stream)
    if (!meanings.ok) return meanings
    members.set(member, meanings.value)
  }
  return ok({ simple: false, members, narrower })
}

/** What `subject_aliases` has to be asked: [member, format, value]. */
export const aliasesAsked = ({
  members,
}: SubjectRead): readonly (readonly [string, string, string])[] =>
  [...members].flatMap(([member, meanings]) =>
    member === 'user' || member === 'device' || member === 'group'
      ? meanings.flatMap((one) =>
          one.kind === 'alias' ? [[member, one.format, one.value] as const] : [],
        )
      : [],
  )
