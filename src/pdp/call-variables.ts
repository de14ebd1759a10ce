// Pure. What a condition sees of one call.
import type { JsonObject } from '../mcp/value.ts'
import type { Actor, EvaluationRequest, Facts } from './evaluation.ts'
import type { Principal } from './principals.ts'
import type { Target } from './resources.ts'
import { signalVariables } from './signals.ts'
import { taskOf } from './task.ts'
import { labelsOfCall } from './tool-class.ts'
import { TargetVariable, type ConditionVariables } from './variables.ts'

export function variablesOf(
  actor: Actor,
  request: EvaluationRequest,
  facts: Facts,
  passes: readonly Principal[],
): ConditionVariables {
  const { type, properties } = request.subject
  const { arguments: args, network, now } = request.context
  const rolesOf = (pass: string): string[] => [
    ...(passes.find((principal) => principal.pass === pass)?.roles ?? []),
  ]
  const { task } = taskOf(actor, request, facts)
  return {
    subject: {
      id: actor.subject,
      kind: type,
      issuer: actor.issuer,
      roles: rolesOf('subject'),
      acr: properties.acr ?? '',
    },
    client: { id: actor.client, sender_constrained: properties.senderConstrained },
    agent: { id: actor.agent ?? '', present: actor.agent !== null, roles: rolesOf('agent') },
    tool: {
      name: facts.tool?.name ?? '',
      server: facts.server.name,
      access: facts.tool?.access ?? '',
      labels: labelsOfCall(facts),
      environment: facts.tool?.environment ?? '',
    },
    args: args ?? NO_ARGUMENTS,
    targets: facts.targets.map((target) => new TargetVariable(target, owns(actor, type, target))),
    task: {
      present: task !== null,
      id: task?.id ?? '',
      purpose: task?.purpose ?? '',
      approved: task?.approved ?? false,
    },
    signals: signalVariables(facts),
    network: {
      ip: network.ip ?? '',
      country: network.country ?? '',
      asn: BigInt(network.asn ?? 0),
    },
    // A moment that was given, as the engine wants it; nobody looks at a clock.
    // oxlint-disable-next-line no-restricted-globals
    time: { now: new Date(now) },
  }
}

/** Owners are people: a client that happens to be called like one owns nothing. */
const owns = (actor: Actor, kind: 'user' | 'workload', { row }: Target): boolean =>
  kind === 'user' && row?.owner?.issuer === actor.issuer && row.owner.id === actor.subject

const NO_ARGUMENTS = Object.create(null) as JsonObject
