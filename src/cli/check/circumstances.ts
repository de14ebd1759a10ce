// Who could call and what they could touch, for a condition that is tried out.
import type { JsonObject } from '../../mcp/value.ts'
import type { Target } from '../../pdp/resources.ts'
import { TargetVariable, type ConditionVariables } from '../../pdp/variables.ts'
import type { ReachedTool } from './reach.ts'

/**
 * Somebody without anything, and somebody with every role and name that the condition mentions; each
 * with every kind of target that these tools have.
 */
export function circumstances(
  texts: readonly string[],
  tools: readonly ReachedTool[],
): ConditionVariables[] {
  const touched = targetsOf(tools, texts)
  return peopleOf(texts).flatMap((person) => touched.map((targets) => ({ ...person, targets })))
}

function peopleOf(texts: readonly string[]): ConditionVariables[] {
  const nobody: ConditionVariables = {
    subject: { id: 'somebody', kind: 'user', issuer: 'https://issuer.example', roles: [], acr: '' },
    client: { id: 'client', sender_constrained: false },
    agent: { id: '', present: false, roles: [] },
    tool: {
      name: 'tool',
      server: 'server',
      access: 'read',
      labels: [...texts],
      environment: 'production',
    },
    args: Object.create(null) as JsonObject,
    targets: [],
    task: { present: false, id: '', purpose: '', approved: false },
    signals: { assurance: '', device: '', risk: '', claims: Object.create(null) as JsonObject },
    network: { ip: '', country: '', asn: 0n },
    time: { now: new Date(0) },
  }
  const [first = 'known'] = texts
  return [
    nobody,
    {
      ...nobody,
      subject: { ...nobody.subject, kind: 'workload', roles: [...texts], acr: first },
      client: { id: first, sender_constrained: true },
      agent: { id: first, present: true, roles: [...texts] },
      task: { present: true, id: first, purpose: first, approved: true },
      signals: { assurance: first, device: first, risk: first, claims: claimsOf(texts) },
      network: { ip: '203.0.113.7', country: first, asn: 64496n },
    },
  ]
}

/** Every text as a name and as a value: what a condition asks for is there. */
function claimsOf(texts: readonly string[]): JsonObject {
  const claims = Object.create(null) as Record<string, string>
  for (const text of texts) claims[text] = text
  return claims
}

/** INVARIANT: nothing is tried that could not be: a tool that must name a resource always does. */
function targetsOf(tools: readonly ReachedTool[], texts: readonly string[]): TargetVariable[][] {
  const fields = tools.map(({ row }) => row.arguments)
  const types = [...new Set(fields.flat().flatMap(({ type }) => type?.name ?? []))]
  const some = (types.length === 0 ? [] : types).map((type) => [
    new TargetVariable(targetIn(type, texts), true),
  ])
  const mayBeNone = fields.length === 0 || fields.some((of) => of.every(({ optional }) => optional))
  return mayBeNone || some.length === 0 ? [[], ...some] : some
}

const targetIn = (type: string, texts: readonly string[]): Target => ({
  type,
  id: texts[0] ?? 'something',
  from: 'arguments',
  foreign: false,
  row: {
    tenant: '',
    id: texts[0] ?? 'something',
    pattern: false,
    owner: { issuer: 'https://issuer.example', id: 'somebody' },
    sensitivity: 'internal',
    labels: [...texts],
  },
  sensitivity: 'internal',
})
