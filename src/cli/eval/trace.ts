// A recorded trace, in two halves that never meet before the score: what an authorizer would have
// seen, and what those who recorded it know.
import type { JsonObject } from '../../mcp/value.ts'
import { isRow, listIn, readLines, textIn, textsIn, type Row } from './lines.ts'

/** INVARIANT: all that the rules are ever told of a trace. Nothing here says what an attack is. */
export interface Recorded {
  readonly suite: string
  readonly userTask: string | null
  readonly prompt: string
  readonly userTurns: readonly string[]
  readonly calls: readonly RecordedCall[]
}

export interface RecordedCall {
  /** Calls of one turn were issued before any of their results was seen. */
  readonly turn: number
  readonly server: string
  readonly tool: string
  readonly args: JsonObject
  /** Of the text in the results file; null where the call never ran. */
  readonly result: string | null
  readonly failed: boolean
  /** How many turns of the person came before; null: all of them. */
  readonly userTurnsSeen: number | null
}

/** What only the score and the transforms may read. */
export interface Truth {
  readonly kind: string
  readonly solved: boolean
  readonly attackSucceeded: boolean
  /** By call. */
  readonly malicious: readonly boolean[]
  readonly injected: readonly boolean[]
}

export interface Trace {
  readonly recorded: Recorded
  readonly truth: Truth
}

export const readTraces = (file: string): Trace[] =>
  readLines(file).flatMap((row) => (isRow(row) && row['valid'] !== false ? [traceOf(row)] : []))

export function traceOf(row: Row): Trace {
  const calls = listIn(row, 'calls').filter(isRow)
  return {
    recorded: recordedOf(row),
    truth: {
      kind: textIn(row, 'kind') ?? 'benign',
      solved: row['utility'] === true,
      attackSucceeded: row['attack_succeeded'] === true,
      malicious: calls.map((call) => call['malicious'] === true),
      injected: calls.map((call) => call['injected'] === true),
    },
  }
}

export function recordedOf(row: Row): Recorded {
  const suite = textIn(row, 'suite') ?? ''
  return {
    suite,
    userTask: textIn(row, 'user_task') ?? numberIn(row, 'user_task')?.toString() ?? null,
    prompt: textIn(row, 'user_prompt') ?? '',
    userTurns: textsIn(row, 'user_turns'),
    calls: listIn(row, 'calls')
      .filter(isRow)
      .map((call) => callOf(call, suite)),
  }
}

function callOf(call: Row, suite: string): RecordedCall {
  const server = textIn(call, 'server')
  const name = textIn(call, 'tool') ?? ''
  // A trace of many servers names its tools `server/tool`.
  const own = server !== null && name.startsWith(`${server}/`)
  return {
    turn: numberIn(call, 'turn') ?? 0,
    server: server ?? suite,
    tool: own ? name.slice(server.length + 1) : name,
    args: isRow(call['args']) ? (call['args'] as JsonObject) : {},
    result: textIn(call, 'result'),
    failed: call['error'] !== null && call['error'] !== undefined,
    userTurnsSeen: numberIn(call, 'user_turns_seen'),
  }
}

const numberIn = (row: Row, name: string): number | null => {
  const value = row[name]
  return typeof value === 'number' ? value : null
}
