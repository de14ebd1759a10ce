// Pure. Many questions in one request (AuthZEN 1.0 §7): what stands outside the list is the default
// of every question in it, and a member of a question replaces the default as a whole.
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { malformed, NOTHING, readAsked, readObject, type Asked, type Malformed } from './request.ts'

/** Each question is a reading of the database, and they are asked one after the other. */
export const MAX_EVALUATIONS = 50

/** When the rest is left unasked: the decision that ends it, or null. One row per semantic (§7.1.2). */
const ENDED_BY = {
  execute_all: null,
  deny_on_first_deny: false,
  permit_on_first_permit: true,
} as const satisfies Record<string, boolean | null>
type Semantic = keyof typeof ENDED_BY

export interface Batch {
  /** A question that cannot be read is answered as such, in its place. */
  readonly questions: readonly Result<Asked, Malformed>[]
  /** A question that is answered so is the last one. */
  readonly endedBy: boolean | null
}

/** null: there is no list, so the request is a question of its own (§7.1). */
export function readBatch(body: JsonValue): Result<Batch | null, Malformed> {
  if (!isJsonObject(body)) return malformed('the request is not an object')
  const { evaluations } = body
  if (evaluations === undefined) return ok(null)
  if (!Array.isArray(evaluations)) return malformed('`evaluations` must be a list')
  const items = evaluations as readonly JsonValue[]
  if (items.length > MAX_EVALUATIONS) {
    return malformed(`\`evaluations\` holds more than ${MAX_EVALUATIONS} questions`)
  }
  const defaults = readDefaults(body)
  if (!defaults.ok) return defaults
  const semantic = readSemantic(body)
  if (!semantic.ok) return semantic
  if (items.length === 0) return ok(null)
  return ok({
    questions: items.map((item) =>
      isJsonObject(item)
        ? readAsked(withDefaults(defaults.value, item))
        : malformed('the question is not an object'),
    ),
    endedBy: ENDED_BY[semantic.value],
  })
}

const MEMBERS = ['subject', 'action', 'resource', 'context'] as const

/** Wrong in the default is wrong for all, even where each question has a member of its own. */
function readDefaults(body: JsonObject): Result<JsonObject, Malformed> {
  const defaults: Record<string, JsonValue> = Object.create(null)
  for (const member of MEMBERS) {
    const read = readObject(body[member], member)
    if (!read.ok) return read
    if (read.value !== NOTHING) defaults[member] = read.value
  }
  return ok(defaults)
}

const withDefaults = (defaults: JsonObject, item: JsonObject): JsonObject =>
  Object.assign(Object.create(null) as JsonObject, defaults, item)

function readSemantic(body: JsonObject): Result<Semantic, Malformed> {
  const options = readObject(body['options'], 'options')
  if (!options.ok) return options
  const semantic = options.value['evaluations_semantic']
  if (semantic === undefined) return ok('execute_all')
  return typeof semantic === 'string' && isSemantic(semantic)
    ? ok(semantic)
    : err({ kind: 'malformed', detail: '`evaluations_semantic` is none of the three known' })
}

const isSemantic = (text: string): text is Semantic => Object.hasOwn(ENDED_BY, text)

/** One after the other, in order, up to the answer that ends it. */
export async function answerInOrder<Answer extends { readonly decision: boolean }>(
  { questions, endedBy }: Batch,
  answer: (question: Result<Asked, Malformed>) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (const question of questions) {
    const given = await answer(question)
    answers.push(given)
    if (given.decision === endedBy) break
  }
  return answers
}
