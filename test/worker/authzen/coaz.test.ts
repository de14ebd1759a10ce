// The mappings and examples of COAZ-MCP (draft 1), read from the shared folder and never copied.
import { beforeEach, describe, expect, it } from 'vitest'
import { isMethod } from '../../../src/mcp/methods.ts'
import { inThisWorld, ISSUER, newUser, ORIGIN, sql } from '../../support/worker/world.ts'
import { ask, askMany, register } from './ask.ts'
import { readVector } from './shared.ts'

type Json = { readonly [name: string]: Json } | string

interface Binding {
  readonly items: readonly { readonly figure: string; readonly json: Record<string, unknown> }[]
  readonly default_mappings: readonly {
    readonly method: string
    readonly also_same_shape?: readonly string[]
    readonly mapping: { readonly evaluation: Json }
  }[]
}

interface Examples {
  readonly examples: readonly { readonly section: string; readonly json: object }[]
}

const binding = await readVector<Binding>('coaz-mcp-binding')
const obligations = await readVector<Examples>('obligations-examples')
const approvals = await readVector<Examples>('access-request-examples')

/** What an enforcement point would make of a mapping: only the paths that the default ones use. */
function projected(mapping: Json, token: Record<string, string>): Json {
  if (typeof mapping !== 'string') {
    return Object.fromEntries(
      Object.entries(mapping).map(([name, value]) => [name, projected(value, token)]),
    )
  }
  // Which of two a reference is: here always the first.
  if (mapping.includes(' ? ')) return mapping.includes("? 'prompt'") ? 'prompt' : 'note'
  if (mapping.startsWith('$token.')) return token[mapping.replace(/^\$token\.\??/, '')] ?? ''
  return mapping.startsWith('$params.') ? 'note' : mapping
}

const example = (figure: string): Record<string, unknown> =>
  binding?.items.find((item) => item.figure.includes(`#${figure} `))?.json ?? {}

inThisWorld()
beforeEach(() => register())

describe.skipIf(binding === null)('the default mappings', () => {
  const methods = (binding?.default_mappings ?? []).flatMap(
    ({ method, also_same_shape: more = [], mapping }) =>
      [method, ...more].map((name) => ({ name, mapping: mapping.evaluation })),
  )

  it('are there', () => {
    expect(methods).toHaveLength(15)
  })

  it.each(methods)(
    '$name: as the front door serves it, or not at all',
    async ({ name, mapping }) => {
      const token = { sub: await newUser(), client_id: 'acme-agent', aud: `${ORIGIN}/crm/mcp` }
      const question = projected(mapping, token) as Record<string, Json>
      await sql(
        "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'resource:note', 'read', 1), ('acme', 'crm', 'prompt:*', 'read', 1)",
      )
      const reply = await ask({ ...question, action: { name } })
      expect({ decision: reply.decision, reason: reply.context.reason }).toEqual(
        isMethod(name) && !/^tasks\/(?!list)/.test(name)
          ? { decision: true, reason: undefined }
          : { decision: false, reason: 'method_unknown' },
      )
    },
  )
})

describe.skipIf(binding === null)('the worked examples', () => {
  const agent = 'http://agentprovider.com/agent-app-id'
  const owner = (type: string, id: string) =>
    `INSERT INTO resources (tenant, type, id, owner, owner_issuer) VALUES ('acme', '${type}', '${id}', 'alice@example.com', '${ISSUER}')`
  beforeEach(() =>
    sql(
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${agent}')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', 'alice@example.com', 'sales')`,
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
        ('acme', 'crm', 'get_customer', 'read', 1), ('acme', 'crm', 'read', 'read', 1), ('acme', 'crm', 'write', 'write', 1)`,
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer'), ('acme', 'storage_object')",
      `INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES
        ('acme', 'crm', 'get_customer', '/id', 'customer'),
        ('acme', 'crm', 'read', '/id', 'storage_object'), ('acme', 'crm', 'write', '/id', 'storage_object')`,
      "UPDATE policies SET condition = 'targets.all(t, t.owned)'",
    ),
  )

  it('one decision', async () => {
    const question = example('fig-authzen-single')
    expect(await ask(question)).toMatchObject({
      decision: false,
      context: { reason: 'not_allowed' },
    })
    await sql(owner('customer', 'cust-12345'))
    expect(await ask(question)).toMatchObject({ decision: true })
  })

  it('several decisions', async () => {
    const question = example('fig-authzen-multi')
    await sql(owner('storage_object', '/bucket/reports/q1.pdf'))
    const decisions = async () =>
      (await askMany(question)).evaluations.map(({ decision }) => decision)
    expect(await decisions()).toEqual([true, false])
    await sql(owner('storage_object', '/bucket/archive/q1.pdf'))
    expect(await decisions()).toEqual([true, true])
  })
})

describe.skipIf(obligations === null || approvals === null)('drafts beside it', () => {
  const questions = [...(obligations?.examples ?? []), ...(approvals?.examples ?? [])]
    .map(({ json }) => json)
    .filter((json) => 'subject' in json && 'action' in json)

  it('an approval that a question brings along grants nothing', async () => {
    expect(questions.length).toBeGreaterThan(1)
    for (const question of questions) {
      expect((await ask(question)).decision ?? false).toBe(false)
    }
  })

  it('a denial that an approval could turn has the reason of the draft', async () => {
    await sql('UPDATE policies SET require_approval = 1')
    const approval = { id: 'apr_1', approved_until: '2099-01-01T00:00:00Z', state: 'x' }
    const reply = await ask({
      subject: { type: 'user', id: await newUser(), properties: { client: 'acme-agent' } },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'note' },
      context: { arguments: {}, approval },
    })
    const draft = approvals?.examples.find(({ section }) => section.startsWith('Requestable'))
    expect(draft?.json).toMatchObject({ context: { reason: reply.context.reason } })
    expect(reply.decision).toBe(false)
  })
})
