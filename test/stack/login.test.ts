import {
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type Client,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ERAS, newClient, recordingFetch, verdictOf } from '../support/node/client.ts'
import { answerPage, answerSilently, PersonsClient } from '../support/node/person.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { callTool } from '../../local/mcp-client.ts'
import { quote } from '../../local/sql-client.ts'

let stack: TestStack
const open: Client[] = []

beforeAll(async () => {
  stack = await startTestStack()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()))
})
afterAll(() => stack.stop())

/** From a refused first message to a token, as the SDK's own requests show it. */
const DISCOVERY = [
  '401 POST /demo/mcp',
  '200 GET /.well-known/oauth-protected-resource/demo/mcp',
  '200 GET /.well-known/oauth-authorization-server',
]
const UPDATE = { name: 'update_customer', arguments: { id: 'C-1001', fields: { stage: 'won' } } }
const echo = (client: Client) => client.callTool({ name: 'echo', arguments: { text: 'hello' } })
const inspector = () => new PersonsClient({ id: 'inspector', issuer: stack.issuer })
const pageOf = (provider: PersonsClient) => provider.page ?? new URL('about:blank')

/** How the SDK words it when the first message of an era is refused. */
const STRANGER = {
  legacy: 'this client may not act here',
  modern: 'the server did not offer pinned protocol version 2026-07-28',
} as const

describe.each(Object.entries(ERAS))('the SDK client, %s', { timeout: 20_000 }, (_, mode) => {
  const attempt = (authProvider: OAuthClientProvider) => {
    const client = newClient(mode.negotiation)
    open.push(client)
    const { fetch, exchanges } = recordingFetch()
    const transport = new StreamableHTTPClientTransport(stack.endpoint(), { authProvider, fetch })
    return { client, transport, exchanges, connect: () => client.connect(transport) }
  }

  /** The first transport is turned away and gets the token; the second one comes with it. */
  const logIn = async (
    provider: PersonsClient,
    answer: (page: URL) => Promise<URLSearchParams>,
  ) => {
    const first = attempt(provider)
    await expect(first.connect()).rejects.toThrow(UnauthorizedError)
    const back = await answer(pageOf(provider))
    expect(back.get('state')).toBe(provider.expectedState)
    await first.transport.finishAuth(back)
    return { first, second: attempt(provider) }
  }

  it('knows only the URL, finds the issuer, sends alice to its page and calls a tool', async () => {
    const provider = inspector()
    const { first, second } = await logIn(provider, (page) => answerPage(page, 'alice'))

    expect(first.exchanges).toEqual([...DISCOVERY, '200 POST /token'])
    const asked = pageOf(provider).searchParams
    expect(asked.get('code_challenge_method')).toBe('S256')
    expect(asked.get('resource')).toBe(stack.endpoint().href)
    // The challenge names what every call needs, and the client asks for no more than that.
    expect(asked.get('scope')).toBe('demo:use')

    await second.connect()
    expect(second.client.getProtocolEra()).toBe(mode.era)
    const { tools } = await second.client.listTools()
    expect(tools.map(({ name }) => name)).toContain('search_customers')
    expect(await echo(second.client)).toMatchObject({ content: [{ type: 'text', text: 'hello' }] })
    expect(second.exchanges.every((exchange) => exchange.endsWith('/demo/mcp'))).toBe(true)
  })

  it('needs no page where the person is signed in already', async () => {
    const { second } = await logIn(inspector(), (page) => answerSilently(page, 'bob'))
    await second.connect()
    expect(verdictOf(await echo(second.client))).toBe('allowed')
  })

  it('gets no token when the person refuses', async () => {
    const provider = inspector()
    const refused = logIn(provider, (page) => answerPage(page, 'alice', 'deny'))
    await expect(refused).rejects.toThrow('the person refused')
    expect(provider.stored).toBeUndefined()
  })

  it('asks the person once more for a scope that one tool needs', async () => {
    const provider = inspector()
    const { second } = await logIn(provider, (page) => answerPage(page, 'alice'))
    await second.connect()

    await expect(second.client.callTool(UPDATE)).rejects.toThrow(UnauthorizedError)
    expect(pageOf(provider).searchParams.get('scope')).toBe('demo:use demo:write')
    await second.transport.finishAuth(await answerPage(pageOf(provider), 'alice'))

    expect(verdictOf(await second.client.callTool(UPDATE))).toBe('allowed')
  })

  it('exchanges a lapsed token for a new one in the middle of its work', async () => {
    const provider = inspector()
    const { second } = await logIn(provider, (page) => answerPage(page, 'alice'))
    await second.connect()
    const first = provider.stored
    const lapsed = await stack.token({ sub: 'alice', client: 'inspector', lifetimeSeconds: -10 })
    if (first !== undefined) provider.stored = { ...first, access_token: lapsed }
    second.exchanges.length = 0

    expect(verdictOf(await echo(second.client))).toBe('allowed')
    // A legacy client asks for a stream beside its work, and is told that there is none.
    expect(second.exchanges.filter((one) => one !== '405 GET /demo/mcp')).toEqual([
      '401 POST /demo/mcp',
      '200 POST /token',
      '200 POST /demo/mcp',
    ])
    expect(provider.stored?.refresh_token).not.toBe(first?.refresh_token)
  })

  it('may register itself, and acts only once two rows say so', async () => {
    const provider = new PersonsClient()
    const { first, second } = await logIn(provider, (page) => answerPage(page, 'alice'))
    expect(first.exchanges).toEqual([...DISCOVERY, '201 POST /register', '200 POST /token'])
    const issuer = quote(stack.issuer)
    const id = quote(provider.id)

    // A stranger is told so at its first message already.
    await expect(second.connect()).rejects.toThrow(STRANGER[mode.era])
    const token = provider.stored?.access_token ?? ''
    const denied = await callTool({ endpoint: stack.endpoint().href, token, tool: 'echo' })
    expect(denied).toMatchObject({ decision: 'deny', reason: 'client_not_registered' })

    await stack.query(`
      INSERT INTO clients (tenant, issuer, id) VALUES ('acme', ${issuer}, ${id});
      INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
      VALUES ('acme', ${issuer}, 'client', ${id}, 'agent')`)
    const third = attempt(provider)
    await third.connect()
    expect(verdictOf(await echo(third.client))).toBe('allowed')
    expect(provider.stored?.access_token).toBe(token)

    await stack.query(`DELETE FROM clients WHERE id = ${id}`)
    expect(verdictOf(await echo(third.client))).toBe('client_not_registered')
  })

  it('for a workload: steps up by itself when one scope is not enough', async () => {
    const { client, connect, exchanges } = attempt(
      new ClientCredentialsProvider({
        clientId: 'acme-agent',
        clientSecret: 'acme-agent-demo-secret',
        expectedIssuer: stack.issuer,
      }),
    )
    await connect()
    expect(exchanges.slice(0, 4)).toEqual([...DISCOVERY, '200 POST /token'])
    expect(verdictOf(await echo(client))).toBe('allowed')
    exchanges.length = 0

    expect(verdictOf(await client.callTool(UPDATE))).toBe('allowed')
    expect(exchanges.filter((exchange) => !exchange.includes('/.well-known/'))).toEqual([
      '403 POST /demo/mcp',
      '200 POST /token',
      '200 POST /demo/mcp',
    ])
  })
})
