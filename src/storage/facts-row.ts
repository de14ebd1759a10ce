import type {
  Access,
  ConsentFact,
  RevocationFact,
  RoleFact,
  Sighting,
  TaskFact,
} from '../pdp/evaluation.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../pdp/refusal.ts'
import { resourceKey, type ResourceRow, type Sensitivity } from '../pdp/resources.ts'
import { readSignals } from './signal-facts.ts'
import type { FactKeys, FreshFacts, RoleHolder, TaskWords } from './facts.ts'
import { stateOf } from './freshness.ts'

/** The one row of the facts' statement, its lists as JSON. */
interface FactsRow {
  readonly revision: string | null
  readonly fresh: string | null
  readonly triggers: number
  readonly local_trust: number
  readonly tenant: string | null
  readonly client: string | null
  readonly agent: number | null
  readonly roles: string
  readonly revocations: string
  readonly revoked_tools: string
  readonly sightings: string
  readonly consents: string
  readonly tasks: string
  readonly transaction_is_task: number
  readonly resources: string
  readonly signals: string
}

export function readFactsRow(row: unknown, keys: FactKeys): FreshFacts {
  const { tenant, client, agent, roles, ...rest } = row as FactsRow
  const [active, callsPerMinute, ownDomains] =
    tenant === null ? [0, 0, []] : (JSON.parse(tenant) as [number, number, unknown[]])
  // Nobody has said of a client without a row that it may not: it is refused for having none.
  const [clientActive, actsForUsers] =
    client === null ? [0, 1] : (JSON.parse(client) as [number, number])
  const tasks = rows<TaskRow>(rest.tasks)
  const held = rows<HeldRow>(roles)
  return {
    revision: rest.revision,
    revisionTriggers: rest.triggers,
    state: stateOf(rest.revision ?? '', rest.fresh ?? ''),
    localTrust: rest.local_trust === 1,
    tenantActive: active === 1,
    callsPerMinute,
    clientActive: client === null ? null : clientActive === 1,
    clientActsForUsers: actsForUsers === 1,
    agentActive: agent === null ? null : agent === 1,
    subjectRoles: rolesOf(held, keys.subjectHolder),
    agentRoles: keys.agentHolder === null ? [] : rolesOf(held, keys.agentHolder),
    revocations: readRevocations(rest.revocations),
    revokedTools: new Set(rows<string>(rest.revoked_tools)),
    sightings: readSightings(rest.sightings),
    consents: readConsents(rest.consents),
    tasks: readTasks(tasks),
    transactionIsTask: rest.transaction_is_task === 1,
    words: readWords(tasks),
    ownDomains: ownDomains.filter(isText),
    resources: readResources(rest.resources),
    signals: readSignals(rest.signals),
  }
}

/** Each list comes in an order of its own, so that a record does not depend on the order of rows. */
const byId = <Row extends { readonly id: string }>(a: Row, b: Row): number => (a.id < b.id ? -1 : 1)

const rows = <Row>(json: string): readonly Row[] => JSON.parse(json) as readonly Row[]

type HeldRow = readonly [string, string, string, number | null]

const rolesOf = (held: readonly HeldRow[], [kind, id]: RoleHolder): RoleFact[] =>
  held
    .filter(([holderKind, holder]) => holderKind === kind && holder === id)
    .map(([, , role, expiresAt]) => ({ role, expiresAt }))
    .toSorted((a, b) => (a.role < b.role ? -1 : 1))

const readRevocations = (json: string): RevocationFact[] =>
  rows<[RevocationKind, string, string, number, number | null]>(json)
    .map(([kind, id, issuer, revokedAt, issuedBefore]) => ({
      kind,
      id,
      issuer,
      revokedAt,
      ...(issuedBefore === null ? {} : { issuedBefore }),
    }))
    .toSorted((a, b) => REVOCATION_KINDS.indexOf(a.kind) - REVOCATION_KINDS.indexOf(b.kind))

const readSightings = (json: string): ReadonlyMap<string, Sighting> =>
  new Map(
    rows<[string, string, number | null, number | null]>(json).map(
      ([tool, hash, matchedAt, differedAt]) => [tool, { hash, matchedAt, differedAt }],
    ),
  )

const readConsents = (json: string): ConsentFact[] =>
  rows<[string, string | null, Access | null, string | null, number | null, number | null]>(json)
    .map(([id, tool, access, definitionHash, expiresAt, revokedAt]) => ({
      id,
      tool,
      access,
      definitionHash,
      expiresAt,
      revokedAt,
    }))
    .toSorted(byId)

type TaskRow = readonly [
  id: string,
  agent: string | null,
  purpose: string,
  tools: string[] | null,
  access: string[] | null,
  dataClasses: string[] | null,
  maxCalls: number | null,
  approved: number,
  expiresAt: number,
  closedAt: number | null,
  shown: number,
  askedFor: string | null,
  namedValues: unknown[],
  revokedAt: number | null,
]

const readWords = (tasks: readonly TaskRow[]): ReadonlyMap<string, TaskWords> =>
  new Map(
    tasks.map(([id, , , , , , , , , , , text, values]) => [
      id,
      // One number has one spelling; what is neither text nor number names nothing.
      {
        text,
        values: values.filter((value) => isText(value) || Number.isSafeInteger(value)).map(String),
      },
    ]),
  )

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const readTasks = (tasks: readonly TaskRow[]): TaskFact[] =>
  tasks
    .map(
      ([id, agent, purpose, tools, access, dataClasses, maxCalls, approved, ...rest]): TaskFact => {
        const [expiresAt, closedAt, shown, , , revokedAt] = rest
        return {
          id,
          agent,
          purpose,
          // What is no text in a list names nothing.
          tools: tools?.filter(isText) ?? null,
          access: access?.filter(isText) ?? null,
          dataClasses: dataClasses?.filter(isText) ?? null,
          maxCalls,
          approved: approved === 1,
          expiresAt,
          closedAt,
          revokedAt,
          shown: shown === 1,
        }
      },
    )
    .toSorted(byId)

type StoredResource = readonly [
  tenant: string,
  id: string,
  pattern: number,
  ownerIssuer: string | null,
  owner: string | null,
  sensitivity: Sensitivity,
  labels: string[],
]

const readResources = (json: string): ReadonlyMap<string, ResourceRow> =>
  new Map(
    rows<[string, string, StoredResource | null]>(json).flatMap(([type, name, stored]) => {
      if (stored === null) return []
      const [tenant, id, pattern, issuer, owner, sensitivity, labels] = stored
      const row: ResourceRow = {
        tenant,
        id,
        pattern: pattern === 1,
        owner: owner === null || issuer === null ? null : { issuer, id: owner },
        sensitivity,
        labels,
      }
      return [[resourceKey({ type, id: name }), row]]
    }),
  )
