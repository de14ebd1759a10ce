// Pure. Who may open tasks, and whose: rows of `task_openers` against a verified token.
import type { Claims } from '../authentication/claims.ts'
import type { HolderKind } from '../pdp/evaluation.ts'
import { skeletonOf } from '../pdp/provenance/skeleton.ts'

/** What of a verified token says who opens. */
export type OpenerClaims = Pick<
  Claims,
  'tenant' | 'issuer' | 'subject' | 'client' | 'agent' | 'actorChain'
>

/** A row of `task_openers` that speaks of this token. */
export interface Grant {
  readonly kind: HolderKind
  readonly client: string
  readonly through: string | null
  readonly forOthers: boolean
  readonly mayApprove: boolean
  readonly maxLifetimeSeconds: number
}

/** Whose task it is, and what will act under it. */
export interface TaskActor {
  readonly issuer: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
}

const isOwn = ({ subject, client }: OpenerClaims): boolean => subject === client

/**
 * As what the token's holder opens. Where an agent acts it is the agent who opens: a person's or a
 * client's right is not lent to it.
 */
export const openerKeys = (claims: OpenerClaims): readonly (readonly [HolderKind, string])[] => {
  if (claims.agent !== null) return [['agent', claims.agent]]
  const client = ['client', claims.client] as const
  return isOwn(claims) ? [client] : [['user', claims.subject], client]
}

/**
 * INVARIANT: nobody opens, reads or closes the task that they, or what their token came through, act
 * under: its words are an origin of values because the actor did not write them. However a name is
 * spelt, and whichever issuer says it.
 */
export function actsUnder(claims: OpenerClaims, { client, agent }: TaskActor): boolean {
  const acting = new Set([client, ...(agent === null ? [] : [agent])].map(spellingOf))
  const { subject, client: holder, agent: own, actorChain } = claims
  return [subject, holder, ...(own === null ? [] : [own]), ...actorChain]
    .map(spellingOf)
    .some((name) => acting.has(name))
}

/** Blanks say nothing in a name, as in the CHECKs of `tasks`. */
const spellingOf = (name: string): string => skeletonOf(name.replaceAll(' ', ''))

/** Rows that reach this actor's tasks. */
export const grantsFor = (
  grants: readonly Grant[],
  claims: OpenerClaims,
  actor: TaskActor,
): readonly Grant[] =>
  grants.filter(
    (grant) =>
      (grant.client === '*' || grant.client === actor.client) &&
      (grant.through === null || grant.through === claims.client) &&
      (isForOthers(grant, claims) ||
        (actor.issuer === claims.issuer && actor.subject === claims.subject)),
  )

/** A client that holds a person's token speaks for that person, whatever it may do by itself. */
const isForOthers = ({ kind, forOthers }: Grant, claims: OpenerClaims): boolean =>
  forOthers && (kind !== 'client' || isOwn(claims))

/** A task that only tokens declare names no actor: whoever may end any may end it. */
export const mayEndDeclared = (grants: readonly Grant[], claims: OpenerClaims): boolean =>
  grants.some(
    (grant) =>
      grant.client === '*' &&
      (grant.through === null || grant.through === claims.client) &&
      isForOthers(grant, claims),
  )

export interface Asked {
  readonly lifetimeSeconds: number
  readonly approve: boolean
}

/** One row must allow all of it. */
export function withinGrant(
  grants: readonly Grant[],
  { lifetimeSeconds, approve }: Asked,
): Grant | 'approval' | 'lifetime' {
  const approving = grants.filter(({ mayApprove }) => mayApprove || !approve)
  return (
    approving.find(({ maxLifetimeSeconds }) => lifetimeSeconds <= maxLifetimeSeconds) ??
    (approving.length === 0 ? 'approval' : 'lifetime')
  )
}
