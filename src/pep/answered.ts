import { stringify } from '../mcp/stringify.ts'
import {
  asPrivate,
  filterCapabilities,
  filterCompletion,
  filterDirectory,
  filterListing,
  filterTasks,
  LISTED,
  listedIn,
  withOwnResources,
} from '../mcp/listing.ts'
import { SERVER_REQUESTS } from '../mcp/methods/server-requests.ts'
import type { Call, Listing, Operation } from '../mcp/operation.ts'
import { isDeclared, kindOfResult, type ResultKind } from '../mcp/outcome.ts'
import { writeRound } from '../mcp/round.ts'
import { isJsonObject, type JsonObject } from '../mcp/value.ts'
import { actorKeyOf } from '../question/history-keys.ts'
import type { Refused } from './decide.ts'
import type { Judged } from './judge.ts'
import { boundOf } from './matters.ts'
import type { Admitted } from './permit.ts'
import { undecided, withhold } from './result.ts'
import { noteStatus, taskBegan } from './running-tasks.ts'
import { refusing, seeing, showing } from './showing.ts'
import { taskIdUnder } from './under-task.ts'

/** What becomes of a result that may be returned, before its bytes are released. */
export type Answered =
  | {
      readonly kind: 'pass'
      /** null: as it came. */
      readonly result: JsonObject | null
      /** What was asked for came about, as far as the server says. */
      readonly happened: boolean
    }
  | { readonly kind: 'refused'; readonly refused: Refused }
  /** No answer to what was asked; the words are for the operator. */
  | { readonly kind: 'malformed'; readonly detail: string }

/** Listings show what this actor could be allowed; introductions name what is passed on. */
export async function answered(
  call: Admitted,
  decision: string,
  judged: Judged,
  result: JsonObject,
): Promise<Answered> {
  const { operation } = call
  const kind = kindOfResult(operation, result)
  switch (kind.kind) {
    case 'malformed':
      return kind
    case 'asks':
      return asks(call, decision, judged, result, kind)
    case 'task':
      return keepTask(call, decision, judged, kind.taskId, result)
    case 'complete': {
      noteStatus(call, result)
      const happened = (result['isError'] ?? false) === false
      return { kind: 'pass', result: await shown(call, judged, result), happened }
    }
  }
}

/** null: as it came. */
async function shown(
  call: Admitted,
  judged: Judged,
  result: JsonObject,
): Promise<JsonObject | null> {
  const { operation, question, recalled } = call
  const { era } = operation
  switch (operation.kind) {
    case 'listing':
      return listing(operation, call, judged, result)
    case 'task_listing': {
      // Those of calls of the same declared task: what another came to is not told here either.
      const under = taskIdUnder(question, judged)
      const tasks = recalled.tasks.filter(({ underTask }) => underTask === under)
      const own = new Set(tasks.map(({ taskId }) => taskId))
      return filterTasks(result, (taskId) => own.has(taskId))
    }
    case 'protocol':
      return operation.method === 'initialize' || operation.method === 'server/discover'
        ? filterCapabilities(result, era)
        : null
    case 'call':
      return ofCall(operation, judged, result)
    case 'task':
    case 'subscription':
    case 'answer':
    case 'session':
      return null
  }
}

/** What was asked for by name, where its answer is for this caller alone. */
function ofCall(call: Call, judged: Judged, result: JsonObject): JsonObject | null {
  const { method, era } = call
  switch (method) {
    case 'resources/read':
      return era === 'modern' ? asPrivate(result, era) : null
    case 'resources/directory/read':
      return filterDirectory(result, seeing(judged, []), era)
    case 'skills/get': {
      const { skill } = result
      const own = isJsonObject(skill) ? { skill: withOwnResources(skill, seeing(judged, [])) } : {}
      return asPrivate({ ...result, ...own }, era)
    }
    case 'completion/complete':
      return filterCompletion(call, result, seeing(judged, []))
    case 'tools/call':
    case 'prompts/get':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return null
  }
}

async function listing(
  { method, era }: Listing,
  { doors, background, question }: Admitted,
  judged: Judged,
  result: JsonObject,
): Promise<JsonObject> {
  const listed = LISTED[method].describes === true ? [] : listedIn(method, result)
  const { maySee, note } = await showing(listed, judged, doors, question.actor.tenant)
  background(note().catch(cannotNote))
  return filterListing(method, result, maySee, era)
}

/** The listing was shown all the same; whoever needs to know looks for themselves. */
const cannotNote = (error: unknown): void => {
  console.warn('what a listing showed could not be noted', String(error))
}

/**
 * INVARIANT: a server gets to ask a client only for what this actor could be allowed to send it, and
 * what it gives the client to carry comes back unchanged or not at all.
 */
async function asks(
  call: Admitted,
  decision: string,
  judged: Judged,
  result: JsonObject,
  { inputs, requestState }: Extract<ResultKind, { kind: 'asks' }>,
): Promise<Answered> {
  const { operation, question, session } = call
  const refusalOf = refusing(judged, [])
  for (const input of inputs.values()) {
    if (!isDeclared(operation.capabilities, input)) {
      return { kind: 'malformed', detail: 'it asks for what the client did not declare' }
    }
    const because = refusalOf(SERVER_REQUESTS[input.method].entry)
    if (because === null) continue
    // oxlint-disable-next-line no-await-in-loop
    const refused = await withhold(call, decision, judged, because)
    return { kind: 'refused', refused }
  }
  if (requestState === null || operation.kind !== 'call') return AS_IT_CAME
  const bound = await boundOf(operation, {
    actorKey: actorKeyOf(question.actor),
    server: question.server,
  })
  const asked = new Map([...inputs].map(([key, { method }]) => [key, method]))
  const round = { state: requestState, asked, task: taskIdUnder(question, judged) }
  const sealed = await session.seal(writeRound(bound, round, Date.now()))
  if (sealed === null) return lost(decision)
  return { kind: 'pass', result: { ...result, requestState: sealed }, happened: false }
}

/** INVARIANT: no client learns of a task that its session does not know, or that nobody would end. */
async function keepTask(
  call: Admitted,
  decision: string,
  judged: Judged,
  taskId: string,
  result: JsonObject,
): Promise<Answered> {
  const { operation, question, session } = call
  if (!isCall(operation)) return lost(decision)
  const kept = await Promise.all([
    taskBegan(call, decision, judged, taskId, result),
    session.keepTask({
      actorKey: actorKeyOf(question.actor),
      server: question.server,
      taskId,
      entry: operation.entry,
      arguments: stringify(operation.arguments),
      underTask: taskIdUnder(question, judged),
    }),
  ])
  return kept.every(Boolean) ? AS_IT_CAME : lost(decision)
}

const isCall = (operation: Operation): operation is Call => operation.kind === 'call'

const AS_IT_CAME: Answered = { kind: 'pass', result: null, happened: false }

const lost = (decision: string): Answered => {
  const { refused } = undecided(decision)
  return { kind: 'refused', refused }
}
