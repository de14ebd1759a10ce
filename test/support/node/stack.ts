import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, IPV4_LOOPBACK, type StackPorts } from '../../../local/ports.ts'
import { startStack, untilHealthy, type Stack, type StackOptions } from '../../../local/stack.ts'
import { tapOf, tokensFor, type Tap } from './tap.ts'

export interface TestStack extends Stack {
  readonly state: string
  readonly ports: StackPorts
  /** The MCP endpoint of a server behind Sallyport. */
  endpoint(server?: string): URL
  /** The way to another server, on which it is noticed if a client's token goes along. */
  tap(url: string): Promise<string>
  /** Tokens of clients that reached a server since this was asked last. None may be left at the end. */
  leaks(): Promise<readonly string[]>
}

type Options = Pick<StackOptions, 'log' | 'script' | 'allowedOrigins'>

/** A whole stack on free ports with state of its own; `stop` leaves neither process nor file. */
export async function startTestStack(options: Options = {}): Promise<TestStack> {
  const state = await temporaryState()
  const ports = await freePorts()
  const stack = await startStack({ ...options, ports, state, fresh: true })
  const taps: Tap[] = []
  /** What `/mint` gave; a token from elsewhere is known by whom it is for. */
  const minted: string[] = []
  const origins = [stack.sallyport, stack.sallyport.replace('localhost', IPV4_LOOPBACK)]
  const leaks = async (): Promise<readonly string[]> => {
    const atDemo = await fetch(new URL('/_demo/foreign', stack.server), { method: 'POST' })
    const sent = taps.flatMap((tap) => tap.sent())
    return [
      ...((await atDemo.json()) as string[]),
      ...sent.flatMap((text) => tokensFor(origins, text)),
      ...minted.filter((token) => sent.some((text) => text.includes(token))),
    ]
  }
  const end = async (): Promise<void> => {
    await Promise.all([stack.stop(), ...taps.map((tap) => tap.stop())])
    await rm(state, { recursive: true, force: true })
  }
  const test: TestStack = {
    ...stack,
    state,
    ports,
    endpoint: (server = 'demo') => new URL(`/${server}/mcp`, stack.sallyport),
    token: async (request) => {
      const token = await stack.token(request)
      minted.push(token)
      return token
    },
    tap: async (url) => {
      const tap = await tapOf(url)
      taps.push(tap)
      return tap.url
    },
    leaks,
    stop: async () => {
      const found = await leaks().finally(end)
      if (found.length > 0) throw new Error(`tokens of clients reached servers: ${found.join(' ')}`)
    },
  }
  try {
    await untilHealthy(test)
    return test
  } catch (error) {
    await end()
    throw error
  }
}

export const temporaryState = (): Promise<string> => mkdtemp(join(tmpdir(), 'sallyport-test-'))
