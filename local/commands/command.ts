import { LocalProblem, messageOf } from '../problem.ts'

/** Runs a command: what the person can put right is one message, what nobody expected has its stack. */
export async function command(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    const plain = error instanceof LocalProblem || isUsageProblem(error)
    console.error(plain || !(error instanceof Error) ? messageOf(error) : error)
    process.exitCode = 1
  }
}

/** `parseArgs` names the option that it does not know. */
const isUsageProblem = (error: unknown): boolean =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
