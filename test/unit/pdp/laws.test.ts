import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate, isObserved } from '../../../src/pdp/evaluate.ts'
import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import { ENFORCED_ALWAYS } from '../../../src/pdp/gates.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'
import { SENSITIVITY, type Target } from '../../../src/pdp/resources.ts'
import { ANSWERS, BOUNDS, question, row, rows, type Question } from '../../support/pdp/arbitrary.ts'
import { NOW } from '../../support/pdp/build.ts'
import { meantTasks } from '../../support/pdp/tasks.ts'
import { referenceVerdict } from '../../support/pdp/reference.ts'
import { propertyRuns } from '../../support/property-runs.ts'

const ask = (list: readonly PolicyRow[], { asked, known }: Question) =>
  evaluate(asked, compilePolicies(list), known)

const decide = (list: readonly PolicyRow[], asked: Question) =>
  ask(list, asked).refusal === null ? 'allow' : 'deny'

const law = (check: (list: PolicyRow[], asked: Question, extra: PolicyRow) => void, share = 0.2) =>
  fc.assert(
    fc.property(rows, question, row, (list, asked, extra) =>
      check(list, asked, { ...extra, id: 'extra' }),
    ),
    propertyRuns(100_000 * share),
  )

/** The law of most laws is that this is false: what changed can only have taken something away. */
const widens = (
  before: readonly [PolicyRow[], Question],
  after: readonly [PolicyRow[], Question],
): boolean => decide(...before) === 'deny' && decide(...after) === 'allow'

const withFacts = (question: Question, known: Partial<Facts>): Question => ({
  ...question,
  known: { ...question.known, ...known },
})

describe('laws of the decision', { timeout: 600_000 }, () => {
  it('agrees with a naive decider, on every reason and on what only watches', () => {
    const seen = new Map<string, number>()
    let runs = 0
    law((list, asked) => {
      const expected = referenceVerdict(asked.asked, list, asked.known, { ...ANSWERS, ...BOUNDS })
      const { refusal, wouldBe } = ask(list, asked)
      const would = wouldBe === null ? undefined : (wouldBe.refusal?.reason ?? null)
      runs += 1
      for (const what of [refusal?.reason ?? 'allowed', `would be ${would ?? 'allowed'}`]) {
        seen.set(what, (seen.get(what) ?? 0) + 1)
      }
      expect({ refused: refusal?.reason ?? null, would }).toEqual(expected)
    }, 1)
    // A comparison in which hardly anything is allowed, or some reason never given, compares little.
    expect((seen.get('allowed') ?? 0) / runs).toBeGreaterThan(0.05)
    for (const reason of REASONS) expect(seen.get(reason) ?? 0, reason).toBeGreaterThan(0)
  })

  it('adding a deny never allows, removing an allow never allows', () => {
    law((list, asked, extra) => {
      const deny: PolicyRow = { ...extra, ...NO_NEEDS, effect: 'deny' }
      expect(widens([list, asked], [[...list, deny], asked])).toBe(false)
      const without = list.filter((one) => one.effect !== 'allow' || one.id !== 'p0')
      expect(widens([list, asked], [without, asked])).toBe(false)
    })
  })

  it('adding a need to an allow never allows more', () => {
    law((list, asked, extra) => {
      const { requireAcr, maxAuthAgeSeconds } = extra
      const needier = list.map((one): PolicyRow =>
        one.effect === 'deny' || one.id !== 'p0'
          ? one
          : {
              ...one,
              requireAcr: one.requireAcr ?? requireAcr,
              maxAuthAgeSeconds: one.maxAuthAgeSeconds ?? maxAuthAgeSeconds,
              requireSenderConstrained: true,
              requireApproval: true,
            },
      )
      expect(widens([list, asked], [needier, asked])).toBe(false)
    })
  })

  it('the order of the rows and repeated rows are of no account', () => {
    law((list, asked) => {
      const { known } = asked
      const twice = [...list, ...list.map((one) => ({ ...one, id: `${one.id}-again` }))]
      const turned = withFacts(asked, {
        subjectRoles: known.subjectRoles.toReversed(),
        agentRoles: known.agentRoles.toReversed(),
        consents: known.consents.toReversed(),
        targets: known.targets.toReversed(),
        tool:
          known.tool === null ? null : { ...known.tool, labels: known.tool.labels.toReversed() },
      })
      expect(ask(list.toReversed(), turned)).toEqual(ask(list, asked))
      expect(decide(twice, asked)).toBe(decide(list, asked))
      const other = withFacts(asked, { tasks: known.tasks.toReversed() })
      expect(decide(list, other)).toBe(decide(list, asked))
    })
  })

  it('a row that only watches changes nothing but what would have been', () => {
    law((list, asked, extra) => {
      const watched = ask([...list, { ...extra, mode: 'shadow' }], asked)
      expect(watched.refusal).toEqual(ask(list, asked).refusal)
      const { wouldBe } = watched
      const comparable = wouldBe?.by === 'shadow' && list.every(({ mode }) => mode === 'enforce')
      const enforced = ask([...list, { ...extra, mode: 'enforce' }], asked)
      expect(comparable ? wouldBe.refusal : enforced.refusal).toEqual(enforced.refusal)
    })
  })

  it('observing lets through neither what was taken back nor what is not ours', () => {
    law((list, asked) => {
      const until = (observeUntil: number | null) =>
        withFacts(asked, { server: { ...asked.known.server, observeUntil } })
      const [enforced, observed] = [ask(list, until(null)), ask(list, until(NOW + 1))]
      const always = enforced.refusal !== null && ENFORCED_ALWAYS.has(enforced.refusal.reason)
      expect(always ? observed.refusal : enforced.refusal).toEqual(enforced.refusal)
      const { known } = asked
      const meant = meantTasks(asked.asked, known)
      const stops =
        known.revocations.length > 0 ||
        !known.tenantActive ||
        !known.server.active ||
        known.clientActive === false ||
        (!known.clientActsForUsers && asked.asked.subject.type === 'user') ||
        known.agentActive === false ||
        known.unreadable !== null ||
        known.targets.some((one) => one.foreign) ||
        (typeof meant === 'string'
          ? meant === 'task_ended' && known.tool !== null
          : meant.some((one) => one.revokedAt !== null))
      expect(observed.refusal !== null).toBe(stops)
      const fine = !stops && enforced.refusal === null
      expect(fine ? observed.wouldBe : null).toBeNull()
      // Later than two weeks ahead was not written by our rules, and is no leave.
      expect(isObserved(until(NOW + 15 * 86_400_000).known, NOW)).toBe(false)
    })
  })

  it('what belongs to another tenant is denied, whatever is observed, and never helps', () => {
    law((list, asked) => {
      const foreign = withFacts(asked, { targets: asked.known.targets.map(theirs) })
      expect(widens([list, asked], [list, foreign])).toBe(false)
      const touched = foreign.known.targets.length > 0
      expect(touched ? decide(list, foreign) : 'deny').toBe('deny')
    })
  })

  it('where another no is due, it is the one that is due where nobody has listed anything', () => {
    let told = 0
    law((list, asked) => {
      const foreign = asked.known.targets.map(theirs)
      const unlisted = foreign.map((one) => ({ ...one, foreign: false }))
      const without = ask(list, withFacts(asked, { targets: unlisted })).refusal
      const { refusal } = ask(list, withFacts(asked, { targets: foreign }))
      const border = foreign.length === 0 ? null : BORDER
      if (without === null && border !== null) told += 1
      expect(refusal).toEqual(without ?? border)
    })
    expect(told).toBeGreaterThan(5)
  })

  it('taking back a consent, a registration, a readable name or a fresh look never allows', () => {
    law((list, asked) => {
      const { known } = asked
      const worse: Partial<Facts>[] = [
        { consents: known.consents.map((one) => ({ ...one, revokedAt: NOW })) },
        { consents: known.consents.slice(1) },
        { server: { ...known.server, consentRequired: true } },
        { clientActive: false },
        { clientActsForUsers: false },
        { tenantActive: false },
        { sighting: null },
        { unreadable: { kind: 'too_many' } },
        { revocations: [{ kind: 'token', id: 'token-1', issuer: '*', revokedAt: NOW }] },
      ]
      for (const change of worse)
        expect(widens([list, asked], [list, withFacts(asked, change)])).toBe(false)
    })
  })

  it('a role that lapses never allows, where no deny and no condition is about roles', () => {
    law((list, asked) => {
      const allows = list.filter(({ effect, role }) => effect === 'allow' || role === null)
      const lapsed = (held: Facts['subjectRoles']) =>
        held.map((one) => ({ ...one, expiresAt: NOW }))
      const { subjectRoles, agentRoles } = asked.known
      const later = { subjectRoles: lapsed(subjectRoles), agentRoles: lapsed(agentRoles) }
      expect(widens([allows, asked], [allows, withFacts(asked, later)])).toBe(false)
    })
  })

  it('a graver target never allows, where allows bound it from above and denies from below', () => {
    const [atMost, from] = Object.keys(BOUNDS)
    law((list, asked) => {
      const bounded = list.map((one) => {
        const bound = (one.effect === 'allow' ? atMost : from) ?? null
        return { ...one, condition: one.condition === null ? null : bound }
      })
      const graver = asked.known.targets.map((one) => ({
        ...one,
        sensitivity: SENSITIVITY[SENSITIVITY.indexOf(one.sensitivity) + 1] ?? one.sensitivity,
      }))
      expect(widens([bounded, asked], [bounded, withFacts(asked, { targets: graver })])).toBe(false)
    })
  })

  it('an agent in between never widens what its user may do without naming it', () => {
    law((list, asked) => {
      const unnamed = list.filter((one) => one.agent === null && one.condition !== 'task.present')
      // A task is of one agent, so another agent may be outside it.
      const plain = withFacts(asked, { agentRoles: [], tasks: [] })
      const without = { ...plain, asked: withAgent(asked.asked, null) }
      const withBot = withFacts(
        { ...plain, asked: withAgent(asked.asked, 'bot-1') },
        { agentActive: true },
      )
      expect(widens([unnamed, without], [unnamed, withBot])).toBe(false)
    })
  })
})

const BORDER = { at: 'decide', reason: 'target_of_another_tenant' }

/** The same name, listed by another tenant: nothing is known of it but that. */
const theirs = (one: Target): Target => ({
  ...one,
  row: null,
  sensitivity: 'restricted',
  foreign: true,
})

const NO_NEEDS = {
  requireAcr: null,
  requireSenderConstrained: false,
  maxAuthAgeSeconds: null,
  requireApproval: false,
  requireTask: null,
}

const REASONS = [
  'revoked',
  'tenant_inactive',
  'server_inactive',
  'client_unknown',
  'client_inactive',
  'agent_unknown',
  'agent_inactive',
  'tool_unknown',
  'tool_changed',
  'tool_unverified',
  'target_unreadable',
  'target_of_another_tenant',
  'consent_required',
  'insufficient_scope',
  'task_ambiguous',
  'outside_task',
  'task_unknown',
  'task_ended',
  'task_required',
  'not_allowed',
  'denied_by_policy',
  'insufficient_authentication',
  'binding_required',
  'approval_required',
  'would be not_allowed',
  'would be denied_by_policy',
  'would be consent_required',
]

const withAgent = (asked: EvaluationRequest, agent: string | null): EvaluationRequest => ({
  ...asked,
  subject: { ...asked.subject, properties: { ...asked.subject.properties, agent } },
})
