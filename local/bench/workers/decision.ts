import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'

const PLAIN = {
  mode: 'enforce',
  access: null,
  label: null,
  environment: null,
  requireAcr: null,
  requireSenderConstrained: false,
  maxAuthAgeSeconds: null,
  requireApproval: false,
  requireTask: null,
} as const

/**
 * The decision alone, with as many policies as are asked for: nine of ten rows speak of other tools,
 * roles or clients, every third has a condition. A Worker's clock stands still while it computes,
 * so whoever asks takes the time.
 */
const rowsOf = (count: number): PolicyRow[] =>
  Array.from({ length: count }, (_, number) => ({
    id: `policy-${number}`,
    effect: number % 10 === 9 ? ('deny' as const) : ('allow' as const),
    ...PLAIN,
    role: number % 2 === 0 ? `role-${number % 97}` : null,
    client: number % 3 === 0 ? `client-${number % 31}` : null,
    agent: number % 2 === 0 ? '*' : null,
    server: 'crm',
    tool: number % 5 === 0 ? `area_${number % 211}_*` : `tool_${number}`,
    condition: number % 3 === 1 ? `args.amount < ${number}.0 && subject.id != "nobody"` : null,
  }))

const own: PolicyRow = {
  ...PLAIN,
  id: 'own',
  effect: 'allow',
  role: 'role-1',
  client: null,
  agent: '*',
  server: 'crm',
  tool: 'tool_1',
  condition: 'args.amount < 1000.0 && args.nested.kind == "invoice"',
}

const request: EvaluationRequest = {
  subject: {
    type: 'user',
    id: 'alice',
    properties: {
      tenant: 'acme',
      issuer: 'https://issuer.example',
      client: 'client-1',
      agent: null,
      actorChain: [],
      tokenId: 'token',
      tokenSession: null,
      issuerKey: 'k1',
      bindings: [],
      scopes: [],
      authorizationDetails: null,
      acr: null,
      authTime: null,
      senderConstrained: false,
    },
  },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'tool_1', properties: { server: 'crm' } },
  context: {
    arguments: { amount: 5, nested: { kind: 'invoice' } },
    now: 1,
    network: { ip: null, country: null, asn: null },
  },
}

const facts: Facts = {
  revision: '1:1',
  tenantActive: true,
  callsPerMinute: 6000,
  server: {
    name: 'crm',
    resources: ['https://sallyport.example/crm/mcp'],
    active: true,
    internal: true,
    requiredScopes: [],
    consentRequired: false,
    observeUntil: null,
  },
  clientActive: true,
  clientActsForUsers: true,
  agentActive: null,
  subjectRoles: ['role-1', 'role-2', 'role-3'].map((role) => ({ role, expiresAt: null })),
  agentRoles: [{ role: 'agent', expiresAt: null }],
  revocations: [],
  tool: {
    name: 'tool_1',
    row: 'tool_1',
    access: 'write',
    labels: ['sink.update'],
    depends: null,
    environment: 'production',
    requiredScopes: [],
    pin: null,
  },
  sighting: null,
  targets: [],
  unreadable: null,
  consents: [],
  tasks: [],
  transactionIsTask: false,
  issuerOpensTasks: false,
}

const sets = new Map<number, ReturnType<typeof compilePolicies>>()

export default {
  fetch(incoming: Request): Response {
    const { searchParams } = new URL(incoming.url)
    const count = Number(searchParams.get('policies'))
    const decisions = Number(searchParams.get('decisions'))
    if (searchParams.has('compile')) sets.delete(count)
    const policies = sets.get(count) ?? compilePolicies([own, ...rowsOf(count - 1)])
    sets.set(count, policies)
    let allowed = 0
    for (let made = 0; made < decisions; made += 1) {
      if (evaluate(request, policies, facts).refusal === null) allowed += 1
    }
    return Response.json({ allowed })
  },
} satisfies ExportedHandler
