import type { JsonObject } from '../../../src/mcp/value.ts'
import { TargetVariable, type ConditionVariables } from '../../../src/pdp/variables.ts'
import { NOW, target } from './build.ts'

/** What a decision supplies to a condition, in plain; with so many resources that the call names. */
export const variables = (args: JsonObject, targets = 0): ConditionVariables => ({
  subject: { id: 'alice', kind: 'user', issuer: 'i', roles: ['sales'], acr: '' },
  client: { id: 'c', sender_constrained: false },
  agent: { id: '', present: false, roles: [] },
  tool: { name: 't', server: 's', access: 'read', labels: ['a.b'], environment: 'production' },
  args,
  targets: Array.from(
    { length: targets },
    (_, at) => new TargetVariable(target({ id: `acc-${at}`, labels: ['a.b', 'c.d'] }), false),
  ),
  task: { present: false, id: '', purpose: '', approved: false },
  signals: { assurance: '', device: '', risk: '', claims: Object.create(null) as JsonObject },
  network: { ip: '', country: '', asn: 0n },
  time: { now: new Date(NOW) },
})
