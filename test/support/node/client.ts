import {
  Client,
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client'

/** The two eras of the protocol, as a client is told to speak them. */
export const ERAS = {
  legacy: { negotiation: 'legacy', era: 'legacy' },
  'modern, pinned': { negotiation: { pin: '2026-07-28' }, era: 'modern' },
} as const satisfies Record<string, { negotiation: VersionNegotiationMode; era: string }>

export type Negotiation = (typeof ERAS)[keyof typeof ERAS]['negotiation']

export const newClient = (mode: Negotiation): Client =>
  new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })

/** An SDK client that shows one token and knows no way to another. */
export async function connect(
  endpoint: URL,
  token: string,
  mode: Negotiation = ERAS['modern, pinned'].negotiation,
): Promise<Client> {
  const client = newClient(mode)
  await client.connect(new StreamableHTTPClientTransport(endpoint, bearing(token)))
  return client
}

export const bearing = (token: string): StreamableHTTPClientTransportOptions => ({
  requestInit: { headers: { authorization: `Bearer ${token}` } },
})

/** What a program reads of a refusal; `allowed` where there was none. */
export function verdictOf(result: object): string {
  const meta = '_meta' in result ? result._meta : undefined
  const refusal = (meta as Record<string, { code: string }> | undefined)?.['sallyport/refusal']
  return refusal?.code ?? 'allowed'
}

/** One exchange, as seen on the wire: `401 POST /demo/mcp`. */
export type Exchange = `${number} ${string} ${string}`

/** A `fetch` that writes down where it went and what it got. */
export function recordingFetch(): { fetch: typeof fetch; exchanges: Exchange[] } {
  const exchanges: Exchange[] = []
  return {
    exchanges,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      exchanges.push(`${response.status} ${init?.method ?? 'GET'} ${pathname}`)
      return response
    },
  }
}
