import { isTrustDomain } from '../authentication/issuer.ts'
import { LISTED } from '../mcp/listing.ts'
import { canonical } from '../mcp/canonical.ts'
import type { Actor } from '../pdp/evaluation.ts'
import { digestOfShown } from '../pep/task-handle.ts'
import { sessionKeyOf } from '../question/history-keys.ts'
import type { Question } from '../question/question.ts'
import { sha256 } from '../sha256.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { PdpCaller } from './caller.ts'
import type { Act } from './mapping.ts'
import type { Person } from './subject.ts'

/** What is asked, in the words of the caller's tenant. */
export interface Matter {
  readonly act: Act
  readonly person: Person
  readonly actor: Actor
  readonly server: string
  /** The digest of the task's handle that was shown; null: none was. */
  readonly taskHandle: string | null
  /** The name of the subject's history. */
  readonly session: string
}

export async function matterOf(
  caller: PdpCaller,
  act: Act,
  person: Person,
  server: string,
): Promise<Matter> {
  const { tenant, issuer, client } = caller.claims
  const actor: Actor = {
    tenant,
    issuer: person.issuer ?? issuer,
    subject: person.subject,
    client: person.client ?? client,
    agent: person.agent,
  }
  const taskHandle = person.taskHandle === null ? null : await digestOfShown(person.taskHandle)
  return { act, person, actor, server, taskHandle, session: await sessionKeyOf(actor) }
}

/** The very question that the front door would ask, but for what only a token says. */
export function questionBy(matter: Matter, compiled: CompiledTenant): Question {
  const { act, person, actor, server, session, taskHandle } = matter
  const { method, tool, arguments: given } = act
  return {
    actor,
    session,
    credential: {
      ...person.token,
      actorChain: person.agent === null ? [] : [person.agent],
      // A trust domain grants none, whatever the caller would find in a token of another issuer.
      scopes: person.scopes ?? (isTrustDomain(actor.issuer) ? [] : scopesNeeded(matter, compiled)),
    },
    server,
    method,
    tool,
    arguments: given,
    listing: Object.hasOwn(LISTED, method),
    network: person.network,
    taskHandle,
  }
}

/** What the front door's scope gate would ask for. */
export function scopesNeeded(
  { act, server }: Matter,
  { servers }: CompiledTenant,
): readonly string[] {
  const compiled = servers.get(server)
  const tool = act.tool === null ? null : (compiled?.tools.find(act.tool, act.arguments) ?? null)
  return [...new Set([...(compiled?.facts.requiredScopes ?? []), ...(tool?.requiredScopes ?? [])])]
}

/**
 * The name of one step: the same for a repetition, another for any other question, and nothing that
 * another caller could hit upon. What changes with each token (login, scopes) is no part of it.
 */
export async function stepId(
  { claims }: PdpCaller,
  { act, actor, server, taskHandle }: Matter,
  ...key: readonly string[]
): Promise<string> {
  const { tenant, issuer, client } = claims
  const caller = [tenant, issuer, client]
  const who = [actor.issuer, actor.subject, actor.client, actor.agent]
  // Of another task it is another call, which counts there.
  const shown = taskHandle === null ? [] : [taskHandle]
  const digest = await sha256(
    canonical([...caller, ...key, ...who, server, act.method, act.tool, act.arguments, ...shown]),
  )
  // A UUID of the kind that stands for whatever its maker says (RFC 9562 §5.8).
  const [, a, b, c, d, e] = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(digest) ?? []
  return `${a}-${b}-8${c}-8${d}-${e}`
}
