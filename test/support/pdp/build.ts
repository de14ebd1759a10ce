import { readJson } from '../../../src/mcp/json.ts'
import type { JsonObject } from '../../../src/mcp/value.ts'
import type { EvaluationRequest, Facts, ToolFacts } from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'

/** Alice of acme, through acme-agent, calling `search` on `crm`; each test says what differs. */

export const NOW = 1_800_000_000_000

export const policy = (row: Partial<PolicyRow> & Pick<PolicyRow, 'id'>): PolicyRow => ({
  effect: 'allow',
  role: null,
  client: null,
  agent: null,
  server: null,
  tool: null,
  access: null,
  label: null,
  condition: null,
  ...row,
})

export interface Caller {
  readonly subject?: string
  readonly client?: string
  readonly agent?: string | null
  readonly scopes?: readonly string[]
}

export function request(
  caller: Caller = {},
  args: unknown = {},
  tool = 'search',
): EvaluationRequest {
  const { subject = 'alice', client = 'acme-agent', agent = null, scopes = [] } = caller
  return {
    subject: {
      type: subject === client ? 'workload' : 'user',
      id: subject,
      properties: {
        tenant: 'acme',
        issuer: 'https://issuer.example',
        client,
        agent,
        actorChain: agent === null ? [] : [agent],
        tokenId: 'token-1',
        scopes,
      },
    },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: tool, properties: { server: 'crm' } },
    context: { arguments: args === null ? null : asArguments(args), now: NOW },
  }
}

export const tool = (facts: Partial<ToolFacts> = {}): ToolFacts => ({
  name: 'search',
  row: 'search',
  access: 'read',
  labels: [],
  requiredScopes: [],
  ...facts,
})

export const facts = (given: Partial<Facts> = {}): Facts => ({
  revision: '1:00',
  tenantActive: true,
  callsPerMinute: 6000,
  server: { name: 'crm', active: true, internal: true, requiredScopes: [] },
  clientActive: true,
  agentActive: null,
  subjectRoles: [],
  agentRoles: [],
  revocations: [],
  tool: tool(),
  ...given,
})

export const roles = (...names: string[]) => names.map((role) => ({ role, expiresAt: null }))

/** As the strict reader would have read them from the wire. */
function asArguments(value: unknown): JsonObject {
  const read = readJson(JSON.stringify(value))
  if (!read.ok) throw new Error(read.error.detail)
  return read.value as JsonObject
}
