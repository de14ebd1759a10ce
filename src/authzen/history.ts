import { actorOf, isObserved } from '../pdp/evaluate.ts'
import { taskOf } from '../pdp/task.ts'
import { labelsOfQuestion } from '../pdp/tool-class.ts'
import type { Judged } from '../pep/judge.ts'

/**
 * Whether a rule over history could refuse this call. A question does not look at the history, which
 * may have changed before the call is made, so what could be refused is not promised.
 */
export const historyMayRefuse = ({ request, facts, compiled }: Judged): boolean =>
  typeof taskOf(actorOf(request), request, facts).task?.maxCalls === 'number' ||
  compiled.rules
    .triggeredBy(labelsOfQuestion(request, facts))
    .some(({ row }) => row.effect !== 'audit')

export const isWatchedOnly = ({ facts, readAt }: Judged): boolean => isObserved(facts, readAt)

/**
 * Whether another answer could follow from arguments that nobody told: the tool's class or labels
 * hang on them, they name resources, or a policy that may speak of this call reads them.
 */
export function hangsOnArguments({ request, facts, compiled, server }: Judged): boolean {
  const tool = request.resource.id
  if (server.tools.find(tool, null)?.depends != null) return true
  if (server.tools.fields(tool).arguments.length > 0) return true
  const { client, agent } = request.subject.properties
  const roles = [...facts.subjectRoles, ...facts.agentRoles].map(({ role }) => role)
  return compiled.policies
    .candidates({ server: facts.server.name, tool, client, agent, roles })
    .some((policy) => {
      if (policy.row.mode === 'shadow') return false
      const condition = policy.condition()
      return condition !== null && 'readsCall' in condition && condition.readsCall
    })
}
