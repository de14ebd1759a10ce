import { canonicalDefinition } from '../../../src/mcp/definition.ts'
import { readJson } from '../../../src/mcp/json.ts'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'
import { sha256 } from '../../../src/sha256.ts'
import { behaviour, sql } from './world.ts'

/** How an upstream of a test answers. What is not said is answered with nothing but success. */
export interface Script {
  /** A legacy server knows `initialize` and no `server/discover`. */
  readonly era?: 'modern' | 'legacy'
  /** `from` is who asks: Sallyport for itself sends along no header of a client's listing. */
  readonly tools?: (from: 'sallyport' | 'client') => readonly unknown[]
  /** The result of a tool call. */
  readonly result?: (params: Record<string, unknown>) => unknown
}

interface Asked {
  readonly id?: number
  readonly method: string
  readonly params?: Record<string, unknown> & { _meta?: Record<string, { name?: string }> }
}

const SUCCESS = { content: [] }
const NO_SUCH_METHOD = { code: -32601, message: 'no such method' }

export function serve(script: Script): void {
  const legacy = script.era === 'legacy'
  let introduced: 'sallyport' | 'client' = 'client'
  behaviour.upstream = async (request) => {
    const { id, method, params = {} } = JSON.parse(await request.text()) as Asked
    if (id === undefined) return new Response(null, { status: 202 })
    const answer = (result: unknown) => Response.json({ jsonrpc: '2.0', id, result })
    const { name } = (params['clientInfo'] ??
      params._meta?.['io.modelcontextprotocol/clientInfo'] ??
      {}) as { name?: string }
    const own = name === 'sallyport'
    switch (method) {
      case 'server/discover':
        return legacy
          ? Response.json({ jsonrpc: '2.0', id, error: NO_SUCH_METHOD })
          : answer({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } })
      case 'initialize':
        // A legacy listing has no name of its own: it belongs to the handshake before it.
        introduced = own ? 'sallyport' : 'client'
        return answer({ protocolVersion: '2025-11-25', capabilities: { tools: {} } })
      case 'tools/list': {
        const from = own ? 'sallyport' : legacy ? introduced : 'client'
        introduced = 'client'
        return answer({ tools: script.tools?.(from) ?? [] })
      }
      default:
        return answer(script.result?.(params) ?? SUCCESS)
    }
  }
}

/** The answer to every message is this body; `ID` in it stands for the id of the request. */
export function sends(body: string, type = 'application/json', status = 200): void {
  behaviour.upstream = async (request) => {
    const { id } = JSON.parse(await request.text()) as { id: number }
    return new Response(body.replaceAll('"ID"', JSON.stringify(id)), {
      status,
      headers: { 'content-type': type },
    })
  }
}

export const event = (message: unknown): string => `data: ${JSON.stringify(message)}\n\n`

export const answerOf = (result: unknown) => ({ jsonrpc: '2.0', id: 'ID', result })

/** A result whose text is JSON, as most servers send it. */
export const asText = (value: unknown) => ({
  content: [{ type: 'text', text: JSON.stringify(value) }],
})

const secondsAgo = (seconds: number) =>
  `(CAST(unixepoch('subsec') * 1000 AS INTEGER) - ${seconds * 1000})`

/** Somebody listed this tool of `crm` as it is pinned, so long ago; the pin is older than that. */
export const seenAsPinned = (tool: string, hash: string, seconds = 0): Promise<void> =>
  sql(
    `UPDATE tools SET pinned_at = min(pinned_at, ${secondsAgo(seconds + 1)})
     WHERE tenant = 'acme' AND server = 'crm' AND name = '${tool}'`,
    `INSERT INTO tool_sightings (tenant, server, tool, definition_hash, matched_at)
     VALUES ('acme', 'crm', '${tool}', '${hash}', ${secondsAgo(seconds)})
     ON CONFLICT DO UPDATE SET matched_at = excluded.matched_at`,
  )

/** A tool of `crm` as it was seen by a person. */
export async function pin(definition: { readonly name: string }): Promise<string> {
  const text = JSON.stringify(definition)
  const read = readJson(text)
  if (!read.ok || !isJsonObject(read.value)) throw new Error('no definition')
  const tool: JsonObject = read.value
  const hash = await sha256(canonicalDefinition(tool))
  await sql(
    `UPDATE tools SET definition_hash = '${hash}', definition = '${text.replaceAll("'", "''")}'
     WHERE tenant = 'acme' AND server = 'crm' AND name = '${definition.name}'`,
  )
  return hash
}
