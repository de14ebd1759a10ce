// Whether one policy speaks of every call that another one speaks of.
import { acrValues } from '../../pdp/assurance.ts'
import { ACCESS, type Access } from '../../pdp/evaluation.ts'
import { parseGlob } from '../../pdp/glob.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import { labelsOfRow, type TenantRows } from '../scratch/tenant-rows.ts'
import { toolOf } from './labels.ts'

/** A row with what is certain of the calls that it reaches, whether or not its columns say so. */
export interface Reaching extends PolicyRow {
  readonly knownAccess: string | null
  readonly knownEnvironment: string | null
  readonly knownLabels: readonly string[]
}

export function reaching(row: PolicyRow, { servers }: TenantRows): Reaching {
  const server = row.server === null ? undefined : servers.get(row.server)
  const exact = row.tool !== null && parseGlob(row.tool).exact
  const tool = (exact ? server?.tools.find(row.tool ?? '', null) : null) ?? null
  const depends = tool?.depends ?? null
  // What the arguments decide is not certain.
  const ofTool = tool?.labels.filter((label) => depends?.labels.includes(label) !== true)
  const ofAccess = row.access === null ? [] : LABELS_OF_ACCESS[row.access]
  const access = depends === null || depends.access.length === 1 ? (tool?.access ?? null) : null
  return {
    ...row,
    knownAccess: row.access ?? access,
    knownEnvironment: row.environment ?? tool?.environment ?? null,
    knownLabels: [...(ofTool ?? []), ...ofAccess, ...(row.label === null ? [] : [row.label])],
  }
}

/** An export carries `sink.export` without anybody labelling it; the core knows which do. */
const LABELS_OF_ACCESS = Object.fromEntries(
  ACCESS.map((access) => [access, labelsOfRow(toolOf(access, true), true)]),
) as Record<Access, readonly string[]>

export const MATCHED = [
  'role',
  'client',
  'agent',
  'server',
  'tool',
  'access',
  'label',
  'environment',
] as const

export const sameColumns = (a: PolicyRow, b: PolicyRow): boolean =>
  MATCHED.every((column) => a[column] === b[column])

/** NULL restricts nothing, and in this column `*` neither. */
const agentOf = ({ agent }: PolicyRow): string | null => (agent === '*' ? null : agent)

/** Whether every call that fits `narrow` fits `wide`, roles aside. */
const coversColumns = (wide: Reaching, narrow: Reaching): boolean =>
  (wide.client === null || wide.client === narrow.client) &&
  (agentOf(wide) === null || agentOf(wide) === agentOf(narrow)) &&
  (wide.server === null || wide.server === narrow.server) &&
  (wide.access === null || wide.access === narrow.knownAccess) &&
  (wide.environment === null || wide.environment === narrow.knownEnvironment) &&
  (wide.label === null || narrow.knownLabels.includes(wide.label)) &&
  coversTool(wide.tool, narrow.tool)

/** A pattern that matches another one's text matches whatever that one matches. */
const coversTool = (wide: string | null, narrow: string | null): boolean =>
  wide === null || (narrow !== null && parseGlob(wide).matches(narrow))

/** A deny without a role speaks of everybody; with one, of whom the allow needs to hold it too. */
export const denies = (deny: Reaching, row: Reaching): boolean =>
  coversColumns(deny, row) && (deny.role === null || deny.role === row.role)

const namesSoftware = ({ client, agent }: PolicyRow): boolean => client !== null || agent !== null

/** An allow counts for the software only where it names it: the wider one must do so as well. */
export const allows = (wide: Reaching, narrow: Reaching): boolean =>
  coversColumns(wide, narrow) &&
  asksNoMore(wide, narrow) &&
  (wide.role === narrow.role
    ? namesSoftware(wide) || !namesSoftware(narrow)
    : wide.role === null && namesSoftware(wide))

/** INVARIANT: an allow that asks for more does not stand in for one that asks for less. */
function asksNoMore(wide: PolicyRow, narrow: PolicyRow): boolean {
  const accepted = acrValues(wide)
  const age = narrow.maxAuthAgeSeconds
  return (
    (wide.requireAcr === null ||
      (narrow.requireAcr !== null && acrValues(narrow).every((acr) => accepted.includes(acr)))) &&
    (wide.maxAuthAgeSeconds === null || (age !== null && age <= wide.maxAuthAgeSeconds)) &&
    (!wide.requireSenderConstrained || narrow.requireSenderConstrained) &&
    (!wide.requireApproval || narrow.requireApproval) &&
    (wide.requireTask === null ||
      narrow.requireTask === 'approved' ||
      wide.requireTask === narrow.requireTask)
  )
}
