// Pure. What a server may ask of a client, one row each, in a stream (legacy) or inside of a result
// (2026-07-28, basic/patterns/mrtr). Absent means that it is never passed on.
import { clientEntry } from '../catalogue.ts'
import { membersNamed } from '../pointer.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../value.ts'

export type ServerRequestMethod = 'sampling/createMessage' | 'elicitation/create' | 'roots/list'

export interface ServerRequestRow {
  /** Under which name the rows speak of it. */
  readonly entry: string
  /** INVARIANT: nothing is asked of a client that it did not say it can do. */
  readonly declared: (capabilities: JsonObject, params: JsonObject) => boolean
  /**
   * What an answer of a client to it looks like, where nothing but its shape tells: in any case of
   * letters, as some servers read it.
   */
  readonly answers: (result: JsonObject) => boolean
}

/** Adding a method without a row here does not compile. `ping` asks nothing, and needs none. */
export const SERVER_REQUESTS: { readonly [M in ServerRequestMethod]: ServerRequestRow } = {
  'sampling/createMessage': {
    entry: clientEntry('sampling'),
    declared: ({ sampling }) => isJsonObject(sampling),
    answers: (result) => has(result, 'role'),
  },
  'elicitation/create': {
    entry: clientEntry('elicitation'),
    // `{}` means forms only (MCP 2025-11-25, client/elicitation).
    declared: ({ elicitation }, { mode }) =>
      isJsonObject(elicitation) &&
      (mode === 'url' ? isJsonObject(elicitation['url']) : declaresForms(elicitation)),
    answers: (result) => has(result, 'action'),
  },
  'roots/list': {
    entry: clientEntry('roots'),
    declared: ({ roots }) => isJsonObject(roots),
    answers: (result) => has(result, 'roots'),
  },
}

const has = (result: JsonObject, name: string): boolean => membersNamed(result, name).length > 0

const declaresForms = (elicitation: JsonObject): boolean =>
  isJsonObject(elicitation['form']) || elicitation['url'] === undefined

export const isServerRequest = (method: JsonValue | undefined): method is ServerRequestMethod =>
  typeof method === 'string' && Object.hasOwn(SERVER_REQUESTS, method)

/** What an answer could be to, by its shape alone. INVARIANT: never nothing. */
export function answerKinds(result: JsonObject): readonly ServerRequestMethod[] {
  const all = Object.keys(SERVER_REQUESTS) as ServerRequestMethod[]
  const kinds = all.filter((method) => SERVER_REQUESTS[method].answers(result))
  return kinds.length === 0 ? all : kinds
}
