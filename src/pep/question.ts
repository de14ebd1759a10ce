import type { Claims } from '../authentication/claims.ts'
import type { Action, Operation } from '../mcp/operation.ts'
import { kindOf, type Kind } from '../mcp/catalogue.ts'
import type { JsonObject } from '../mcp/value.ts'
import {
  isWorkload,
  type Actor,
  type EvaluationRequest,
  type Facts,
  type Network,
  type ToolFacts,
} from '../pdp/evaluation.ts'
import { isOurs } from '../pdp/authorization-details.ts'
import { declaredTaskId, isTaskDetail } from '../pdp/declared-task.ts'
import type { RevocationKind } from '../pdp/refusal.ts'
import {
  resourceKey,
  resourcesInArguments,
  targetOf,
  type FieldReading,
  type NamedResource,
} from '../pdp/resources.ts'
import { sha256 } from '../sha256.ts'
import type { CompiledServer, CompiledTenant } from '../storage/compiled.ts'
import type { FactKeys, FreshFacts } from '../storage/facts.ts'

/** One question to door two, before anything was looked up for it. */
export interface Question {
  readonly actor: Actor
  /** The name of the subject's history. */
  readonly session: string
  readonly credential: Credential
  readonly server: string
  readonly method: Action
  /** An entry of the catalogue (mcp/catalogue.ts); null: the operation touches none. */
  readonly tool: string | null
  readonly arguments: JsonObject | null
  readonly listing: boolean
  /** It asks for what an earlier call began: nothing is sent along that a rule could speak of. */
  readonly polls?: true
  readonly network: Network
  /** The digest of the handle that the request shows (task-handle.ts); absent: it shows none. */
  readonly taskHandle?: string | null | undefined
  /** Of a result: the task of its call, null if it had none. Other tasks that were opened since are not meant. */
  readonly underTask?: string | null
}

/** What the token says besides who acts. */
export type Credential = Pick<
  Claims,
  | 'tokenId'
  | 'issuedAt'
  | 'sessionId'
  | 'keyId'
  | 'bindings'
  | 'agentDocument'
  | 'actorChain'
  | 'transaction'
  | 'scopes'
  | 'authorizationDetails'
  | 'acr'
  | 'authTime'
  | 'senderConstrained'
>

/** Where somebody is asked about and nobody calls: what each kind of asker knows of a token is added. */
export const NO_TOKEN: Credential = {
  tokenId: null,
  issuedAt: null,
  sessionId: null,
  keyId: null,
  bindings: [],
  agentDocument: null,
  actorChain: [],
  transaction: null,
  scopes: [],
  authorizationDetails: null,
  acr: null,
  authTime: null,
  senderConstrained: false,
}

/** What is asked about, of one operation. */
export type Matter = Pick<Question, 'tool' | 'arguments' | 'polls' | 'underTask'> & {
  readonly method?: Action
}

export async function questionOf(
  claims: Claims,
  server: string,
  operation: Operation,
  matter: Matter,
  network: Network,
  session?: string,
): Promise<Question> {
  const actor = actorOf(claims)
  return {
    actor,
    session: session ?? (await sessionKeyOf(actor)),
    credential: claims,
    server,
    method: operation.method,
    listing: operation.kind === 'listing' || LISTS.has(operation.method),
    network,
    ...matter,
  }
}

/** Their answers name further resources, each of which is asked about as in a listing. */
const LISTS: ReadonlySet<Action> = new Set([
  'skills/get',
  'resources/directory/read',
  'completion/complete',
])

/** Who acts, as the token proves it. */
export const actorOf = (claims: Claims): Actor => ({
  tenant: claims.tenant,
  issuer: claims.issuer,
  subject: claims.subject,
  client: claims.client,
  agent: claims.agent,
})

/** The name of a subject's history; client, agent and token are no part of it. */
export async function sessionKeyOf(actor: Actor): Promise<string> {
  // An array of strings has one canonical JSON form (RFC 8785 §3.2.2.2), and its borders are safe.
  return sha256(JSON.stringify([actor.tenant, actor.issuer, actor.subject]))
}

/** Whose lock-outs: the client and the agent within one subject's session. */
export const actorKeyOf = (actor: Actor): string => JSON.stringify([actor.client, actor.agent])

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

export function requestOf(question: Question, now: number): EvaluationRequest {
  const { actor, credential, server, tool } = question
  return {
    subject: {
      type: isWorkload(actor) ? 'workload' : 'user',
      id: actor.subject,
      properties: {
        tenant: actor.tenant,
        issuer: actor.issuer,
        client: actor.client,
        agent: actor.agent,
        actorChain: credential.actorChain,
        tokenId: credential.tokenId,
        tokenSession: credential.sessionId,
        issuerKey: credential.keyId,
        bindings: credential.bindings,
        ...(credential.agentDocument === null ? {} : { agentDocument: credential.agentDocument }),
        scopes: credential.scopes,
        authorizationDetails:
          credential.authorizationDetails?.filter((one) => isOurs(one) || isTaskDetail(one)) ??
          null,
        acr: credential.acr,
        authTime: credential.authTime,
        ...(credential.issuedAt === null ? {} : { tokenIssuedAt: credential.issuedAt }),
        senderConstrained: credential.senderConstrained,
        ...taskNamed(question),
      },
    },
    action: { name: question.method },
    resource: {
      type: tool === null ? 'mcp_server' : 'tool',
      id: tool ?? server,
      properties: { server },
    },
    context: { arguments: question.arguments, now, network: question.network },
  }
}

/** Absent where nothing is named, so that records say no more than there was. */
function taskNamed({ credential: { transaction }, taskHandle = null, underTask }: Question) {
  if (transaction === null && taskHandle === null && underTask === undefined) return {}
  const under = underTask === undefined ? {} : { under: underTask }
  return { task: { transaction, handle: taskHandle !== null, ...under } }
}

/** The same question about an entry that is only listed: its arguments are not known yet. */
export const listingRequest = (request: EvaluationRequest, tool: string): EvaluationRequest => ({
  ...request,
  action: { name: useOf(tool) },
  resource: { ...request.resource, type: 'tool', id: tool },
  context: { ...request.context, arguments: null },
})

/** The method by which an entry is used. */
export const useOf = (entry: string): Action => USE[kindOf(entry)]

const USE: Readonly<Record<Kind, Action>> = {
  tool: 'tools/call',
  resource: 'resources/read',
  prompt: 'prompts/get',
  client: 'elicitation/create',
}

export function factsOf(
  fresh: FreshFacts,
  server: CompiledServer,
  tool: ToolFacts | null,
  read: FieldReading,
  { tenant, issuer }: Actor,
  issuers: CompiledTenant['issuers'],
): Facts {
  // Where no row tells, door one or the AuthZEN doors refuse for that.
  const namesPeople = issuers.get(issuer)?.kind === 'oauth'
  const named = read.kind === 'named' ? read.resources : []
  return {
    revision: fresh.revision ?? '',
    tenantActive: fresh.tenantActive,
    callsPerMinute: fresh.callsPerMinute,
    server: server.facts,
    clientActive: fresh.clientActive,
    clientActsForUsers: fresh.clientActsForUsers && namesPeople,
    agentActive: fresh.agentActive,
    subjectRoles: fresh.subjectRoles,
    agentRoles: fresh.agentRoles,
    revocations: fresh.revocations,
    tool,
    sighting: fresh.sightings.get(tool?.row ?? '') ?? null,
    targets: named.map((one) =>
      targetOf(one, fresh.resources.get(resourceKey(one)) ?? null, tenant),
    ),
    unreadable: unreadableOf(read),
    consents: fresh.consents,
    tasks: fresh.tasks,
    ...(fresh.signals === null ? {} : { signals: fresh.signals }),
    transactionIsTask: fresh.transactionIsTask,
    issuerOpensTasks: issuers.get(issuer)?.opensTasks === true,
  }
}

function unreadableOf(read: FieldReading): Facts['unreadable'] {
  switch (read.kind) {
    case 'named':
      return null
    case 'unreadable':
      return { kind: 'not_a_name', pointer: read.pointer }
    case 'too_many':
      return { kind: 'too_many' }
  }
}
