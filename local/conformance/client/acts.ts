import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills'

/** What a scenario of the client suite wants its client to do, once connected. */
export interface Act {
  readonly capabilities?: NonNullable<ConstructorParameters<typeof Client>[1]>['capabilities']
  /** The answer to a form; a real client has a person for that. */
  readonly answer?: Readonly<Record<string, string | number | boolean>>
  run(client: Client, context: ActContext): Promise<void>
}

export interface ActContext {
  /** Calls that the scenario itself asks for. */
  readonly toolCalls?: readonly { name: string; arguments: Record<string, unknown> }[]
}

const FORMS = { elicitation: { form: { applyDefaults: true } } }

const callAll = async (client: Client, names: readonly string[]): Promise<void> => {
  for (const name of names) await client.callTool({ name, arguments: {} })
}

const verifySkills: Act = {
  run: async (client) => {
    const skills = new SkillsClient(client)
    for (const skill of (await skills.list()).skills) {
      // What fails its verification is not loaded, and neither is the rest of it.
      const manifest = await skills.read(skill).catch(() => null)
      if (manifest !== null) await skills.read(skill, 'references/FORMS.md')
    }
  },
}

/** Every scenario but those of OAuth, by name. */
export const ACTS: Readonly<Record<string, Act>> = {
  initialize: { run: async (client) => void (await client.listTools()) },
  tools_call: {
    run: async (client) => {
      await client.listTools()
      await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } })
    },
  },
  'elicitation-sep1034-client-defaults': {
    capabilities: FORMS,
    answer: {},
    run: (client) => callAll(client, ['test_client_elicitation_defaults']),
  },
  'sse-retry': { run: (client) => callAll(client, ['test_reconnection']) },
  'request-metadata': {
    capabilities: { ...FORMS, sampling: {}, roots: {} },
    answer: {},
    run: async (client) => void (await client.listTools()),
  },
  'sep-2322-client-request-state': {
    capabilities: FORMS,
    answer: { confirmed: true },
    run: async (client) => {
      await client.listTools()
      await callAll(client, ['test_mrtr_echo_state', 'test_mrtr_unrelated', 'test_mrtr_no_state'])
      await callAll(client, ['test_mrtr_no_result_type'])
    },
  },
  'http-standard-headers': {
    run: async (client) => {
      await callAll(client, await toolNames(client))
      for (const { uri } of (await client.listResources()).resources) {
        await client.readResource({ uri })
      }
      for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
    },
  },
  'http-custom-headers': {
    run: async (client, { toolCalls = [] }) => {
      await client.listTools()
      for (const call of toolCalls) await client.callTool(call)
    },
  },
  'http-invalid-tool-headers': {
    run: async (client) => callAll(client, await toolNames(client)),
  },
  'json-schema-ref-no-deref': { run: async (client) => void (await client.listTools()) },
  'json-schema-2020-12-preservation': {
    run: async (client) => {
      const { tools } = await client.listTools()
      const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema
      await client.callTool({ name: 'json_schema_echo', arguments: { schema } })
    },
  },
  'sep-2640-client-no-prefetch': {
    run: async (client) => void (await new SkillsClient(client).list()),
  },
  'sep-2640-client-verify-digest': verifySkills,
  'sep-2640-client-verify-size': verifySkills,
  'sep-2640-client-verify-frontmatter': verifySkills,
}

const toolNames = async (client: Client): Promise<string[]> =>
  (await client.listTools()).tools.map(({ name }) => name)

/** Plays an act with the client of SDK v2, in the era of the version that the suite runs at. */
export async function play(
  act: Act,
  url: string,
  version: string,
  context: ActContext,
): Promise<void> {
  const client = new Client(
    { name: 'conformance-client', version: '1.0.0' },
    {
      capabilities: act.capabilities ?? {},
      versionNegotiation: { mode: version === '2026-07-28' ? { pin: version } : 'legacy' },
    },
  )
  if (act.answer !== undefined) {
    const content = { ...act.answer }
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content }))
  }
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  try {
    await act.run(client, context)
  } finally {
    await client.close()
  }
}
