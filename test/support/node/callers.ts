import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROJECT } from '../../../local/state.ts'
import { bearing, type Negotiation } from './client.ts'

interface Call {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

/** What a test does with a client, whichever it is. Results come as their JSON. */
export interface Caller {
  toolNames(): Promise<string[]>
  call(call: Call, onprogress?: () => void): Promise<string>
  resourceUris(): Promise<string[]>
  read(uri: string): Promise<string>
  promptNames(): Promise<string[]>
  prompt(prompt: { name: string; arguments?: Record<string, string> }): Promise<string>
  close(): Promise<void>
}

const INFO = { name: 'test', version: '1' }
const CAPABILITIES = { capabilities: { elicitation: { form: {} }, sampling: {} } }

/** What the person behind the client types into any form, and what its model says to anything. */
const TYPED = { name: 'Ada', username: 'ada', email: 'ada@example.com' }
const accepted = { action: 'accept' as const, content: TYPED }
const sampled = {
  role: 'assistant' as const,
  content: { type: 'text' as const, text: 'so says the model' },
  model: 'none',
}

/** The client of SDK v2. */
export async function newerClient(
  endpoint: URL,
  token: string,
  mode: Negotiation | 'auto',
): Promise<Caller> {
  return await connected(new StreamableHTTPClientTransport(endpoint, bearing(token)), mode)
}

/** The client of SDK 1.x, which speaks the dated revisions only. */
export async function olderClient(endpoint: URL, token: string): Promise<Caller> {
  const client = new OlderClient(INFO, CAPABILITIES)
  client.setRequestHandler(ElicitRequestSchema, () => accepted)
  client.setRequestHandler(CreateMessageRequestSchema, () => sampled)
  const transport = new OlderTransport(endpoint, {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  // Its own types do not agree under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0])
  return {
    ...common(client),
    call: async (call, onprogress) =>
      JSON.stringify(await client.callTool(call, undefined, onprogress ? { onprogress } : {})),
  }
}

/** `mcp-remote`, which makes a local server of a remote one; a client of SDK v2 speaks to that. */
export async function throughMcpRemote(endpoint: URL, token: string): Promise<Caller> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-mcp-remote-'))
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [
      join(PROJECT, 'node_modules/mcp-remote/dist/proxy.js'),
      endpoint.href,
      '--allow-http',
      '--transport',
      'http-only',
      '--header',
      `Authorization:Bearer ${token}`,
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home },
    stderr: 'ignore',
  })
  const caller = await connected(transport, 'legacy')
  return {
    ...caller,
    close: async () => {
      await caller.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}

async function connected(transport: Transport, mode: Negotiation | 'auto'): Promise<Caller> {
  const client = new Client(INFO, { ...CAPABILITIES, versionNegotiation: { mode } })
  client.setRequestHandler('elicitation/create', () => accepted)
  client.setRequestHandler('sampling/createMessage', () => sampled)
  await client.connect(transport)
  return {
    ...common(client),
    call: async (call, onprogress) =>
      JSON.stringify(await client.callTool(call, onprogress ? { onprogress } : {})),
  }
}

const common = (client: Client | OlderClient): Omit<Caller, 'call'> => ({
  toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
  resourceUris: async () => (await client.listResources()).resources.map(({ uri }) => uri),
  read: async (uri) => JSON.stringify(await client.readResource({ uri })),
  promptNames: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
  prompt: async (prompt) => JSON.stringify(await client.getPrompt(prompt)),
  close: () => client.close(),
})
