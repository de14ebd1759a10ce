import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../support/property-runs.ts'
import { policiesMatter } from '../../../src/cli/check/overlap.ts'
import type { CheckInput } from '../../../src/cli/check/problem.ts'
import type { TenantRows } from '../../../src/cli/scratch/tenant-rows.ts'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import { compilePolicies, type PolicyRow } from '../../../src/pdp/policy.ts'
import { compileTools, type ToolRow } from '../../../src/pdp/tools.ts'
import { facts, request, roles } from '../../support/pdp/build.ts'

const TOOL_ROWS: ToolRow[] = (
  [
    ['get_one', 'read', 'source.bulk'],
    ['get_all', 'export', 'source.bulk'],
    ['put', 'write', 'source.untrusted'],
  ] as const
).map(([name, access, label]) => ({
  name,
  access,
  environment: name === 'put' ? 'staging' : 'production',
  requiredScope: '',
  labelsReviewed: true,
  pin: null,
  // Some calls are less than their tool, and some carry what others do not.
  labels: [{ label, condition: name === 'get_one' ? 'has(args.many)' : null }],
  accessWhen: name === 'get_all' ? [{ access: 'read', condition: 'has(args.few)' }] : [],
  arguments: [],
  results: [],
}))
const TOOLS = compileTools(TOOL_ROWS, true)

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)
const ROW = fc.record({
  effect: oneOf<'allow' | 'deny'>('allow', 'deny'),
  role: oneOf(null, 'a', 'b'),
  client: oneOf(null, null, 'c', 'd'),
  agent: oneOf(null, null, '*', 'bot'),
  server: oneOf(null, 'crm'),
  tool: oneOf(null, null, 'get_*', 'get_one', 'get_all', 'get_all', '*', '*_*'),
  access: oneOf(null, null, 'read' as const, 'export' as const),
  label: oneOf(null, null, 'source.bulk', 'sink.export'),
  condition: oneOf(null, null, null, 'subject.id == "s"'),
  mode: oneOf<'enforce' | 'shadow'>('enforce', 'enforce', 'enforce', 'shadow'),
  environment: oneOf(null, null, null, 'production', 'staging'),
  requireAcr: oneOf(null, null, null, 'mfa', 'mfa pwd'),
  maxAuthAgeSeconds: oneOf(null, null, null, 60, 600),
  requireSenderConstrained: oneOf(false, false, false, true),
  requireApproval: oneOf(false, false, false, true),
  requireTask: oneOf<'any' | 'approved' | null>(null, null, 'any', 'approved'),
})
const DENY_ASKS_FOR_NOTHING = {
  requireAcr: null,
  maxAuthAgeSeconds: null,
  requireSenderConstrained: false,
  requireApproval: false,
  requireTask: null,
}
const CALL = fc.record({
  subject: oneOf('s', 't', 'c'),
  client: oneOf('c', 'd'),
  agent: oneOf(null, 'bot', 'other'),
  tool: oneOf('get_one', 'get_all', 'put'),
  subjectRoles: fc.subarray(['a', 'b']),
  agentRoles: fc.subarray(['a', 'b']),
  args: oneOf({}, { many: true }, { few: true }),
  acr: oneOf(null, 'mfa', 'pwd'),
  secondsAgo: oneOf(null, 30, 300, 3000),
  senderConstrained: fc.boolean(),
})

const server = facts().server
const tenantRows = (policies: readonly PolicyRow[]): TenantRows =>
  ({
    tenant: 'acme',
    tables: { policies },
    servers: new Map([['crm', { facts: server, toolRows: TOOL_ROWS, tools: TOOLS }]]),
  }) as unknown as TenantRows
const input = { scratch: { originOf: () => null }, tenants: [] } as unknown as CheckInput

type Call = typeof CALL extends fc.Arbitrary<infer T> ? T : never

interface Outcome {
  readonly allowed: boolean
  /** What rows that only watch would have led to. */
  readonly watched: boolean
}

function outcome(policies: readonly PolicyRow[], call: Call): Outcome {
  const { tool, subjectRoles, agentRoles, args, acr, secondsAgo, senderConstrained, ...caller } =
    call
  const asked = request(caller, args, tool)
  const { subject, context } = asked
  const authTime = secondsAgo === null ? null : context.now / 1000 - secondsAgo
  const properties = { ...subject.properties, acr, authTime, senderConstrained }
  const known = facts({
    tool: TOOLS.find(tool, context.arguments),
    agentActive: caller.agent === null ? null : true,
    subjectRoles: roles(...subjectRoles),
    agentRoles: roles(...agentRoles),
  })
  const { refusal, wouldBe } = evaluate(
    { ...asked, subject: { ...subject, properties } },
    compilePolicies(policies),
    known,
  )
  return {
    allowed: refusal === null,
    watched: (wouldBe === null ? refusal : wouldBe.refusal) === null,
  }
}

describe('rows that are said to change nothing', () => {
  it('change no decision when they are left out', () => {
    let [reported, runs] = [0, 0]
    fc.assert(
      fc.property(
        fc.array(ROW, { minLength: 2, maxLength: 5 }),
        fc.array(CALL, { minLength: 10, maxLength: 10 }),
        (columns, calls) => {
          const policies = columns.map((row, at): PolicyRow => ({
            ...row,
            ...(row.effect === 'deny' ? DENY_ASKS_FOR_NOTHING : {}),
            id: `p${at}`,
          }))
          const found = policiesMatter(tenantRows(policies), input)
          runs += 1
          if (found.length > 0) reported += 1
          const each = found.map(({ key }) => [key[1]])
          // One at a time, and all of them as an author would who follows the advice at once.
          for (const left of [...each, each.flat()]) {
            const rest = policies.filter(({ id }) => !left.includes(id))
            for (const call of calls) expect(outcome(rest, call)).toEqual(outcome(policies, call))
          }
        },
      ),
      propertyRuns(20_000),
    )
    // Where nothing is said there is nothing to try.
    expect(reported / runs).toBeGreaterThan(0.05)
  }, 60_000)
})
