import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findProblems } from '../../../src/cli/check/checks.ts'
import { decideCall } from '../../../src/cli/call/decide.ts'
import { readTokenWords } from '../../../src/cli/call/credential.ts'
import { buildScratch } from '../../../src/cli/scratch/scratch.ts'
import { readJson } from '../../../src/mcp/json.ts'
import type { JsonObject } from '../../../src/mcp/value.ts'

const page = readFileSync('docs/identity.md', 'utf8')
const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const source = { name: 'identity.sql', text: blocks.join('\n') }

const json = (value: unknown): JsonObject => {
  const read = readJson(JSON.stringify(value))
  if (!read.ok) throw new Error(read.error.detail)
  return read.value as JsonObject
}

const DETAILS = {
  type: 'mcp_tool',
  locations: ['http://localhost:8787/crm/mcp'],
  actions: ['update_customer'],
}
const BINDINGS = [{ kind: 'dpop', thumbprint: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }]

async function asked(token: object, client = 'assistant'): Promise<string> {
  const words = readTokenWords('token', json(token))
  const { refusal } = await decideCall(buildScratch([source]).database, {
    tenant: 'corp',
    server: 'crm',
    tool: 'update_customer',
    arguments: json({ id: 'c-1' }),
    subject: 'alice',
    roles: null,
    acr: 'phr',
    loggedInSecondsAgo: 60,
    client,
    senderConstrained: words.bindings.length > 0,
    token: words,
    agent: null,
    scopes: null,
    network: { ip: null, country: null, asn: null },
    at: null,
    definition: 'pinned',
    history: [],
    result: null,
  })
  return refusal?.reason ?? 'allowed'
}

describe('docs/identity.md', () => {
  it('has rows that are in order, but for tools that a reader has yet to pin', () => {
    const codes = findProblems([source]).map(({ code }) => code)
    expect([...new Set(codes)]).toEqual(['warn_tool_without_pin'])
  })

  it('says what they come to', async () => {
    const whole = { bindings: BINDINGS, authorization_details: [DETAILS] }
    expect(await asked(whole)).toBe('allowed')
    expect(await asked({ ...whole, bindings: [] })).toBe('binding_required')
    const other = { ...DETAILS, actions: ['find_customer'] }
    expect(await asked({ ...whole, authorization_details: [other] })).toBe('outside_authorization')
    expect(await asked(whole, 'nightly-job')).toBe('client_not_delegate')
  })
})
