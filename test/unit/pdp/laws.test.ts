import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { ACCESS, type EvaluationRequest, type Facts } from '../../../src/pdp/evaluation.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'
import { facts, NOW, request, tool } from '../../support/pdp/build.ts'
import { referenceDecision, type Answers } from '../../support/pdp/reference.ts'
import { propertyRuns } from '../../support/property-runs.ts'

/** Few values each, so that rows and requests meet often. */
const ROLES = ['sales', 'support', 'bot'] as const
const CLIENTS = ['acme-agent', 'other', 'alice'] as const
const AGENTS = ['bot-1', 'bot-2'] as const
const TOOLS = ['get', 'get_all', 'set', 'get_set'] as const
const LABELS = ['source.bulk', 'sink.export'] as const

/** Conditions whose answer the reference knows without an expression engine. */
const ANSWERS: Answers = {
  'args.n < 10': true,
  'args.n > 10': false,
  'args.missing == 1': 'error',
  'args.n == ': 'error',
  'subject.tennant == "x"': 'error',
  'tool.server == "crm"': true,
}
const ARGUMENTS = { n: 5 }

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 })

const row: fc.Arbitrary<Omit<PolicyRow, 'id'>> = fc.record({
  effect: fc.oneof(
    { weight: 4, arbitrary: fc.constant('allow' as const) },
    { weight: 1, arbitrary: fc.constant('deny' as const) },
  ),
  role: maybe(fc.constantFrom(...ROLES)),
  client: maybe(fc.constantFrom(...CLIENTS)),
  agent: maybe(fc.constantFrom('*', ...AGENTS)),
  server: maybe(fc.constantFrom('crm', 'crm', 'other')),
  tool: maybe(fc.constantFrom('get', 'get*', '*set', 'g*t', '*', 's*', 'get_all')),
  access: maybe(fc.constantFrom(...ACCESS)),
  label: maybe(fc.constantFrom(...LABELS)),
  condition: maybe(fc.constantFrom(...Object.keys(ANSWERS))),
})
const rows = fc
  .array(row, { maxLength: 12 })
  .map((list): PolicyRow[] => list.map((one, at) => ({ ...one, id: `p${at}` })))

const held = fc.array(
  fc.record({
    role: fc.constantFrom(...ROLES),
    expiresAt: fc.constantFrom(null, null, NOW - 1, NOW, NOW + 1),
  }),
  { maxLength: 2 },
)
const mostly = <T>(usual: T, ...odd: T[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(usual, ...odd) },
  )

interface Question {
  readonly asked: EvaluationRequest
  readonly known: Facts
}

const question: fc.Arbitrary<Question> = fc
  .record({
    subject: fc.constantFrom('alice', 'alice', 'job'),
    client: fc.constantFrom(...CLIENTS, 'job'),
    agent: maybe(fc.constantFrom(...AGENTS)),
    scopes: fc.subarray(['use', 'more']),
    name: fc.constantFrom(...TOOLS),
    access: fc.constantFrom(...ACCESS),
    labels: fc.subarray([...LABELS]),
    subjectRoles: held,
    agentRoles: held,
    tenantActive: mostly(true, false),
    clientActive: mostly<boolean | null>(true, false, null),
    agentActive: mostly<boolean | null>(true, false, null),
    revoked: mostly(false, true),
    needed: mostly<string[]>([], ['use']),
    known: mostly(true, false),
  })
  .map(({ subject, client, agent, scopes, name, access, labels, ...rest }) => {
    const described = tool({ name, row: name, access, labels, requiredScopes: rest.needed })
    return {
      asked: request({ subject, client, agent, scopes }, ARGUMENTS, name),
      known: facts({
        tenantActive: rest.tenantActive,
        clientActive: rest.clientActive,
        agentActive: agent === null ? null : rest.agentActive,
        subjectRoles: rest.subjectRoles,
        agentRoles: rest.agentRoles,
        revocations: rest.revoked
          ? [{ kind: 'client', id: client, issuer: '*', revokedAt: 1 }]
          : [],
        tool: rest.known ? described : null,
      }),
    }
  })

const decide = (list: readonly PolicyRow[], { asked, known }: Question) =>
  evaluate(asked, compilePolicies(list), known).refusal === null ? 'allow' : 'deny'

const law = (check: (list: PolicyRow[], asked: Question, extra: PolicyRow) => void, share = 1) =>
  fc.assert(
    fc.property(rows, question, row, (list, asked, extra) =>
      check(list, asked, { ...extra, id: 'extra' }),
    ),
    propertyRuns(100_000 * share),
  )

describe('laws of the decision', { timeout: 600_000 }, () => {
  it('agrees with a naive decider', () => {
    let allowed = 0
    let runs = 0
    law((list, asked) => {
      const expected = referenceDecision(asked.asked, list, asked.known, ANSWERS)
      runs += 1
      if (expected === 'allow') allowed += 1
      expect(decide(list, asked)).toBe(expected)
    })
    // A comparison in which hardly anything is allowed would compare nothing.
    expect(allowed / runs).toBeGreaterThan(0.02)
  })

  it('adding a deny never allows, removing an allow never allows', () => {
    law((list, asked, extra) => {
      const before = decide(list, asked)
      const withDeny = decide([...list, { ...extra, effect: 'deny' }], asked)
      const withoutAllow = decide(
        list.filter((one) => one.effect !== 'allow' || one.id !== 'p0'),
        asked,
      )
      expect([before, withDeny]).not.toEqual(['deny', 'allow'])
      expect([before, withoutAllow]).not.toEqual(['deny', 'allow'])
    }, 0.2)
  })

  it('the order of the rows and repeated rows are of no account', () => {
    law((list, asked) => {
      const twice = [...list, ...list.map((one) => ({ ...one, id: `${one.id}-again` }))]
      expect(decide(list.toReversed(), asked)).toBe(decide(list, asked))
      expect(decide(twice, asked)).toBe(decide(list, asked))
    }, 0.2)
  })

  it('an agent in between never widens what its user may do without naming it', () => {
    law((list, asked) => {
      const unnamed = list.filter((one) => one.agent === null)
      const without = { asked: withAgent(asked.asked, null), known: asked.known }
      const withBot = {
        asked: withAgent(asked.asked, 'bot-1'),
        known: { ...asked.known, agentActive: true, agentRoles: [] },
      }
      const usersOwn = decide(unnamed, { ...without, known: { ...asked.known, agentRoles: [] } })
      expect([usersOwn, decide(unnamed, withBot)]).not.toEqual(['deny', 'allow'])
    }, 0.2)
  })
})

const withAgent = (asked: EvaluationRequest, agent: string | null): EvaluationRequest => ({
  ...asked,
  subject: { ...asked.subject, properties: { ...asked.subject.properties, agent } },
})
