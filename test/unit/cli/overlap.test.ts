import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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
  requiredScope: '',
  labelsReviewed: true,
  labels: [label],
}))
const TOOLS = compileTools(TOOL_ROWS, true)

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)
const ROW = fc.record({
  effect: oneOf<'allow' | 'deny'>('allow', 'deny'),
  role: oneOf(null, 'a', 'b'),
  client: oneOf(null, null, 'c', 'd'),
  agent: oneOf(null, null, '*', 'bot'),
  server: oneOf(null, 'crm'),
  tool: oneOf(null, null, 'get_*', 'get_one', 'get_all', '*', '*_*'),
  access: oneOf(null, null, 'read' as const, 'export' as const),
  label: oneOf(null, null, 'source.bulk', 'sink.export'),
  condition: oneOf(null, null, null, 'subject.id == "s"'),
})
const CALL = fc.record({
  subject: oneOf('s', 't', 'c'),
  client: oneOf('c', 'd'),
  agent: oneOf(null, 'bot', 'other'),
  tool: oneOf('get_one', 'get_all', 'put'),
  subjectRoles: fc.subarray(['a', 'b']),
  agentRoles: fc.subarray(['a', 'b']),
})

const server = facts().server
const tenantRows = (policies: readonly PolicyRow[]): TenantRows => ({
  tenant: 'acme',
  issuers: [],
  registrations: [],
  roles: [],
  servers: new Map([
    ['crm', { facts: { ...server, name: 'crm' }, url: '', toolRows: TOOL_ROWS, tools: TOOLS }],
  ]),
  policies,
  rules: [],
})
const input = { scratch: { originOf: () => null }, tenants: [] } as unknown as CheckInput

type Call = typeof CALL extends fc.Arbitrary<infer T> ? T : never

function allowed(policies: readonly PolicyRow[], call: Call): boolean {
  const { tool, subjectRoles, agentRoles, ...caller } = call
  const known = facts({
    server: { ...server, name: 'crm' },
    tool: TOOLS.find(tool),
    agentActive: caller.agent === null ? null : true,
    subjectRoles: roles(...subjectRoles),
    agentRoles: roles(...agentRoles),
  })
  return evaluate(request(caller, {}, tool), compilePolicies(policies), known).refusal === null
}

describe('rows that are said to change nothing', () => {
  it('change no decision when they are left out', () => {
    let reported = 0
    fc.assert(
      fc.property(
        fc.array(ROW, { minLength: 2, maxLength: 5 }),
        fc.array(CALL, { minLength: 10, maxLength: 10 }),
        (columns, calls) => {
          const policies = columns.map((row, at): PolicyRow => ({ ...row, id: `p${at}` }))
          const found = policiesMatter(tenantRows(policies), input)
          if (found.length > 0) reported += 1
          const each = found.map(({ key }) => [key[1]])
          // One at a time, and all of them as an author would who follows the advice at once.
          for (const left of [...each, each.flat()]) {
            const rest = policies.filter(({ id }) => !left.includes(id))
            for (const call of calls) expect(allowed(rest, call)).toBe(allowed(policies, call))
          }
        },
      ),
      { numRuns: 2000 },
    )
    expect(reported).toBeGreaterThan(200)
  })
})
