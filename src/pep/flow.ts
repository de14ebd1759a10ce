import type { FlowOfCall } from '../durable-objects/session-protocol.ts'
import { parseGlob } from '../pdp/glob.ts'
import { argumentValues } from '../pdp/provenance/arguments.ts'
import { NOTHING_ASKED, type Asked } from '../pdp/provenance/asked.ts'
import { canon, plain } from '../pdp/provenance/canon.ts'
import type { EvaluationRequest, Facts, TaskFact } from '../pdp/evaluation.ts'
import { declaredValues, taskOf } from '../pdp/task.ts'
import { labelsOfCall, labelsOfQuestion } from '../pdp/tool-class.ts'
import type { Question } from '../question/question.ts'
import type { FreshFacts, TaskWords } from '../storage/facts.ts'
import type { CompiledServer } from '../storage/compiled.ts'

/** A question with what was looked up for it. */
export interface Known {
  readonly request: EvaluationRequest
  readonly facts: Facts
  readonly fresh: Pick<FreshFacts, 'words' | 'ownDomains'>
  readonly server: Pick<CompiledServer, 'flows'>
}

/** What the rules over history are told of a call: all of it from rows and from its arguments. */
export function flowOf(question: Question, { request, facts, fresh, server }: Known): FlowOfCall {
  const { task } = taskOf(question.actor, request, facts)
  const { tool, arguments: given } = question
  // What was sent was told when it was sent; what comes back is told when it is here.
  if (question.polls === true)
    return { ...ofStep(facts), task: task?.id ?? null, ownDomains: fresh.ownDomains }
  return {
    tool: tool ?? '',
    access: facts.tool?.access ?? '',
    labels: labelsOfQuestion(request, facts),
    ofResources: facts.targets.flatMap(({ row }) => row?.labels ?? []),
    task: task?.id ?? null,
    values: given === null ? [] : argumentValues(given, server.flows(tool ?? '').roles),
    ...budgetOf(task, tool),
    asked:
      task === null
        ? NOTHING_ASKED
        : askedOf(task, wordsOf(task, question, request, fresh), question),
    ownDomains: fresh.ownDomains,
  }
}

/** Counted where the call is admitted. A listing or a step of the protocol is no call of the task. */
const budgetOf = (task: TaskFact | null, tool: string | null): Pick<FlowOfCall, 'budget'> =>
  task === null || tool === null
    ? {}
    : { budget: { maxCalls: task.maxCalls, expiresAt: task.expiresAt } }

/** Of a task that the token declares the issuer is the one who wrote down what the person named. */
function wordsOf(
  task: TaskFact,
  { actor }: Question,
  request: EvaluationRequest,
  { words }: Known['fresh'],
): TaskWords | undefined {
  const values = declaredValues(actor, request, task)
  return values === null ? words.get(task.id) : { text: null, values }
}

const ofStep = ({ server }: Facts) => ({
  tool: '',
  access: '',
  labels: labelsOfCall({ tool: null, server, targets: [] }),
  ofResources: [],
  values: [],
  asked: NOTHING_ASKED,
})

/**
 * INVARIANT: words count as the person's only where somebody else than the actor wrote them down. A
 * row of `tasks` that its own client or agent opened does not exist (migrations/0003_create_resources.sql).
 */
function askedOf({ tools }: TaskFact, words: TaskWords | undefined, question: Question): Asked {
  const { server, tool } = question
  const named = tools?.some((pattern) => parseGlob(pattern).matches(`${server}/${tool ?? ''}`))
  const text = words?.text ?? null
  return {
    text: text === null ? null : plain(text),
    values: (words?.values ?? []).map(canon),
    // Patterns are read here; the rules are told of this tool only.
    tools: named === undefined ? null : named && tool !== null ? [tool] : [],
    task: true,
  }
}
