import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { compilePolicies } from '../../../src/pdp/policy.ts'
import { question, rows } from '../../support/pdp/arbitrary.ts'
import {
  argumentsOf,
  facts,
  policy,
  request,
  RESOURCE,
  server,
  target,
  tool,
} from '../../support/pdp/build.ts'
import { propertyRuns } from '../../support/property-runs.ts'

const EVERYTHING = compilePolicies([policy({ id: 'all', agent: '*' })])

/** Everything else allows it. */
function decided(
  details: readonly unknown[] | null,
  known: Parameters<typeof facts>[0] = {},
  args: unknown = {},
): string {
  const authorizationDetails = details?.map(argumentsOf) ?? null
  const asked = request({ authorizationDetails }, args)
  const { refusal } = evaluate(asked, EVERYTHING, facts(known))
  if (refusal === null) return 'allowed'
  return refusal.reason === 'outside_authorization' ? refusal.fault : refusal.reason
}

const entry = (more: object = {}) => ({
  type: 'mcp_tool',
  locations: [RESOURCE],
  actions: ['search'],
  ...more,
})

describe('what a token was granted for in detail', () => {
  it.each([
    ['nothing is said: no bound', null, 'allowed'],
    ['an empty list: bound to nothing', [], 'not_covered'],
    ['this tool of this server', [entry()], 'allowed'],
    ['every tool of this server', [entry({ actions: ['*'] })], 'allowed'],
    ['another tool', [entry({ actions: ['refund'] })], 'not_covered'],
    ['another tool, and then this one', [entry({ actions: ['refund'] }), entry()], 'allowed'],
    ['another server', [entry({ locations: ['https://x.example/crm/mcp'] })], 'not_covered'],
    ['a server whose name begins so', [entry({ locations: [`${RESOURCE}/more`] })], 'not_covered'],
    ['entries of other types only', [{ type: 'payment', locations: [RESOURCE] }], 'not_covered'],
    ['another type beside ours, whatever it says', [{ type: 'x', y: 1 }, entry()], 'allowed'],
    ['its class', [entry({ access: ['read'] })], 'allowed'],
    ['another class', [entry({ access: ['write', 'export'] })], 'not_covered'],
    ['an unknown member', [entry({ until: 'noon' })], 'unreadable'],
    ['an unknown member in an entry for elsewhere', [entry(), entry({ until: 1 })], 'unreadable'],
    [
      'the common member `identifier`, which is not ours',
      [entry({ identifier: 'a' })],
      'unreadable',
    ],
    ['a pattern', [entry({ actions: ['sea*'] })], 'unreadable'],
    ['no actions', [entry({ actions: [] })], 'unreadable'],
    ['no locations', [{ type: 'mcp_tool', actions: ['search'] }], 'unreadable'],
    ['a class that is none', [entry({ access: ['everything'] })], 'unreadable'],
    ['a text in place of a list', [entry({ actions: 'search' })], 'unreadable'],
    ['another case', [entry({ actions: ['Search'] })], 'not_covered'],
  ])('%s', (_, details, expected) => {
    expect(decided(details)).toBe(expected)
  })

  it('may name any public origin of the server', () => {
    const both = server({ resources: ['https://main.example/crm/mcp', RESOURCE] })
    expect(decided([entry()], { server: both })).toBe('allowed')
  })

  it('names what may be touched, and then a call says what it touches', () => {
    const details = [entry({ identifiers: ['account/a-1', 'account/a-3'] })]
    const touching = (...targets: ReturnType<typeof target>[]) => decided(details, { targets })
    expect(touching(target({ id: 'a-1' }))).toBe('allowed')
    expect(touching(target({ id: 'a-1' }), target({ id: 'a-3' }))).toBe('allowed')
    expect(touching(target({ id: 'a-1' }), target({ id: 'a-2' }))).toBe('not_covered')
    expect(touching({ ...target(null), id: null })).toBe('not_covered')
    // A call that names nothing may be about everything.
    expect(touching()).toBe('not_covered')
  })

  it('takes two grants for two things, and not for one call of both', () => {
    const details = ['account/a-1', 'account/a-2'].map((one) => entry({ identifiers: [one] }))
    const targets = [target({ id: 'a-1' }), target({ id: 'a-2' })]
    expect(decided(details, { targets: targets.slice(0, 1) })).toBe('allowed')
    expect(decided(details, { targets })).toBe('not_covered')
  })

  it('hides from a listing what no call could do', () => {
    expect(decided([entry()], {}, null)).toBe('allowed')
    expect(decided([entry({ actions: ['refund'] })], {}, null)).toBe('not_covered')
    const depends = { access: ['read', 'write'] as const, labels: [], anyLabel: false }
    const some = tool({ depends })
    expect(decided([entry({ access: ['write'] })], { tool: some }, null)).toBe('allowed')
    expect(decided([entry({ access: ['export'] })], { tool: some }, null)).toBe('not_covered')
    const named = [entry({ identifiers: ['account/a-1'] })]
    expect(decided(named, { tool: some }, null)).toBe('not_covered')
    const naming = tool({ depends: { ...depends, anyLabel: true } })
    expect(decided(named, { tool: naming }, null)).toBe('allowed')
  })

  it('is asked after the scopes, and does not stand in the way of protocol steps', () => {
    const lacking = server({ requiredScopes: ['more'] })
    expect(decided([], { server: lacking })).toBe('insufficient_scope')
    const properties = { ...request().subject.properties, authorizationDetails: [] }
    const listing = request({}, null)
    const step = {
      ...listing,
      subject: { ...listing.subject, properties },
      resource: { ...listing.resource, type: 'mcp_server' as const, id: 'crm' },
    }
    expect(evaluate(step, EVERYTHING, facts({ tool: null })).refusal).toBeNull()
  })

  it('is a bound and never a grant: with it nothing is allowed that was not without it', () => {
    let refused = 0
    const law = fc.property(rows, question, (list, { asked, known }) => {
      const enforced = { ...known, server: { ...known.server, observeUntil: null } }
      const decide = (
        authorizationDetails: typeof asked.subject.properties.authorizationDetails,
      ) => {
        const properties = { ...asked.subject.properties, authorizationDetails }
        const bounded = { ...asked, subject: { ...asked.subject, properties } }
        return evaluate(bounded, compilePolicies(list), enforced).refusal
      }
      const bounded = decide(asked.subject.properties.authorizationDetails)
      if (bounded?.reason === 'outside_authorization') refused += 1
      expect(bounded === null ? decide(null) : null).toBeNull()
    })
    fc.assert(law, propertyRuns(20_000))
    expect(refused).toBeGreaterThan(10)
  })
})
