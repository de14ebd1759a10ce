import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, type StackPorts } from '../../../local/ports.ts'
import { startStack, untilHealthy, type Stack, type StackOptions } from '../../../local/stack.ts'

export interface TestStack extends Stack {
  readonly state: string
  readonly ports: StackPorts
  /** The MCP endpoint of a server behind Sallyport. */
  endpoint(server?: string): URL
}

type Options = Pick<StackOptions, 'log' | 'script' | 'allowedOrigins'>

/** A whole stack on free ports with state of its own; `stop` leaves neither process nor file. */
export async function startTestStack(options: Options = {}): Promise<TestStack> {
  const state = await temporaryState()
  const ports = await freePorts()
  const stack = await startStack({ ...options, ports, state, fresh: true })
  const test: TestStack = {
    ...stack,
    state,
    ports,
    endpoint: (server = 'demo') => new URL(`/${server}/mcp`, stack.sallyport),
    stop: async () => {
      await stack.stop()
      await rm(state, { recursive: true, force: true })
    },
  }
  try {
    await untilHealthy(test)
    return test
  } catch (error) {
    await test.stop()
    throw error
  }
}

export const temporaryState = (): Promise<string> => mkdtemp(join(tmpdir(), 'sallyport-test-'))
