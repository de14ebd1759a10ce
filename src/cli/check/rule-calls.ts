// The calls that sequence rules are tried on: one of each tool, with one value for each of its roles.
import { NOTHING_ASKED } from '../../pdp/provenance/asked.ts'
import type { Moment, Step, StepValue } from '../../pdp/sequence/step.ts'
import { labelsOfRow, type TenantRows } from '../scratch/tenant-rows.ts'

export interface ModelCall {
  readonly server: string
  readonly tool: string
  readonly access: string
  readonly labels: readonly string[]
  readonly values: readonly StepValue[]
}

export function modelCalls({ servers, tables }: TenantRows): ModelCall[] {
  return [...servers.values()].flatMap(({ toolRows, facts }) =>
    toolRows.map((row) => ({
      server: facts.name,
      tool: row.name,
      access: row.access,
      labels: labelsOfRow(row, facts.internal),
      values: tables.toolArguments
        .filter(
          ({ server, tool, role }) => server === facts.name && tool === row.name && role !== null,
        )
        .map(({ role, resourceType }) => ({
          role: role ?? '',
          type: resourceType,
          text: 'x',
          digest: 'x',
          amount: 1,
        })),
    })),
  )
}

export const stepFor = (call: ModelCall, now: Moment): Step => ({
  ...call,
  actorKey: 'actor',
  taskKey: 'task',
  now,
  asked: NOTHING_ASKED,
  ownDomains: [],
})

export const nameOf = ({ server, tool }: ModelCall): string => `\`${server}/${tool}\``

/** Whether it passes a value of this role or resource type. */
export const hasField = ({ values }: ModelCall, field: string): boolean =>
  values.some(({ role, type }) => role === field || type === field)
