// What has to be looked up for a question.
import { declaredTaskId, isTaskDetail } from '../pdp/declared-task.ts'
import { isWorkload, type Actor } from '../pdp/evaluation.ts'
import type { RevocationKind } from '../pdp/refusal.ts'
import { resourcesInArguments, type FieldReading, type NamedResource } from '../pdp/resources.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { FactKeys } from '../storage/facts.ts'
import type { Credential, Question } from './question.ts'

/** Which resources the arguments name, by the rows of the tool. */
export function argumentsRead(question: Question, compiled: CompiledTenant): FieldReading {
  const { tool, arguments: given, server } = question
  if (tool === null || given === null) return { kind: 'named', resources: [] }
  const fields = compiled.servers.get(server)?.tools.fields(tool).arguments ?? []
  return resourcesInArguments(fields, given)
}

/** Everything of this call that roles, registrations, revocations and resources could be about. */
export function factKeysOf(
  question: Question,
  named: readonly NamedResource[],
  compiled: CompiledTenant,
): FactKeys {
  const { actor, session, credential, server, tool } = question
  const workload = isWorkload(actor)
  return {
    tenant: actor.tenant,
    issuer: actor.issuer,
    subject: actor.subject,
    client: actor.client,
    agent: actor.agent,
    subjectHolder: [workload ? 'client' : 'user', actor.subject],
    agentHolder:
      actor.agent !== null ? ['agent', actor.agent] : workload ? null : ['client', actor.client],
    revocable: [
      // Never the text of a token: whoever holds one can write it in another way (RFC 7515 §8).
      ...revocable('token', credential.tokenId),
      ...revocable('token_session', credential.sessionId),
      ...credential.bindings.map(({ thumbprint }) => ['proof_key', thumbprint] as const),
      ['session', session],
      ['client', actor.client],
      ['subject', actor.subject],
      // The current actor only: earlier ones are history and decide nothing (RFC 8693 §4.1).
      ...revocable('agent', actor.agent),
      ...declaredTaskOf(credential),
      ['server', server],
      ...revocable('tool', tool === null ? null : `${server}/${tool}`),
      ...revocable('issuer_key', credential.keyId),
      ['issuer', actor.issuer],
      ['tenant', actor.tenant],
      ...revocableOfAgent(actor, credential),
    ],
    server,
    tool,
    row:
      tool === null || question.listing
        ? null
        : (compiled.servers.get(server)?.tools.find(tool, null)?.row ?? tool),
    listing: question.listing,
    named,
    issuedAt: credential.issuedAt,
    tokenSession: credential.sessionId,
    transaction: credential.transaction,
    taskHandle: question.taskHandle ?? null,
    underTask: question.underTask ?? null,
  }
}

const revocable = (
  kind: RevocationKind,
  id: string | null,
): readonly (readonly [RevocationKind, string])[] => (id === null ? [] : [[kind, id]])

/** A task that only tokens declare has no row to be closed: it ends by a revocation. */
const declaredTaskOf = ({ transaction, authorizationDetails }: Credential) =>
  transaction !== null && authorizationDetails?.some(isTaskDetail) === true
    ? revocable('task', declaredTaskId(transaction))
    : []

/**
 * A workload beside the token was named by its own trust domain: what was taken back there counts
 * for the agent as it would if it came alone.
 */
function revocableOfAgent(
  { agent }: Actor,
  { agentDocument, bindings }: Credential,
): FactKeys['revocable'] {
  if (agent === null || agentDocument === null) return []
  const { issuer, tokenId, keyId } = agentDocument
  const named = [
    ...revocable('token', tokenId),
    ...revocable('issuer_key', keyId),
    ...bindings
      .filter(({ kind }) => kind === 'workload')
      .map(({ thumbprint }) => ['proof_key', thumbprint] as const),
    ['agent', agent],
    ['client', agent],
    ['subject', agent],
    ['issuer', issuer],
  ] as const
  return named.map(([kind, id]) => [kind, id, issuer])
}
