// Pure. A subject as keys of tokens: what the matching rules of SSF 1.0 §8.1.3.1 come to, where one
// side is the event and the other one a token.
import type { Meaning } from './identifiers.ts'
import type { Stream } from './stream.ts'
import type { Member, SubjectRead } from './subjects.ts'

/** Which tokens: by one of their keys, and maybe only some of those. */
export interface Target {
  readonly kind: 'token' | 'token_session' | 'subject' | 'client' | 'issuer'
  readonly id: string
  /** '': of any client. */
  readonly onlyClient: string
  /** Only tokens that do not say of which login they are. */
  readonly onlyWithoutSession: boolean
}

/** A row that `subject_aliases` has for what was asked. */
export interface AliasRow {
  readonly member: string
  readonly subject: string
}

/** What `subject_aliases` knows of a subject. */
export interface Known {
  /** By the identifiers that the event names. */
  readonly named: readonly AliasRow[]
  /** People who have a device, or a group, at all. */
  readonly have: readonly AliasRow[]
}

/**
 * INVARIANT: two complex subjects match if each member is the same in both or missing in one. So a
 * member that a token cannot show (a login it does not name) does not exclude it, and one that it
 * shows otherwise does. Where a member that narrows cannot be told for anybody (a device that nobody
 * listed), there are no targets: it never widens to everybody.
 */
export function targetsOf(subject: SubjectRead, known: Known, stream: Stream): readonly Target[] {
  const aliases = known.named
  const { simple, members } = subject
  const [token] = idsOf(members.get('user'), 'token')
  const [tokenOfSession] = idsOf(members.get('session'), 'token')
  const [client = ''] = namesOf(members, 'application')
  if (members.has('application') && client === '') return []
  if (isOfAnotherTenant(members, stream)) return []
  // One member of another issuer, and the whole is: no login of ours is ended with a person of theirs.
  if ([...members.values()].some(isForeign)) return []
  const about = (kind: Target['kind'], id: string, onlyWithoutSession = false): Target => ({
    kind,
    id,
    onlyClient: kind === 'client' ? '' : client,
    onlyWithoutSession,
  })
  if (token !== undefined) return [about('token', token)]
  if (tokenOfSession !== undefined) return [about('token', tokenOfSession)]

  const users = usersOf(subject, known)
  // The person is not in that group, or has other devices: it is about somebody else.
  if (users.length === 0 && subjectsOf('user', members, aliases).length > 0) return []
  const logins = members.has('session') ? namesOf(members, 'session') : []
  if (members.has('session')) {
    return [
      ...logins.map((sid) => about('token_session', sid)),
      ...users.map((user) => about('subject', user, true)),
    ]
  }
  if (members.has('user')) {
    const alone = simple ? opaqueLogins(members.get('user') ?? []) : []
    return [
      ...alone.map((sid) => about('token_session', sid)),
      ...users.map((one) => about('subject', one)),
    ]
  }
  for (const member of ['device', 'group'] as const) {
    if (!members.has(member)) continue
    return subjectsOf(member, members, aliases).map((one) => about('subject', one))
  }
  if (client !== '') return [about('client', client)]
  return members.has('tenant') ? [about('issuer', stream.issuer)] : []
}

/** Whom the event names, without those who are known to be in other groups, or to have other devices. */
export const usersOf = ({ members }: SubjectRead, { named, have }: Known): readonly string[] =>
  subjectsOf('user', members, named).filter((user) =>
    (['device', 'group'] as const).every(
      (member) =>
        !members.has(member) ||
        !have.some((row) => row.member === member && row.subject === user) ||
        named.some((row) => row.member === member && row.subject === user),
    ),
  )

const isForeign = (meanings: readonly Meaning[]): boolean =>
  meanings.length > 0 && meanings.every(({ kind }) => kind === 'foreign')

/** An opaque id that stands alone: of a person, and of a login, because nothing says which. */
const opaqueLogins = (meanings: readonly Meaning[]): readonly string[] =>
  meanings.some((one) => one.kind === 'alias' && one.format === 'opaque')
    ? idsOf(meanings, 'name')
    : []

/** How the issuer calls this tenant, where the row says it. */
const isOfAnotherTenant = (members: SubjectRead['members'], { tenantName }: Stream): boolean =>
  members.has('tenant') && tenantName !== null && !namesOf(members, 'tenant').includes(tenantName)

/** Named by themselves, and by the rows of aliases; a device or a group only by these. */
function subjectsOf(
  member: 'user' | 'device' | 'group',
  members: SubjectRead['members'],
  aliases: readonly AliasRow[],
): readonly string[] {
  const listed = aliases.filter((row) => row.member === member).map((row) => row.subject)
  const named = member === 'user' ? namesOf(members, member) : []
  return [...new Set([...named, ...listed])]
}

const namesOf = (members: SubjectRead['members'], member: Member): readonly string[] =>
  idsOf(members.get(member), 'name')

const idsOf = (
  meanings: readonly Meaning[] | undefined,
  kind: 'name' | 'token',
): readonly string[] =>
  (meanings ?? []).flatMap((one) => {
    if (one.kind !== kind) return []
    return [one.kind === 'name' ? one.name : one.id]
  })
