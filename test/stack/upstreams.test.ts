import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newerClient, olderClient, throughMcpRemote, type Caller } from '../support/node/callers.ts'
import { ERAS } from '../support/node/client.ts'
import { inspect } from '../support/node/inspector.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import {
  demoServer,
  startEverything,
  startFastMcp,
  startReference,
  type Upstream,
} from '../support/node/upstreams.ts'
import { quote } from '../../local/sql-client.ts'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

const UPSTREAMS = {
  'SDK v2 in workerd': { server: 'workerd', start: async () => demoServer(stack.server) },
  'server-everything': { server: 'everything', start: startEverything },
  fastmcp: { server: 'fastmcp', start: startFastMcp },
  'the reference of the conformance run': { server: 'reference', start: startReference },
} as const

type Era = 'legacy' | 'modern'

/** Clients, and the era in which each speaks with a server that knows both, or the legacy one only. */
const CALLERS = {
  'SDK 1.x': { connect: olderClient, withBoth: 'legacy' },
  'SDK v2, legacy': {
    connect: (endpoint: URL, token: string) => newerClient(endpoint, token, 'legacy'),
    withBoth: 'legacy',
  },
  'SDK v2, auto': {
    connect: (endpoint: URL, token: string) => newerClient(endpoint, token, 'auto'),
    withBoth: 'modern',
  },
  'mcp-remote': { connect: throughMcpRemote, withBoth: 'legacy' },
} as const

describe.each(Object.entries(UPSTREAMS))('%s', { timeout: 30_000 }, (_, { server, start }) => {
  let upstream: Upstream
  beforeAll(async () => {
    upstream = await start()
    const url = await stack.tap(upstream.url)
    await stack.query(`
      INSERT INTO servers (name, tenant, url) VALUES ('${server}', 'acme', ${quote(url)});
      INSERT INTO tools (tenant, server, name, access) VALUES ('acme', '${server}', '*', 'read');
      INSERT INTO policies (tenant, id, effect, agent, server)
        VALUES ('acme', '${server}-for-all', 'allow', '*', '${server}')`)
  })
  afterAll(() => upstream.stop())

  const token = () => stack.token({ sub: 'alice', client: 'acme-agent', server })

  it.each(Object.entries(CALLERS))('with %s', async (_name, { connect, withBoth }) => {
    const caller = await connect(stack.endpoint(server), await token())
    try {
      expect(await tryOut(caller, upstream, upstream.modern ? withBoth : 'legacy')).toEqual([])
    } finally {
      await caller.close()
    }
  })

  it('with SDK v2, pinned to 2026-07-28', async () => {
    const { negotiation } = ERAS['modern, pinned']
    const missed = await newerClient(stack.endpoint(server), await token(), negotiation).then(
      async (caller) => {
        const tried = await tryOut(caller, upstream, 'modern')
        await caller.close()
        return tried
      },
      () => 'no connection',
    )
    // A legacy server refuses it by itself.
    expect(missed).toEqual(upstream.modern ? [] : 'no connection')
  })

  it('with the Inspector', async () => {
    const bearer = await token()
    const said = await Promise.all(
      inspections(upstream).map(async ([method, expected]) => {
        const { stdout, stderr } = await inspect(stack.endpoint(server), bearer, 'auto', ...method)
        return stdout.includes(expected) ? [] : [`${method.join(' ')}: ${stdout}${stderr}`]
      }),
    )
    expect(said.flat()).toEqual([])
  })
})

/** Does with a server what it is there for; what did not go as it should. */
async function tryOut(caller: Caller, upstream: Upstream, era: Era): Promise<string[]> {
  const missed: string[] = []
  const wants = (what: string, said: string | readonly string[], expected: string): void => {
    if (!said.includes(expected)) missed.push(`${what}: ${String(said)}`)
  }
  const { tool, says, progress, resource, prompt, asks } = upstream
  wants('tools/list', await caller.toolNames(), tool.name)
  wants('tools/call', await caller.call(tool), says)
  let steps = 0
  await caller.call(progress, () => (steps += 1))
  // The last one may come with the answer, and clients let go of it then.
  if (steps < 1) missed.push(`notifications/progress: ${steps}`)
  if (resource !== undefined) {
    wants('resources/list', await caller.resourceUris(), resource)
    wants('resources/read', await caller.read(resource), resource)
  }
  if (prompt !== undefined) {
    wants('prompts/list', await caller.promptNames(), prompt.name)
    wants('prompts/get', await caller.prompt(prompt), firstOf(prompt.arguments))
  }
  for (const [call, answer] of asks[era]) wants(call.name, await caller.call(call), answer)
  return missed
}

/** What the Inspector is asked for, and what it must print. */
function inspections({ tool, says, resource, prompt }: Upstream): [string[], string][] {
  const called = ['tools/call', '--tool-name', tool.name, ...pairs('--tool-arg', tool.arguments)]
  const asked: [string[], string][] = [
    [['tools/list'], `"${tool.name}"`],
    [called, says],
  ]
  if (resource !== undefined) asked.push([['resources/read', '--uri', resource], resource])
  if (prompt !== undefined) {
    const given = pairs('--prompt-args', prompt.arguments)
    const method = ['prompts/get', '--prompt-name', prompt.name, ...given]
    asked.push([method, firstOf(prompt.arguments)])
  }
  return asked
}

const firstOf = (values: Readonly<Record<string, string>>): string => Object.values(values)[0] ?? ''

const pairs = (option: string, values: object): string[] => {
  const given = Object.entries(values).map(([key, value]) => `${key}=${value}`)
  return given.length === 0 ? [] : [option, ...given]
}
