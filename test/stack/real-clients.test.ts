import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspect as inspectAt } from '../support/node/inspector.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
}, 60_000)
afterAll(() => stack.stop())

const EXPORT = { format: 'csv', destination: 'reports' }

const MODES = {
  legacy: { negotiation: 'legacy', era: 'legacy' },
  auto: { negotiation: 'auto', era: 'modern' },
  'pinned to 2026-07-28': { negotiation: { pin: '2026-07-28' }, era: 'modern' },
} as const

describe.each(Object.entries(MODES))('the SDK client, %s', { timeout: 20_000 }, (_, mode) => {
  let client: Client

  beforeAll(async () => {
    const token = await stack.token({ sub: 'bob', client: 'acme-agent' })
    client = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: mode.negotiation } },
    )
    await client.connect(
      new StreamableHTTPClientTransport(stack.endpoint(), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      }),
    )
  })
  afterAll(() => client.close())

  it('speaks its era through Sallyport', () => {
    expect(client.getProtocolEra()).toBe(mode.era)
  })

  it('lists what bob could be allowed, and nothing else', async () => {
    const names = (await client.listTools()).tools.map((tool) => tool.name)
    expect(names).toContain('echo')
    // Its policy depends on arguments, so it could be allowed.
    expect(names).toContain('update_customer')
    expect(names).not.toContain('export_customers')
    expect(names).not.toContain('delete_customer')
  })

  it('gets the answer of an allowed call', async () => {
    const result = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'hello' }] })
    expect(result.isError ?? false).toBe(false)
  })

  it('gets progress while an allowed call runs', async () => {
    const seen: number[] = []
    await client.callTool(
      { name: 'slow_count', arguments: { upTo: 3, delayMs: 10 } },
      { onprogress: ({ progress }) => seen.push(progress) },
    )
    expect(seen.length).toBeGreaterThan(0)
  })

  it('is told of a denial as a tool result with a stable code', async () => {
    const result = await client.callTool({ name: 'export_customers', arguments: EXPORT })
    expect(result).toMatchObject({
      isError: true,
      _meta: { 'sallyport/refusal': { code: 'not_allowed', retryable: false } },
    })
  })
})

/** Support closes no deals: allowed or not is seen in the arguments only. */
const CLOSE = ['id=C-1001', 'fields={"stage":"closed"}']
const toolArgument = (text: string): string[] => ['--tool-arg', text]

const INSPECTOR_ERAS = ['legacy', 'auto', 'modern'] as const

describe.each(INSPECTOR_ERAS)('the Inspector, %s', { timeout: 60_000 }, (era) => {
  const inspect = async (...method: string[]) =>
    inspectAt(
      stack.endpoint(),
      await stack.token({ sub: 'bob', client: 'inspector' }),
      era,
      ...method,
    )

  it('lists, calls, and shows a denial', async () => {
    const [listed, called, denied] = await Promise.all([
      inspect('tools/list'),
      inspect('tools/call', '--tool-name', 'echo', '--tool-arg', 'text=hello'),
      // A listed tool: one that is not listed the Inspector refuses by itself.
      inspect('tools/call', '--tool-name', 'update_customer', ...CLOSE.flatMap(toolArgument)),
    ])
    expect(listed.stdout, listed.stderr).toContain('"echo"')
    expect(listed.stdout).not.toContain('export_customers')
    expect(called.stdout, called.stderr).toContain('hello')
    expect(denied.stdout, denied.stderr).toContain('"code":"not_allowed"')
    expect(denied.code).not.toBe(0)
  })
})
