// One call, decided by the Worker's own code over the rows of the scratch database.
import type { DatabaseSync } from 'node:sqlite'
import { isTrustDomain } from '../../authentication/issuer.ts'
import { decisionRow } from '../../durable-objects/decision-row.ts'
import { partsOf } from '../../mcp/result-parts.ts'
import type { JsonObject } from '../../mcp/value.ts'
import { actorOf, evaluate, isObserved } from '../../pdp/evaluate.ts'
import type { Actor, Evaluation, EvaluationRequest, Facts, WouldBe } from '../../pdp/evaluation.ts'
import type { DecisionRefusal } from '../../pdp/refusal.ts'
import { resourcesInResult } from '../../pdp/resources.ts'
import { compileRules, judge, type RuleHit } from '../../pdp/sequence/advance.ts'
import { taskOf } from '../../pdp/task.ts'
import { flowOf } from '../../pep/flow.ts'
import { argumentsKeyOf, MAX_ADMITTED_INPUTS, stepOf } from '../../pep/record.ts'
import { sessionKeyOf } from '../../question/history-keys.ts'
import { NO_TOKEN, type Question } from '../../question/question.ts'
import { useOf } from '../../question/request.ts'
import { Mistake } from '../mistake.ts'
import { readTenant, type TenantRows } from '../scratch/tenant-rows.ts'
import type { Call } from './call.ts'
import { compiledRows, gather, type Gathered } from './gather.ts'
import { remembered } from './history.ts'

export interface Decision {
  readonly rows: TenantRows
  readonly request: EvaluationRequest
  readonly facts: Facts
  /** null: allowed. */
  readonly refusal: DecisionRefusal | null
  readonly matches: Evaluation['matches']
  readonly wouldBe: WouldBe | null
  /** null: the rules were not asked, because the call was refused before. */
  readonly hits: readonly RuleHit[] | null
  /** Sequence rules that this call's labels call up. */
  readonly asked: readonly string[]
  /** The columns and the JSON of its record, as the decision log would hold them. */
  readonly decision: 'allow' | 'deny' | 'approve'
  readonly wouldBeReason: string | null
  readonly record: string
}

export async function decideCall(database: DatabaseSync, call: Call): Promise<Decision> {
  const rows = readTenant(database, call.tenant)
  const compiled = compiledRows(rows)
  const now = call.at ?? Date.now()
  const question = await questionOf(rows, call, now)
  const policies = compiled.policies
  const gathered = gather(database, compiled, question, call, now)
  const judged = evaluate(gathered.request, policies, gathered.facts)
  const { tables } = rows
  const rules = compileRules('', tables.sequenceRules)
  const flowIn = (past: Question) => {
    const at = gather(database, compiled, past, call, now)
    const server = compiled.servers.get(past.server)
    if (server === undefined || (at.facts.tool === null && past !== question)) {
      throw new Mistake(`history: no row of \`tools\` speaks of \`${past.tool}\``)
    }
    return flowOf(past, { ...at, server })
  }
  const { memory, step, underTask } = remembered(
    question,
    call.history,
    rules,
    flowIn,
    (past, result) => labelsIn(database, compiled, past, call, result, now),
    compiled,
    now,
  )
  const asked = rules.asked(step).map(({ row }) => row.id)
  const admitted =
    judged.refusal === null ? admit(judge(rules, memory, step), gathered, judged, underTask) : null
  const decided = admitted ?? { ...judged, hits: null }
  const answered =
    decided.refusal === null && call.result !== null
      ? decideResult(database, compiled, question, call, call.result, now)
      : null
  const { refusal, matches, wouldBe, request, facts } = { ...gathered, ...decided, ...answered }
  const inputs = { request, facts, matches, wouldBe }
  const key = await argumentsKeyOf(call.arguments)
  const recorded = decisionRow(
    stepOf(question, 'scratch', inputs, key, MAX_ADMITTED_INPUTS),
    step.now,
    refusal,
    decided.hits ?? [],
  )
  return {
    rows,
    request,
    facts,
    refusal,
    matches,
    wouldBe,
    hits: decided.hits,
    asked,
    decision: recorded.decision,
    wouldBeReason: recorded.would_be,
    record: recorded.record,
  }
}

type Decided = Evaluation & Pick<Decision, 'hits'>

/** As the session does it (src/durable-objects/session.ts): on an observed server a rule only notes. */
function admit(
  hits: readonly RuleHit[],
  { request, facts }: Gathered,
  { matches, wouldBe }: Evaluation,
  underTask: number,
): Decided {
  const refusal = refusalOf(hits) ?? spent(request, facts, underTask)
  if (!isObserved(facts, request.context.now)) return { refusal, matches, wouldBe, hits }
  return { refusal: null, matches, wouldBe: wouldBe ?? { by: 'observe', refusal }, hits }
}

/** As src/durable-objects/task-budget.ts counts. */
function spent(request: EvaluationRequest, facts: Facts, calls: number): DecisionRefusal | null {
  const { task } = taskOf(actorOf(request), request, facts)
  return task === null || task.maxCalls === null || calls < task.maxCalls
    ? null
    : { at: 'decide', reason: 'task_spent', task: task.id }
}

function refusalOf(hits: readonly RuleHit[]): DecisionRefusal | null {
  const denial = hits.find(({ effect }) => effect === 'deny')
  if (denial !== undefined) {
    const { rule, reason: ruleReason } = denial
    return { at: 'decide', reason: 'denied_by_sequence', rule, ruleReason }
  }
  const rules = hits.filter(({ effect }) => effect === 'approve').map(({ rule }) => rule)
  return rules.length === 0
    ? null
    : { at: 'decide', reason: 'approval_required', policies: [], rules }
}

/** As the Worker does it (src/pep/result.ts): decided again, with what the result names. */
function decideResult(
  database: DatabaseSync,
  compiled: CompiledTenant,
  question: Question,
  call: Call,
  result: JsonObject,
  now: number,
): (Gathered & Evaluation) | null {
  const read = namedIn(compiled, question, result)
  if (read === null) return null
  const named = read.kind === 'named' ? read.resources : []
  const gathered = gather(database, compiled, question, call, now, named)
  const judged = evaluate(gathered.request, compiled.policies, gathered.facts)
  const because: DecisionRefusal | null =
    judged.refusal ??
    (read.kind === 'named' ? null : { at: 'decide', reason: 'target_unreadable', pointer: null })
  const refusal: DecisionRefusal | null =
    because === null ? null : { at: 'decide', reason: 'result_withheld', because }
  return { ...gathered, ...judged, refusal }
}

/** What the resources carry that the result of an earlier call names. */
function labelsIn(
  database: DatabaseSync,
  compiled: CompiledTenant,
  past: Question,
  call: Call,
  result: JsonObject,
  now: number,
): readonly string[] {
  const read = namedIn(compiled, past, result)
  if (read?.kind !== 'named') return []
  const { facts } = gather(database, compiled, past, call, now, read.resources)
  return facts.targets.flatMap(({ from, row }) => (from === 'result' ? (row?.labels ?? []) : []))
}

/** null: no row says where its results name resources. */
function namedIn(
  compiled: CompiledTenant,
  { server, tool }: Question,
  result: JsonObject,
): ReturnType<typeof resourcesInResult> | null {
  const fields = compiled.servers.get(server)?.tools.fields(tool ?? '').results ?? []
  return fields.length === 0 ? null : resourcesInResult(fields, partsOf(result))
}

type CompiledTenant = ReturnType<typeof compiledRows>

async function questionOf(rows: TenantRows, call: Call, now: number): Promise<Question> {
  const { tenant, subject, client, agent, loggedInSecondsAgo } = call
  const actor: Actor = { tenant, issuer: issuerOf(rows, call), subject, client, agent }
  const server = rows.servers.get(call.server)
  const tool = server?.tools.find(call.tool, call.arguments)
  const needed = [...(server?.facts.requiredScopes ?? []), ...(tool?.requiredScopes ?? [])]
  return {
    actor,
    session: await sessionKeyOf(actor),
    credential: {
      ...NO_TOKEN,
      ...call.token,
      tokenId: 'policy-command',
      issuedAt: Math.floor(now / 1000),
      actorChain: agent === null ? [] : [agent],
      scopes: call.scopes ?? (isTrustDomain(actor.issuer) ? [] : needed),
      acr: call.acr,
      authTime: loggedInSecondsAgo === null ? null : Math.floor(now / 1000) - loggedInSecondsAgo,
      senderConstrained: call.senderConstrained,
    },
    server: call.server,
    method: useOf(call.tool),
    tool: call.tool,
    arguments: call.arguments,
    listing: false,
    network: call.network,
    ...(call.task == null ? {} : { taskHandle: call.task }),
  }
}

/** The issuer that knows the client; a tenant's only one where none does. */
function issuerOf({ tenant, tables }: TenantRows, { client }: Call): string {
  const registered = tables.clients.find(({ id }) => id === client)
  const issuer = registered?.issuer ?? tables.issuers[0]?.url
  if (issuer === undefined) throw new Mistake(`tenant \`${tenant}\` trusts no issuer`)
  return issuer
}
