import fc from 'fast-check'
import { ACCESS, type EvaluationRequest, type Facts } from '../../../src/pdp/evaluation.ts'
import type { PolicyRow } from '../../../src/pdp/policy.ts'
import { SENSITIVITY, type Target } from '../../../src/pdp/resources.ts'
import { argumentsOf, facts, NOW, request, RESOURCE, server, target, tool } from './build.ts'
import type { Answers } from './rows.ts'
import { ownTask } from './tasks.ts'

/** Few values each, so that rows and questions meet often. */
const ROLES = ['sales', 'support', 'bot'] as const
const CLIENTS = ['acme-agent', 'other', 'alice'] as const
const AGENTS = ['bot-1', 'bot-2'] as const
const TOOLS = ['get', 'get_all', 'set', 'get_set'] as const
const LABELS = ['source.bulk', 'sink.export'] as const
const ENVIRONMENTS = ['production', 'staging'] as const
const HASHES = ['a', 'b'] as const
const DAY = 86_400_000

const always = (answer: boolean | 'error') => ({ about: 'neither', answer: () => answer }) as const

/** Conditions whose answer the reference knows without an expression engine. */
export const ANSWERS: Answers = {
  'args.n < 10': { about: 'call', answer: () => true },
  'args.n > 10': { about: 'call', answer: () => false },
  'args.missing == 1': { about: 'call', answer: () => 'error' },
  'args.n == ': always('error'),
  'subject.tennant == "x"': always('error'),
  'tool.server == "crm"': { about: 'tool', answer: () => true },
  'tool.access == "read"': {
    about: 'tool',
    answer: (_, known) => known.tool?.access === 'read',
  },
  'subject.acr == "phr"': {
    about: 'neither',
    answer: ({ subject }) => subject.properties.acr === 'phr',
  },
  'task.present': {
    about: 'neither',
    answer: (request, facts) => ownTask(request, facts) !== undefined,
  },
  'targets.all(t, t.owned)': {
    about: 'call',
    answer: ({ subject }, { targets }) =>
      targets.every(
        ({ row }) =>
          subject.type === 'user' &&
          row?.owner?.id === subject.id &&
          row.owner.issuer === subject.properties.issuer,
      ),
  },
}

/** Bounds on how grave a target may be: an allow has one from above, a deny one from below. */
const AT_MOST = 'targets.all(t, t.sensitivity in ["public", "internal"])'
const FROM = 'targets.exists(t, t.sensitivity in ["confidential", "restricted"])'
const isGrave = ({ sensitivity }: Target): boolean =>
  sensitivity === 'confidential' || sensitivity === 'restricted'
export const BOUNDS: Answers = {
  [AT_MOST]: { about: 'call', answer: (_, { targets }) => !targets.some(isGrave) },
  [FROM]: { about: 'call', answer: (_, { targets }) => targets.some(isGrave) },
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 })
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 7, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: arbitrary as fc.Arbitrary<T | null> },
  )
const mostly = <T>(usual: T, ...odd: T[]) =>
  fc.oneof(
    { weight: 19, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(usual, ...odd) },
  )

const NO_NEEDS = {
  requireAcr: null,
  requireSenderConstrained: false,
  maxAuthAgeSeconds: null,
  requireApproval: false,
  requireTask: null,
}

export const row: fc.Arbitrary<Omit<PolicyRow, 'id'>> = fc
  .record({
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'allow' as const, 'deny' as const),
    mode: fc.constantFrom(
      'enforce' as const,
      'enforce' as const,
      'enforce' as const,
      'shadow' as const,
    ),
    role: maybe(fc.constantFrom(...ROLES)),
    client: maybe(fc.constantFrom(...CLIENTS)),
    agent: maybe(fc.constantFrom('*', ...AGENTS)),
    server: maybe(fc.constantFrom('crm', 'crm', 'other')),
    tool: maybe(fc.constantFrom('get', 'get*', '*set', 'g*t', '*', 's*', 'get_all')),
    access: rarely(fc.constantFrom(...ACCESS)),
    label: rarely(fc.constantFrom(...LABELS)),
    environment: rarely(fc.constantFrom(...ENVIRONMENTS)),
    condition: maybe(fc.constantFrom(...Object.keys({ ...ANSWERS, ...BOUNDS }))),
    requireAcr: rarely(fc.constantFrom('phr', 'phr phrh')),
    requireSenderConstrained: rarely(fc.constant(true)).map((one) => one === true),
    maxAuthAgeSeconds: rarely(fc.constantFrom(0, 300)),
    requireApproval: rarely(fc.constant(true)).map((one) => one === true),
    requireTask: rarely(fc.constantFrom('any' as const, 'approved' as const)),
  })
  .map((one) => (one.effect === 'deny' ? { ...one, ...NO_NEEDS } : one))

export const rows = fc
  .array(row, { maxLength: 12 })
  .map((list): PolicyRow[] => list.map((one, at) => ({ ...one, id: `p${at}` })))

const lapsing = fc.constantFrom(null, null, NOW - 1, NOW, NOW + 1)
const held = fc.array(fc.record({ role: fc.constantFrom(...ROLES), expiresAt: lapsing }), {
  maxLength: 2,
})

const touched = fc
  .record({
    listed: fc.boolean(),
    tenant: mostly('acme', 'other'),
    owner: fc.constantFrom('alice', 'bob', null),
    issuer: mostly('https://issuer.example', 'https://another.example'),
    sensitivity: fc.constantFrom(...SENSITIVITY),
    labels: fc.subarray([...LABELS]),
  })
  .map(({ listed, tenant, owner, issuer, sensitivity, labels }) =>
    listed
      ? target({
          tenant,
          sensitivity,
          labels,
          owner: owner === null ? null : { issuer, id: owner },
        })
      : target(null, sensitivity),
  )

const consent = fc
  .record({
    id: fc.constantFrom('c1', 'c2', 'c3'),
    tool: maybe(fc.constantFrom(...TOOLS)),
    access: maybe(fc.constantFrom(...ACCESS)),
    definitionHash: rarely(fc.constantFrom(...HASHES)),
    expiresAt: lapsing,
    revokedAt: rarely(fc.constant(NOW - 1)),
  })
  // The table refuses a consent to everything.
  .filter((one) => one.tool !== null || one.access !== null)

const task = fc.record({
  id: fc.constantFrom('t1', 't2'),
  agent: maybe(fc.constantFrom(...AGENTS)),
  purpose: fc.constant('tidy up'),
  tools: maybe(fc.subarray(['crm/*', 'crm/get', '*set', 'other/*'])),
  access: maybe(fc.subarray([...ACCESS])),
  dataClasses: rarely(fc.subarray([...SENSITIVITY])),
  maxCalls: rarely(fc.constant(1)),
  approved: fc.boolean(),
  expiresAt: fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + DAY),
  closedAt: rarely(fc.constant(NOW - 1)),
  revokedAt: rarely(fc.constant(NOW - 1)),
  shown: fc.boolean(),
})

const onlyOneShown = <T extends { readonly shown: boolean }>(tasks: readonly T[]): T[] =>
  tasks.map((one, at) => ({ ...one, shown: one.shown && !tasks.slice(0, at).some((t) => t.shown) }))

/** What a token was granted for in detail: of our type mostly, sometimes with what nobody knows. */
const detail = fc
  .record({
    type: mostly('mcp_tool', 'payment'),
    locations: fc.constantFrom(
      [RESOURCE],
      [RESOURCE],
      ['https://other.example/crm/mcp', RESOURCE],
      ['https://other.example/crm/mcp'],
    ),
    actions: fc.constantFrom(['*'], ['*'], ['get', 'get_all'], ['set'], ['get*']),
    access: maybe(fc.constantFrom([...ACCESS], ['read'], ['write', 'destructive'], ['reed'])),
    identifiers: rarely(fc.constantFrom(['account/a-1'], ['account/a-2', 'order/1'])),
    datatypes: rarely(fc.constant(['x'])),
  })
  .map((made) =>
    argumentsOf(Object.fromEntries(Object.entries(made).filter(([, value]) => value !== null))),
  )

const caller = fc.record({
  subject: fc.constantFrom('alice', 'alice', 'job'),
  client: fc.constantFrom(...CLIENTS, 'job'),
  agent: maybe(fc.constantFrom(...AGENTS)),
  scopes: fc.subarray(['use', 'more']),
  acr: fc.constantFrom(null, 'pwd', 'phr'),
  authTime: fc.constantFrom(null, NOW / 1000, NOW / 1000 - 300, NOW / 1000 - 301),
  senderConstrained: fc.boolean(),
  authorizationDetails: rarely(fc.array(detail, { maxLength: 2 })),
  task: rarely(
    fc.record({ transaction: maybe(fc.constantFrom('t1', 't2', 't3')), handle: fc.boolean() }),
  ),
})

const described = fc.record({
  name: fc.constantFrom(...TOOLS),
  access: fc.constantFrom(...ACCESS),
  labels: fc.subarray([...LABELS]),
  environment: fc.constantFrom(...ENVIRONMENTS),
  requiredScopes: mostly<string[]>([], ['use']),
  pin: rarely(
    fc.record({
      hash: fc.constantFrom(...HASHES),
      pinnedAt: fc.constantFrom(NOW - DAY, NOW - DAY, NOW - 1),
    }),
  ),
  /** Of a listing only: what may be otherwise. */
  others: fc.subarray([...ACCESS]),
  uncertain: fc.subarray([...LABELS]),
  anyLabel: fc.boolean(),
})

export interface Question {
  readonly asked: EvaluationRequest
  readonly known: Facts
}

const NAMED = argumentsOf({ n: 5 })

export const question: fc.Arbitrary<Question> = fc
  .record({
    kind: fc.constantFrom('call', 'call', 'call', 'listed', 'step'),
    caller,
    described,
    known: mostly(true, false),
    tenantActive: mostly(true, false),
    clientActive: mostly<boolean | null>(true, false, null),
    clientActsForUsers: mostly(true, false),
    agentActive: mostly<boolean | null>(true, false, null),
    serverFacts: fc.record({
      active: mostly(true, false),
      requiredScopes: mostly<string[]>([], ['use', 'more']),
      consentRequired: mostly<boolean>(false, true, true),
      observeUntil: rarely(fc.constantFrom(NOW, NOW + 1, NOW + 14 * DAY, NOW + 14 * DAY + 1)),
    }),
    subjectRoles: held,
    agentRoles: held,
    revoked: mostly(false, true),
    sighting: maybe(
      fc.record({
        hash: fc.constantFrom(...HASHES),
        matchedAt: fc.constantFrom(null, NOW, NOW - 1, NOW - 2, NOW - 600_000, NOW - 600_001),
        differedAt: fc.constantFrom(null, null, NOW - DAY - 1, NOW - DAY),
      }),
    ),
    targets: fc.array(touched, { maxLength: 2 }),
    unreadable: mostly<Facts['unreadable']>(null, { kind: 'too_many' }),
    consents: fc.array(consent, { maxLength: 3 }),
    transactionIsTask: mostly(false, true),
    issuerOpensTasks: mostly(false, true),
    tasks: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      {
        weight: 1,
        // The id is the key of a task's row, and one handle names one task at most.
        arbitrary: fc
          .uniqueArray(task, { minLength: 1, maxLength: 2, selector: ({ id }) => id })
          .map(onlyOneShown),
      },
    ),
  })
  .map((made) => {
    const { kind, caller: who, described: what, known, revoked, serverFacts, ...rest } = made
    const { others, uncertain, anyLabel, ...plain } = what
    const listing = kind === 'listed'
    const { task: said, ...self } = who
    const asked = request(said === null ? self : { ...self, task: said }, null, what.name)
    const depends = listing
      ? { access: [...new Set([what.access, ...others])], labels: uncertain, anyLabel }
      : null
    const described = tool({ ...plain, row: what.name, depends })
    const step = kind === 'step'
    // Which arguments name something is said by a tool's row.
    const reads = kind === 'call' && known
    return {
      asked: {
        ...asked,
        ...(step ? { resource: { ...asked.resource, type: 'mcp_server', id: 'crm' } } : {}),
        context: { ...asked.context, arguments: kind === 'call' ? NAMED : null },
      },
      known: facts({
        ...rest,
        server: server(serverFacts),
        agentActive: who.agent === null ? null : rest.agentActive,
        targets: reads ? rest.targets : [],
        unreadable: reads ? rest.unreadable : null,
        revocations: revoked ? [{ kind: 'client', id: who.client, issuer: '*', revokedAt: 1 }] : [],
        tool: known && !step ? described : null,
      }),
    } as Question
  })
