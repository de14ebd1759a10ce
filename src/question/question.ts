import type { Claims } from '../authentication/claims.ts'
import type { Action, Operation } from '../mcp/operation.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { Actor, Network } from '../pdp/evaluation.ts'
import { sessionKeyOf } from './history-keys.ts'

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
  /** The digest of the handle that the request shows (pep/task-handle.ts); absent: it shows none. */
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
