import { readJson } from '../../../src/mcp/json.ts'
import type { JsonObject } from '../../../src/mcp/value.ts'
import type {
  EvaluationRequest,
  Facts,
  ServerFacts,
  TaskFact,
  TaskNamed,
  ToolFacts,
} from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'
import type { ResourceRow, Sensitivity, Target } from '../../../src/pdp/resources.ts'
import type { ToolRow } from '../../../src/pdp/tools.ts'

/** Alice of acme, through acme-agent, calling `search` on `crm`; each test says what differs. */

/** Of the server that is called. */
export const RESOURCE = 'https://sallyport.example/crm/mcp'

export const NOW = 1_800_000_000_000

export const policy = (row: Partial<PolicyRow> & Pick<PolicyRow, 'id'>): PolicyRow => ({
  effect: 'allow',
  mode: 'enforce',
  role: null,
  client: null,
  agent: null,
  server: null,
  tool: null,
  access: null,
  label: null,
  environment: null,
  condition: null,
  requireAcr: null,
  requireSenderConstrained: false,
  maxAuthAgeSeconds: null,
  requireApproval: false,
  requireTask: null,
  ...row,
})

export interface Caller {
  readonly subject?: string
  readonly client?: string
  readonly agent?: string | null
  readonly scopes?: readonly string[]
  readonly acr?: string | null
  readonly authTime?: number | null
  readonly senderConstrained?: boolean
  readonly authorizationDetails?: readonly JsonObject[] | null
  readonly task?: TaskNamed
}

export function request(
  caller: Caller = {},
  args: unknown = {},
  tool = 'search',
): EvaluationRequest {
  const { subject = 'alice', client = 'acme-agent', agent = null, scopes = [] } = caller
  const { acr = null, authTime = null, senderConstrained = false } = caller
  const { authorizationDetails = null } = caller
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
        tokenSession: null,
        issuerKey: 'k1',
        bindings: [],
        scopes,
        authorizationDetails,
        acr,
        authTime,
        senderConstrained,
        ...(caller.task === undefined ? {} : { task: caller.task }),
      },
    },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: tool, properties: { server: 'crm' } },
    context: { arguments: args === null ? null : argumentsOf(args), now: NOW, network: NOWHERE },
  }
}

export const tool = (facts: Partial<ToolFacts> = {}): ToolFacts => ({
  name: 'search',
  row: 'search',
  access: 'read',
  labels: [],
  depends: null,
  environment: 'production',
  requiredScopes: [],
  pin: null,
  ...facts,
})

export const facts = (given: Partial<Facts> = {}): Facts => ({
  revision: '1:00',
  tenantActive: true,
  callsPerMinute: 6000,
  server: server(),
  clientActive: true,
  clientActsForUsers: true,
  agentActive: null,
  subjectRoles: [],
  agentRoles: [],
  revocations: [],
  tool: tool(),
  sighting: null,
  targets: [],
  unreadable: null,
  consents: [],
  tasks: [],
  transactionIsTask: false,
  issuerOpensTasks: false,
  ...given,
})

/** Open until a moment after NOW, for any tool. */
export const task = (row: Partial<TaskFact> = {}): TaskFact => ({
  id: 't-1',
  agent: null,
  purpose: '',
  tools: null,
  access: null,
  dataClasses: null,
  maxCalls: null,
  approved: false,
  expiresAt: NOW + 1,
  closedAt: null,
  revokedAt: null,
  shown: false,
  ...row,
})

export const server = (facts: Partial<ServerFacts> = {}): ServerFacts => ({
  name: 'crm',
  resources: [RESOURCE],
  active: true,
  internal: true,
  requiredScopes: [],
  consentRequired: false,
  observeUntil: null,
  ...facts,
})

/**
 * A resource that the arguments name; null for `row`: nobody has listed it. Of a row of another tenant
 * than acme nothing is known but that it is there.
 */
export const target = (row: Partial<ResourceRow> | null, sensitivity?: Sensitivity): Target => {
  const listed: ResourceRow | null =
    row === null
      ? null
      : {
          tenant: 'acme',
          id: 'a-1',
          pattern: false,
          owner: null,
          sensitivity: 'internal',
          labels: [],
          ...row,
        }
  const foreign = listed !== null && listed.tenant !== 'acme'
  const known = foreign ? null : listed
  return {
    type: 'account',
    id: listed?.id ?? 'a-1',
    from: 'arguments',
    row: known,
    sensitivity: sensitivity ?? known?.sensitivity ?? 'restricted',
    foreign,
  }
}

/** A tool's row as it is stored, for what is compiled from it. */
export const toolRow = (row: Partial<ToolRow> = {}): ToolRow => ({
  name: 'search',
  access: 'read',
  environment: 'production',
  requiredScope: '',
  labelsReviewed: true,
  pin: null,
  labels: [],
  accessWhen: [],
  arguments: [],
  results: [],
  ...row,
})

export const NOWHERE = { ip: null, country: null, asn: null }

export const roles = (...names: string[]) => names.map((role) => ({ role, expiresAt: null }))

/** As the strict reader would have read them from the wire. */
export function argumentsOf(value: unknown): JsonObject {
  const read = readJson(JSON.stringify(value))
  if (!read.ok) throw new Error(read.error.detail)
  return read.value as JsonObject
}
