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
 * listed, a member that is not known), there are no targets: it never widens to everybody.
 */
export function targetsOf(subject: SubjectRead, known: Known, stream: Stream): readonly Target[] {
  const { members } = subject
  if (isOfAnotherTenant(members, stream)) return []
  // One member of another issuer, and the whole is: no login of ours is ended with a person of theirs.
  if ([...members.values()].some(isForeign)) return []
  const keys = keysOf(subject, known)
  if (members.has('application')) {
    const clients = namesOf(members, 'application')
    if (keys === 'all') return clients.map((id) => target('client', id))
    return clients.flatMap((onlyClient) => keys.map((key) => ({ ...key, onlyClient })))
  }
  if (keys !== 'all') return keys
  return members.has('tenant') ? [target('issuer', stream.issuer)] : []
}

const target = (kind: Target['kind'], id: string, onlyWithoutSession = false): Target => ({
  kind,
  id,
  onlyClient: '',
  onlyWithoutSession,
})

/** Of whichever client, and in this tenant. `all`: nothing of the subject says whose. */
function keysOf(subject: SubjectRead, known: Known): readonly Target[] | 'all' {
  const { simple, members, narrower } = subject
  const [user, session] = [members.get('user') ?? [], members.get('session') ?? []]
  const one = [user, session].find(isTokensAlone)
  if (one !== undefined) return idsOf(one, 'token').map((id) => target('token', id))

  const people = peopleOf(subject, known)
  // The person is not in that group, or has other devices: it is about somebody else.
  if (people.length === 0 && candidatesOf(subject, known).length > 0) return []
  const tokens = [...user, ...session].flatMap((meaning) => idsOf([meaning], 'token'))
  const named = tokens.map((id) => target('token', id))
  if (members.has('session')) {
    return [
      ...named,
      ...idsOf(session, 'name').map((sid) => target('token_session', sid)),
      ...people.map((id) => target('subject', id, true)),
    ]
  }
  if (PERSONAL.some((member) => members.has(member))) {
    const alone = simple ? opaqueLogins(user) : []
    return [
      ...named,
      ...alone.map((sid) => target('token_session', sid)),
      ...people.map((id) => target('subject', id)),
    ]
  }
  return narrower ? [] : 'all'
}

/** The name of a token is narrower than anything that stands in another member. */
const isTokensAlone = (meanings: readonly Meaning[]): boolean =>
  meanings.some(({ kind }) => kind === 'token') &&
  !meanings.some(({ kind }) => kind === 'name' || kind === 'alias')

/** The members that lead to a person, the most telling one first. */
const PERSONAL = ['user', 'device', 'group'] as const

/** Whom the first of them names. */
function candidatesOf({ members }: SubjectRead, { named }: Known): readonly string[] {
  const member = PERSONAL.find((name) => members.has(name))
  return member === undefined ? [] : subjectsOf(member, members, named)
}

/** Without those who are known to be in other groups, or to have other devices. */
export const peopleOf = (subject: SubjectRead, known: Known): readonly string[] =>
  candidatesOf(subject, known).filter((person) =>
    (['device', 'group'] as const).every(
      (member) =>
        !subject.members.has(member) ||
        !known.have.some((row) => row.member === member && row.subject === person) ||
        known.named.some((row) => row.member === member && row.subject === person),
    ),
  )

const isForeign = (meanings: readonly Meaning[]): boolean =>
  meanings.length > 0 && meanings.every(({ kind }) => kind === 'foreign')

/** An opaque id that stands alone: of a person, and of a login, because nothing says which. */
const opaqueLogins = (meanings: readonly Meaning[]): readonly string[] =>
  meanings.flatMap((one) => (one.kind === 'alias' && one.format === 'opaque' ? [one.value] : []))

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
