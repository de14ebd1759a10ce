import {
  StreamableHTTPClientTransport,
  type AuthProvider,
  type Client,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ERAS, newClient, recordingFetch, verdictOf } from '../support/node/client.ts'
import { answerPage, PersonsClient } from '../support/node/person.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { StepUp } from '../support/node/step-up.ts'

let stack: TestStack
const open: Client[] = []

beforeAll(async () => {
  stack = await startTestStack()
  // Reading is for everybody who is logged in; what changes something needs a second factor, lately.
  await stack.query(
    "UPDATE policies SET require_acr = 'mfa', max_auth_age_s = 300 WHERE id = 'sales-may-write'",
  )
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()))
})
afterAll(() => stack.stop())

const UPDATE = { name: 'update_customer', arguments: { id: 'C-1001', fields: { stage: 'won' } } }
const ECHO = { name: 'echo', arguments: { text: 'hello' } }
/** She grants reading and writing at once: this is about the login and not about scopes. */
const asAlice = (page: URL) => {
  const wide = new URL(page)
  wide.searchParams.set('scope', 'demo:use demo:write')
  return answerPage(wide, 'alice')
}
/** A legacy client opens a GET stream when it likes, and discovery is another matter. */
const isPost = (exchange: string): boolean => exchange.includes(' POST ')
const loginSaid = (person: PersonsClient) =>
  decodeJwt<{ acr?: string; auth_time?: number; scope?: string }>(person.stored?.access_token ?? '')

describe.each(Object.entries(ERAS))('the SDK client, %s', { timeout: 20_000 }, (_, mode) => {
  const connected = async (authProvider: AuthProvider | OAuthClientProvider) => {
    const client = newClient(mode.negotiation)
    open.push(client)
    const { fetch, exchanges } = recordingFetch()
    await client.connect(
      new StreamableHTTPClientTransport(stack.endpoint(), { authProvider, fetch }),
    )
    exchanges.length = 0
    return { client, exchanges }
  }

  it('steps up to the login that the challenge names, and repeats the call by itself', async () => {
    const person = new PersonsClient({ id: 'inspector', issuer: stack.issuer })
    const stepUp = new StepUp(person, asAlice)
    const { client, exchanges } = await connected(stepUp)
    expect(verdictOf(await client.callTool(ECHO))).toBe('allowed')
    expect(loginSaid(person).acr).toBe('pwd')
    exchanges.length = 0

    expect(verdictOf(await client.callTool(UPDATE))).toBe('allowed')
    expect(stepUp.logins).toHaveLength(2)
    const asked = Object.fromEntries(stepUp.logins[1] ?? [])
    // Everything that the call needs is asked for at once: login, age and scopes.
    expect(asked).toMatchObject({
      acr_values: 'mfa',
      max_age: '300',
      scope: 'demo:use demo:write',
      resource: stack.endpoint().href,
    })
    expect(exchanges.filter(isPost)).toEqual([
      '401 POST /demo/mcp',
      '200 POST /token',
      '200 POST /demo/mcp',
    ])
    const { acr, auth_time: authTime } = loginSaid(person)
    expect([acr, authTime]).toEqual(['mfa', expect.closeTo(Date.now() / 1000, -2)])
    // And the same token does for the next call.
    expect(verdictOf(await client.callTool(UPDATE))).toBe('allowed')
    expect(stepUp.logins).toHaveLength(2)
  })

  it('without that hook only refreshes its token, and is told no once more', async () => {
    const person = new PersonsClient({ id: 'inspector', issuer: stack.issuer })
    await connected(new StepUp(person, asAlice))
    const { client, exchanges } = await connected(person)
    await expect(client.callTool(UPDATE)).rejects.toThrow('401 after re-authentication')
    expect(exchanges.filter(isPost)).toEqual([
      '401 POST /demo/mcp',
      '200 POST /token',
      '401 POST /demo/mcp',
    ])
    expect(loginSaid(person).acr).toBe('pwd')
  })
})
