// Pure. One call in several rounds (2026-07-28, basic/patterns/mrtr): what is written into the state
// that a client carries from one to the next, and what is read out of it again.
import { readJson } from './json.ts'
import {
  answerKinds,
  isServerRequest,
  type ServerRequestMethod,
} from './methods/server-requests.ts'
import type { Call } from './operation.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

/** What a state is good for, and for nothing else. */
export interface Bound {
  readonly actorKey: string
  readonly server: string
  readonly method: Call['method']
  readonly entry: string
  readonly argumentsDigest: string
}

export interface Round {
  /** The server's own state. */
  readonly state: string
  /** What it asked for, by its keys. */
  readonly asked: ReadonlyMap<string, ServerRequestMethod>
  /** The declared task that the call began under; null: under none. */
  readonly task: string | null
}

/** A person may have to answer in between. */
export const MAX_ROUND_MS = 60 * 60_000

export const writeRound = (bound: Bound, { state, asked, task }: Round, now: number): string =>
  JSON.stringify([...boundTo(bound), now + MAX_ROUND_MS, state, [...asked], task])

/** null: of another call, or too old. Read only once its seal was found whole. */
export function readRound(text: string, bound: Bound, now: number): Round | null {
  const read = readJson(text)
  if (!read.ok || !Array.isArray(read.value)) return null
  const fields = read.value as readonly JsonValue[]
  const expected = boundTo(bound)
  const [until, state, asked, task] = fields.slice(expected.length)
  const isBound = expected.every((one, at) => fields[at] === one)
  if (!isBound || typeof until !== 'number' || until < now) return null
  if (typeof state !== 'string' || !Array.isArray(asked)) return null
  if (typeof task !== 'string' && task !== null) return null
  const pairs = (asked as readonly JsonValue[]).flatMap((pair) => {
    const [key, method] = Array.isArray(pair) ? (pair as readonly JsonValue[]) : []
    return typeof key === 'string' && isServerRequest(method) ? [[key, method] as const] : []
  })
  return { state, asked: new Map(pairs), task }
}

const boundTo = ({
  actorKey,
  server,
  method,
  entry,
  argumentsDigest,
}: Bound): readonly string[] => [actorKey, server, method, entry, argumentsDigest]

/** One thing that a client says to what it was asked for. */
export interface Input {
  readonly key: string
  readonly method: ServerRequestMethod
  readonly answer: JsonObject
}

/**
 * What was asked for is known by its key; without a state only by the shape of the answer, and then an
 * answer is of every kind that it could be. null: one of them is no answer at all. Keys that nobody asked
 * for are left out (basic/patterns/mrtr).
 */
export function readInputs(
  responses: JsonObject,
  asked: ReadonlyMap<string, ServerRequestMethod> | null,
): readonly Input[] | null {
  const inputs: Input[] = []
  for (const [key, answer] of Object.entries(responses)) {
    if (asked !== null && !asked.has(key)) continue
    if (!isJsonObject(answer)) return null
    const kind = asked?.get(key)
    const kinds = kind === undefined ? answerKinds(answer) : [kind]
    for (const method of kinds) inputs.push({ key, method, answer })
  }
  return inputs
}

/** The message as the server gets it: its own state again, and only the answers that it asked for. */
export function asResumed(
  message: JsonObject,
  state: string | null,
  inputs: readonly Input[],
): JsonObject {
  const params = isJsonObject(message['params']) ? message['params'] : {}
  const rest = Object.entries(params).filter(
    ([name]) => name !== 'requestState' && name !== 'inputResponses',
  )
  const responses = inputs.map(({ key, answer }) => [key, answer] as const)
  return {
    ...message,
    params: {
      ...Object.fromEntries(rest),
      ...('inputResponses' in params ? { inputResponses: Object.fromEntries(responses) } : {}),
      ...(state === null ? {} : { requestState: state }),
    },
  }
}
