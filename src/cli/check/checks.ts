import { buildScratch, type Scratch } from '../scratch/scratch.ts'
import type { Source } from '../scratch/sources.ts'
import { positionOf, tableOf } from '../scratch/statements.ts'
import { readTenants, type TenantRows } from '../scratch/tenant-rows.ts'
import { messageOf } from '../mistake.ts'
import { conditionsCompile, conditionsHold } from './conditions.ts'
import { consentsCount } from './consents.ts'
import { credentialsAreUsable, credentialsEnd } from './credentials.ts'
import { delegatesMayAct } from './delegates.ts'
import { labelsExist, rulesCanHold } from './labels.ts'
import { actorsExist, environmentsExist, rolesAreHeld, serversExist, toolsExist } from './names.ts'
import { policiesMatter } from './overlap.ts'
import { labelsAreReviewed, toolsArePinned } from './pins.ts'
import { pointersPoint } from './pointers.ts'
import { toProblem, type Problem, type RowCheck } from './problem.ts'
import { resourceLabelsAreKnown, resourcesAreNormal } from './resources.ts'
import {
  issuersAreTrusted,
  rulesAreReadable,
  serversEnforce,
  serverUrlsAreTrusted,
} from './rows.ts'
import { revocationsName } from './revocations.ts'
import { lostTriggers, tenantlessTables } from './schema-changes.ts'
import { targetsAreNamed } from './targets.ts'
import { aliasesAreUsed, streamsAreHeard } from './streams.ts'
import { callersAreKnown, issuersExist } from './trust.ts'
import { rulesFindTheirKeys } from './rule-groups.ts'
import { rulesLeaveRoom } from './rule-histories.ts'
import { argumentsExist, comparisonsCanHold } from './vain-conditions.ts'
import { rulesFindTheirValues } from './vain-rules.ts'
import { openersAreKnown, requiredTasksCanBe, tasksCount } from './tasks.ts'
import { allowsSayWho } from './who.ts'

interface CheckDefinition {
  readonly check: RowCheck
  /** It compares rows with each other: after a refused statement it would report what is missing. */
  readonly needsAllRows: boolean
}

const alone = (check: RowCheck): CheckDefinition => ({ check, needsAllRows: false })
const among = (check: RowCheck): CheckDefinition => ({ check, needsAllRows: true })

/** Everything that is looked at, row by row: a new check is a new line here. */
const CHECKS: readonly CheckDefinition[] = [
  alone(conditionsCompile),
  alone(allowsSayWho),
  alone(rulesAreReadable),
  alone(serverUrlsAreTrusted),
  alone(serversEnforce),
  alone(issuersAreTrusted),
  alone(toolsArePinned),
  alone(labelsAreReviewed),
  alone(resourcesAreNormal),
  among(conditionsHold),
  among(argumentsExist),
  among(comparisonsCanHold),
  among(targetsAreNamed),
  among(serversExist),
  among(toolsExist),
  among(labelsExist),
  among(environmentsExist),
  among(actorsExist),
  among(rolesAreHeld),
  among(issuersExist),
  among(rulesCanHold),
  among(rulesFindTheirValues),
  among(rulesFindTheirKeys),
  among(rulesLeaveRoom),
  among(policiesMatter),
  among(pointersPoint),
  among(resourceLabelsAreKnown),
  among(consentsCount),
  among(tasksCount),
  among(openersAreKnown),
  among(requiredTasksCanBe),
  among(callersAreKnown),
  among(delegatesMayAct),
  among(credentialsAreUsable),
  among(credentialsEnd),
  among(revocationsName),
  among(streamsAreHeard),
  among(aliasesAreUsed),
]

/** All problems of these files on top of `migrations/`, in the order of files and lines. */
export function findProblems(sources: readonly Source[]): Problem[] {
  const scratch = buildScratch(sources)
  const statements = [
    ...refusedStatements(scratch),
    ...lostTriggers(scratch),
    ...tenantlessTables(scratch),
  ]
  const read = readAll(scratch, sources)
  if ('problem' in read) return [...statements, read.problem]
  const complete = scratch.refusals.length === 0
  const found = CHECKS.filter(({ needsAllRows }) => complete || !needsAllRows).flatMap(
    ({ check }) => read.tenants.flatMap((rows) => check(rows, { scratch, tenants: read.tenants })),
  )
  const fileOrder = new Map(sources.map(({ name }, at) => [name, at]))
  return [...statements, ...found.map((finding) => toProblem(finding, scratch))].toSorted(
    (a, b) =>
      (fileOrder.get(a.file) ?? -1) - (fileOrder.get(b.file) ?? -1) ||
      a.line - b.line ||
      a.column - b.column,
  )
}

const refusedStatements = ({ refusals }: Scratch): Problem[] =>
  refusals.map(({ origin: { source, statement }, message }) => ({
    code: 'sql_error',
    file: source.name,
    table: tableOf(statement),
    row: '',
    ...positionOf(source.text, statement.from),
    message: `refused: ${message}; ${adviceOn(message)}`,
  }))

/** What SQLite says of a CHECK is its SQL. */
const ADVICE: readonly (readonly [says: string, advice: string])[] = [
  [
    'FOREIGN KEY',
    'a tenant, server, tool or resource type that it names has no row: give the files that add it first',
  ],
  [
    'THEN 64 ELSE 256',
    'a session tells counts up to 63 and distinct values up to 255: let `condition` ask for less',
  ],
  [
    "scope <> 'task'",
    'only counts and sums are kept by task: give the rule another `scope`, or say it by a policy on tasks',
  ],
  [
    '"decision.denied"',
    'a denial counts against whoever was denied: give the rule the `scope` `actor`',
  ],
  [
    "WHEN 'provenance' THEN role",
    '`provenance` needs `role` and `origins`, and no `rules` or `group_by`; counts need one label, `timespan_s` and `condition`, and those of values `field` too; all others need a label',
  ],
]

const adviceOn = (message: string): string =>
  ADVICE.find(([says]) => message.includes(says))?.[1] ??
  'put it right, and check again for what depends on it'

type Read = { readonly tenants: readonly TenantRows[] } | { readonly problem: Problem }

/** A file may have changed the schema so far that the rows cannot be read at all. */
function readAll({ database }: Scratch, sources: readonly Source[]): Read {
  try {
    return { tenants: readTenants(database) }
  } catch (error) {
    const problem = {
      code: 'schema_unreadable',
      file: sources.at(-1)?.name ?? '',
      table: '',
      row: '',
      line: 1,
      column: 1,
      message: `after these files the rows cannot be read: ${messageOf(error)}; keep the tables of migrations/ as they are`,
    }
    return { problem }
  }
}
