import { FastMCP } from 'fastmcp'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { startFixture } from '../../../local/conformance/fixture/start.ts'
import { freePorts } from '../../../local/ports.ts'
import { PROJECT } from '../../../local/state.ts'

interface Call {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

/** An MCP server as its makers ship it, and what to try on it. */
export interface Upstream {
  readonly url: string
  /** Speaks 2026-07-28 as well. */
  readonly modern: boolean
  readonly tool: Call
  /** What the answer of that tool contains. */
  readonly says: string
  readonly progress: Call
  readonly resource?: string
  readonly prompt?: { readonly name: string; readonly arguments: Record<string, string> }
  /** Tools that ask the client in the middle of their work, and what they make of its answer. */
  readonly asks: Readonly<Record<'legacy' | 'modern', readonly (readonly [Call, string])[]>>
  stop(): Promise<void>
}

const NO_QUESTIONS = { legacy: [], modern: [] }

/** The demo server of the stack: SDK v2 in workerd, both eras, no resources and no prompts. */
export const demoServer = (origin: string): Upstream => ({
  url: `${origin}/mcp`,
  modern: true,
  tool: { name: 'echo', arguments: { text: 'hello' } },
  says: 'hello',
  progress: { name: 'slow_count', arguments: { upTo: 3, delayMs: 10 } },
  asks: NO_QUESTIONS,
  stop: () => Promise.resolve(),
})

/** The reference server of the protocol's own repository: SDK 1.x, with sessions. */
export async function startEverything(): Promise<Upstream> {
  const { server: port } = await freePorts()
  const child = spawn(
    process.execPath,
    [
      join(PROJECT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'),
      'streamableHttp',
    ],
    { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}/mcp`
  await untilListening(url)
  return {
    url,
    modern: false,
    tool: { name: 'echo', arguments: { message: 'hello' } },
    says: 'hello',
    progress: {
      name: 'trigger-long-running-operation',
      arguments: { duration: 0.2, steps: 2 },
    },
    resource: 'demo://resource/static/document/features.md',
    prompt: { name: 'args-prompt', arguments: { city: 'Oslo' } },
    asks: {
      modern: [],
      legacy: [
        [{ name: 'trigger-elicitation-request', arguments: {} }, 'Ada'],
        [{ name: 'trigger-sampling-request', arguments: { prompt: 'hello' } }, 'says the model'],
      ],
    },
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

const silence = (): void => undefined
const SILENT = { debug: silence, error: silence, info: silence, log: silence, warn: silence }

/** A framework on SDK 1.x with a transport of its own. */
export async function startFastMcp(): Promise<Upstream> {
  const { server: port } = await freePorts()
  const server = new FastMCP({ name: 'fast', version: '1.0.0', logger: SILENT })
  server.addTool({
    name: 'add',
    description: 'Adds two numbers.',
    parameters: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => `The sum is ${a + b}.`,
  })
  server.addTool({
    name: 'count',
    description: 'Counts to two.',
    execute: async (_, { reportProgress }) => {
      await reportProgress({ progress: 1, total: 2 })
      await pause(20)
      await reportProgress({ progress: 2, total: 2 })
      return 'Counted.'
    },
  })
  server.addResource({
    uri: 'note://one',
    name: 'A note',
    mimeType: 'text/plain',
    load: async () => ({ text: 'Buy milk.' }),
  })
  server.addPrompt({
    name: 'greet',
    description: 'A greeting.',
    arguments: [{ name: 'who', required: true }],
    load: async ({ who }) => `Say hello to ${who}.`,
  })
  await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1' } })
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    modern: false,
    tool: { name: 'add', arguments: { a: 5, b: 3 } },
    says: 'The sum is 8.',
    progress: { name: 'count', arguments: {} },
    resource: 'note://one',
    prompt: { name: 'greet', arguments: { who: 'Ada' } },
    asks: NO_QUESTIONS,
    stop: () => server.stop(),
  }
}

/** The reference server of `npm run conformance`: SDK v2, both eras. */
export async function startReference(): Promise<Upstream> {
  const fixture = await startFixture()
  return {
    url: `http://127.0.0.1:${fixture.port}/mcp`,
    modern: true,
    tool: { name: 'test_simple_text', arguments: {} },
    says: 'simple text response',
    progress: { name: 'test_tool_with_progress', arguments: {} },
    resource: 'test://static-text',
    prompt: { name: 'test_prompt_with_arguments', arguments: { arg1: 'one', arg2: 'two' } },
    asks: {
      legacy: [
        [{ name: 'test_elicitation', arguments: { message: 'Who are you?' } }, 'ada@example.com'],
        [{ name: 'test_sampling', arguments: { prompt: 'hello' } }, 'says the model'],
      ],
      // A question is an answer that asks for more (basic/patterns/mrtr).
      modern: [
        [{ name: 'test_input_required_result_elicitation', arguments: {} }, 'Hello, Ada!'],
        [{ name: 'test_input_required_result_sampling', arguments: {} }, 'says the model'],
      ],
    },
    stop: () => fixture.stop(),
  }
}

async function untilListening(url: string, withinMs = 15_000): Promise<void> {
  const until = Date.now() + withinMs
  for (;;) {
    const answer = await fetch(url, { method: 'OPTIONS' }).catch(() => null)
    await answer?.body?.cancel()
    if (answer !== null) return
    if (Date.now() > until) throw new Error(`nothing listens at ${url}`)
    await pause(50)
  }
}
