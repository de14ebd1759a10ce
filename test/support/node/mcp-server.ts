import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

/** An MCP server that Sallyport has never heard of, on Node's own HTTP server. */
export interface NewServer {
  readonly url: string
  /** How many requests have arrived. */
  readonly requests: () => number
  stop(): Promise<void>
}

export async function startNewServer(): Promise<NewServer> {
  const { fetch, close } = createMcpHandler(weatherServer, { legacy: 'stateless' })
  let requests = 0
  const server = createServer((incoming, outgoing) => {
    requests += 1
    const answered = async (): Promise<void> => {
      const answer = await fetch(await webRequest(incoming))
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
      for await (const chunk of answer.body ?? []) outgoing.write(chunk)
      outgoing.end()
    }
    answered().catch((error: unknown) => outgoing.destroy(error as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    requests: () => requests,
    stop: async () => {
      await close()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function weatherServer(): McpServer {
  const server = new McpServer({ name: 'weather', version: '1.0.0' })
  server.registerTool(
    'forecast',
    { description: 'The weather of tomorrow.', inputSchema: z.object({ place: z.string() }) },
    ({ place }) => ({ content: [{ type: 'text', text: `Sun in ${place}` }] }),
  )
  return server
}

async function webRequest(incoming: IncomingMessage): Promise<Request> {
  const pieces: Uint8Array[] = []
  for await (const piece of incoming) pieces.push(piece as Uint8Array)
  return new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method ?? 'GET',
    headers: incoming.headers as Record<string, string>,
    body: pieces.length === 0 ? null : Buffer.concat(pieces),
  })
}
