import type { TokenRequest } from '../../issuer-client.ts'
import { callTool, type Outcome, type ToolCall } from '../../mcp-client.ts'
import { messageOf } from '../../problem.ts'
import type { Database, Row } from '../../sql-client.ts'
import type { Stack } from '../../stack.ts'
import { styled } from '../style.ts'

export interface Step {
  readonly title: string
  run(tour: Tour): Promise<void>
}

export interface Expected {
  readonly decision: 'allow' | 'deny'
  /** The code of the refusal. */
  readonly reason?: string
}

export const ALLOW: Expected = { decision: 'allow' }
export const deny = (reason: string): Expected => ({ decision: 'deny', reason })

/** A call to `demo` unless another server is named. */
export type TourCall = Omit<ToolCall, 'endpoint'> & { readonly server?: string }

/** What a step acts through. It prints each thing that is done and remembers whether all behaved. */
export class Tour {
  readonly stack: Stack
  #checks = 0
  #failures = 0

  constructor(stack: Stack) {
    this.stack = stack
  }

  get behaved(): boolean {
    return this.#failures === 0 && this.#checks > 0
  }

  announce(number: number, title: string): void {
    console.log(`\n${styled('bold', `${String(number).padStart(2)}  ${title}`)}`)
  }

  token(request: TokenRequest): Promise<string> {
    return this.stack.token(request)
  }

  call({ server = 'demo', ...call }: TourCall): Promise<Outcome> {
    return callTool({ ...call, endpoint: `${this.stack.sallyport}/${server}/mcp` })
  }

  async expect(what: string, expected: Expected, call: TourCall): Promise<Outcome> {
    const outcome = await this.call(call)
    const as =
      outcome.decision === expected.decision &&
      (expected.reason === undefined || outcome.reason === expected.reason)
    this.check(what, as, `${outcome.decision} ${outcome.reason}`, describe(expected))
    return outcome
  }

  /** A committed change, shown as it was typed. */
  async sql(text: string, database: Database = 'policy'): Promise<Row[]> {
    const rows = await this.stack.query(text, database)
    console.log(`    ${styled('cyan', 'sql')} ${styled('dim', oneLine(text))}`)
    return rows
  }

  check(what: string, as: boolean, seen: string, expected: string): void {
    this.#checks++
    if (!as) this.#failures++
    const mark = as ? styled('green', '✓') : styled('red', '✗')
    const instead = as ? '' : styled('red', `  expected ${expected}`)
    console.log(`    ${mark} ${what.padEnd(WIDTH)} ${seen.trim()}${instead}`)
  }

  fail(error: unknown): void {
    this.check('the step could not be finished', false, messageOf(error), 'no error')
  }

  verdict(): string {
    return this.behaved
      ? styled('green', `all ${this.#checks} behaved`)
      : styled('red', `${this.#failures} of ${this.#checks} did not behave`)
  }
}

const WIDTH = 56

const describe = (expected: Expected): string =>
  [expected.decision, expected.reason].filter((word) => word !== undefined).join(' ')

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
