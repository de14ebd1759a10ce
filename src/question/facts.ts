// What was looked up, as door two is told it.
import type { Actor, Facts, ToolFacts } from '../pdp/evaluation.ts'
import { resourceKey, targetOf, type FieldReading } from '../pdp/resources.ts'
import type { CompiledServer, CompiledTenant } from '../storage/compiled.ts'
import type { FreshFacts } from '../storage/facts.ts'

export function factsOf(
  fresh: FreshFacts,
  server: CompiledServer,
  tool: ToolFacts | null,
  read: FieldReading,
  { tenant, issuer }: Actor,
  issuers: CompiledTenant['issuers'],
): Facts {
  // Where no row tells, door one or the AuthZEN doors refuse for that.
  const namesPeople = issuers.get(issuer)?.kind === 'oauth'
  const named = read.kind === 'named' ? read.resources : []
  return {
    revision: fresh.revision ?? '',
    tenantActive: fresh.tenantActive,
    callsPerMinute: fresh.callsPerMinute,
    server: server.facts,
    clientActive: fresh.clientActive,
    clientActsForUsers: fresh.clientActsForUsers && namesPeople,
    agentActive: fresh.agentActive,
    subjectRoles: fresh.subjectRoles,
    agentRoles: fresh.agentRoles,
    revocations: fresh.revocations,
    tool,
    sighting: fresh.sightings.get(tool?.row ?? '') ?? null,
    targets: named.map((one) =>
      targetOf(one, fresh.resources.get(resourceKey(one)) ?? null, tenant),
    ),
    unreadable: unreadableOf(read),
    consents: fresh.consents,
    tasks: fresh.tasks,
    ...(fresh.signals === null ? {} : { signals: fresh.signals }),
    transactionIsTask: fresh.transactionIsTask,
    issuerOpensTasks: issuers.get(issuer)?.opensTasks === true,
  }
}

function unreadableOf(read: FieldReading): Facts['unreadable'] {
  switch (read.kind) {
    case 'named':
      return null
    case 'unreadable':
      return { kind: 'not_a_name', pointer: read.pointer }
    case 'too_many':
      return { kind: 'too_many' }
  }
}
