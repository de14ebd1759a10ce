// A question as door two is asked it.
import { kindOf, type Kind } from '../mcp/catalogue.ts'
import type { Action } from '../mcp/operation.ts'
import { isOurs } from '../pdp/authorization-details.ts'
import { isTaskDetail } from '../pdp/declared-task.ts'
import { isWorkload, type EvaluationRequest } from '../pdp/evaluation.ts'
import type { Question } from './question.ts'

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
