import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/mcp/value.ts'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { ACCESS } from '../../../src/pdp/evaluation.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'
import { parseField } from '../../../src/pdp/resources.ts'
import { compileTools, type ToolRow } from '../../../src/pdp/tools.ts'
import { question, rows, type Question } from '../../support/pdp/arbitrary.ts'
import { argumentsOf, facts, policy, request, target, toolRow } from '../../support/pdp/build.ts'
import { propertyRuns } from '../../support/property-runs.ts'

/** What a call may say, so that every condition below holds for some, fails for some, errs for some. */
const CALLS = ['GET', 'POST', 'DELETE', 5, undefined].flatMap((method) =>
  ['out', 'in', null].map((to) => argumentsOf({ n: 5, method, to })),
)

const ACCOUNT = parseField('/account', {
  type: { name: 'account', form: 'exact' },
  optional: false,
  unlisted: 'restricted',
})

const METHODS = ['args.method == "GET"', 'args.method != "POST"', 'args.method.startsWith("D")']
const accessWhen = fc.uniqueArray(
  fc.record({ access: fc.constantFrom(...ACCESS), condition: fc.constantFrom(...METHODS) }),
  { maxLength: 3, selector: (row) => row.access },
)
const labels = fc.uniqueArray(
  fc.record({
    label: fc.constantFrom('source.bulk', 'sink.export', 'sink.update'),
    condition: fc.constantFrom(null, 'args.to == "out"', 'args.to.size() > 2', 'broken ('),
  }),
  { maxLength: 2, selector: (row) => row.label },
)
const tool: fc.Arbitrary<ToolRow> = fc
  .record({
    access: fc.constantFrom(...ACCESS),
    accessWhen,
    labels,
    labelsReviewed: fc.boolean(),
  })
  .map((row) => toolRow({ ...row, name: 'get*' }))

/** The question as it would be put about this tool, called with these arguments or only listed. */
function about({ asked, known }: Question, row: ToolRow, given: JsonObject | null): Question {
  const described = compileTools([row], known.server.internal).find('get_all', given)
  return {
    asked: {
      ...asked,
      resource: { ...asked.resource, type: 'tool', id: 'get_all' },
      context: { ...asked.context, arguments: given },
    },
    known: { ...known, tool: described, targets: [], unreadable: null, sighting: null },
  }
}

const isAllowed = (list: readonly PolicyRow[], { asked, known }: Question): boolean =>
  evaluate(asked, compilePolicies(list), known).refusal === null

const law = (check: (list: PolicyRow[], asked: Question, row: ToolRow) => void) =>
  fc.assert(fc.property(rows, question, tool, check), propertyRuns(30_000))

describe('what a listing shows', { timeout: 600_000 }, () => {
  it('is every tool of which some call is allowed', () => {
    let callable = 0
    law((list, asked, row) => {
      const allowed = CALLS.filter((given) => isAllowed(list, about(asked, row, given)))
      if (allowed.length === 0) return
      callable += 1
      expect(isAllowed(list, about(asked, row, null))).toBe(true)
    })
    expect(callable).toBeGreaterThan(50)
  })

  it('is what a call meets, where nothing depends on the call and nothing else is asked for', () => {
    law((list, asked, row) => {
      const plain = list.map((one) => ({
        ...one,
        condition: /args|targets/.test(one.condition ?? '') ? null : one.condition,
        requireAcr: null,
        requireSenderConstrained: false,
        maxAuthAgeSeconds: null,
        requireApproval: false,
        requireTask: null,
      }))
      const same = { ...row, accessWhen: [], labels: row.labels.filter((one) => !one.condition) }
      const [call = null] = CALLS
      expect(isAllowed(plain, about(asked, same, null))).toBe(
        isAllowed(plain, about(asked, same, call)),
      )
    })
  })

  it('hides a tool that every call of is denied, or that no allow speaks of', () => {
    const everyCall = policy({ id: 'no', effect: 'deny', tool: 'get*' })
    law((list, asked, row) => {
      const server = { ...asked.known.server, observeUntil: null }
      const enforced = { ...asked, known: { ...asked.known, server } }
      expect(isAllowed([...list, everyCall], about(enforced, row, null))).toBe(false)
      const denies = list.filter(({ effect }) => effect === 'deny')
      expect(isAllowed(denies, about(enforced, row, null))).toBe(false)
    })
  })

  it('depends on no argument: a deny that holds for some calls only hides nothing', () => {
    const row = toolRow({
      access: 'destructive',
      accessWhen: [{ access: 'read', condition: METHODS[0] ?? '' }],
      labels: [{ label: 'sink.export', condition: 'args.to == "out"' }],
    })
    const described = compileTools([row], true).find('search', null)
    const listed = (...list: PolicyRow[]) =>
      evaluate(
        request({}, null),
        compilePolicies([policy({ id: 'any', agent: '*' }), ...list]),
        facts({ tool: described }),
      ).refusal?.reason ?? 'shown'
    const deny = (columns: Partial<PolicyRow>) => policy({ id: 'no', effect: 'deny', ...columns })
    expect(described?.depends).toEqual({
      access: ['destructive', 'read'],
      labels: ['sink.destructive', 'sink.export'],
      anyLabel: false,
    })
    expect(listed(deny({ access: 'destructive' }))).toBe('shown')
    expect(listed(deny({ access: 'read' }))).toBe('shown')
    expect(listed(deny({ label: 'sink.export' }))).toBe('shown')
    expect(listed(deny({ condition: 'tool.access == "destructive"' }))).toBe('shown')
    expect(listed(deny({ condition: 'args.to == "out"' }))).toBe('shown')
    expect(listed(deny({ condition: 'targets.size() > 0' }))).toBe('shown')
    expect(listed(deny({ condition: 'tool.name == "search"' }))).toBe('shown')
    expect(listed(deny({ environment: 'production' }))).toBe('denied_by_policy')
    expect(listed(deny({ condition: 'subject.id == "alice"' }))).toBe('denied_by_policy')
  })

  const listed = (row: Partial<ToolRow> = {}) =>
    compileTools([toolRow({ arguments: [ACCOUNT], ...row })], true).find('search', null)

  // A label can come from a resource that the arguments name (migrations/0003, `resources.labels`), and a
  // listing does not know them.
  it('shows a tool that is allowed only where a resource brings the label', () => {
    const list = compilePolicies([policy({ id: 'x', agent: '*', label: 'project.apollo' })])
    const touching = facts({ targets: [target({ labels: ['project.apollo'] })] })
    expect(evaluate(request(), list, touching).refusal).toBeNull()
    expect(evaluate(request({}, null), list, facts({ tool: listed() })).refusal).toBeNull()
    // Of a tool whose arguments name nothing every label is known.
    const plain = facts({ tool: listed({ arguments: [] }) })
    expect(evaluate(request({}, null), list, plain).refusal?.reason).toBe('not_allowed')
  })

  it('nor is it hidden where a condition reads that label', () => {
    const condition = '"project.apollo" in tool.labels'
    const list = compilePolicies([policy({ id: 'x', agent: '*', condition })])
    const touching = facts({ targets: [target({ labels: ['project.apollo'] })] })
    expect(evaluate(request(), list, touching).refusal).toBeNull()
    expect(evaluate(request({}, null), list, facts({ tool: listed() })).refusal).toBeNull()
    // Of a tool whose arguments name nothing every label is known.
    const plain = facts({ tool: listed({ arguments: [] }) })
    expect(evaluate(request({}, null), list, plain).refusal?.reason).toBe('not_allowed')
  })
})
