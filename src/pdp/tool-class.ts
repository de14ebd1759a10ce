// Pure. What one call of a tool is, by its rows and its arguments: its class of access, and the labels
// that hold whatever a row forgets to say.
import type { JsonObject } from '../mcp/value.ts'
import {
  compileArgumentCondition,
  type ArgumentCondition,
  type ConditionProblem,
} from './condition.ts'
import {
  ACCESS,
  type Access,
  type Depending,
  type EvaluationRequest,
  type Facts,
} from './evaluation.ts'
import type { ToolRow } from './tools.ts'

/** A tool's row and where it stands, ready to be asked about calls. */
export interface ToolClass {
  readonly row: ToolRow
  /** null: the call is not known yet, as in a listing; then what its most dangerous call is. */
  readonly access: (given: JsonObject | null) => Access
  readonly labels: (given: JsonObject | null) => readonly string[]
  /** What the arguments decide; null where they decide nothing. */
  readonly depends: Depending | null
  readonly problems: () => readonly ConditionProblem[]
}

export function classify(row: ToolRow, serverIsInternal: boolean): ToolClass {
  const conditions = new Map<string, ReturnType<typeof compileArgumentCondition>>()
  const conditionOf = (text: string) => {
    const known = conditions.get(text) ?? compileArgumentCondition(text)
    conditions.set(text, known)
    return known
  }
  const ask: Ask = (text, given) => {
    if (text === null) return true
    if (given === null) return null
    const condition = conditionOf(text)
    return condition.ok ? answerOf(condition.value, given) : null
  }
  const access = (given: JsonObject | null) => accessOf(row, given, ask)
  return {
    row,
    access,
    labels: (given) =>
      given === null
        ? labelsOfAny(row, serverIsInternal)
        : labelsOf(row, access(given), serverIsInternal, (text) => ask(text, given)),
    depends: dependsOn(row, serverIsInternal),
    problems: () =>
      [...row.labels, ...row.accessWhen].flatMap(({ condition }) => {
        const compiled = condition === null ? null : conditionOf(condition)
        return compiled === null || compiled.ok ? [] : [compiled.error]
      }),
  }
}

/** null: it cannot be said. */
type Ask = (text: string | null, given: JsonObject | null) => boolean | null

function answerOf(condition: ArgumentCondition, args: JsonObject): boolean | null {
  const outcome = condition.evaluate({ args })
  return outcome.ok ? outcome.value : null
}

/**
 * INVARIANT: where a condition cannot be evaluated, its class and the tool's own both count, and of
 * all that count the most dangerous one holds.
 */
function accessOf(row: ToolRow, given: JsonObject | null, ask: Ask): Access {
  const classes = new Set<Access>()
  let known = true
  for (const { access, condition } of row.accessWhen) {
    const holds = ask(condition, given)
    if (holds === null) known = false
    if (holds !== false) classes.add(access)
  }
  if (classes.size === 0 || !known) classes.add(row.access)
  return ACCESS.findLast((access) => classes.has(access)) ?? row.access
}

const EXTERNAL_SEND = 'sink.external_send'

/** A class of access is a label too, so that a rule on exports cannot be slipped by leaving one out. */
const ACCESS_LABEL: Readonly<Record<Access, string | null>> = {
  read: null,
  write: 'sink.update',
  export: 'sink.export',
  admin: 'sink.privileged',
  destructive: 'sink.destructive',
}

/**
 * INVARIANT: labels that nobody has reviewed are the worst ones, a label whose condition cannot be
 * evaluated holds, and a call to a server outside the organisation is an external send of its
 * arguments.
 */
function labelsOf(
  row: ToolRow,
  access: Access,
  serverIsInternal: boolean,
  holds: (condition: string | null) => boolean | null,
): readonly string[] {
  const named = row.labels.filter(({ condition }) => holds(condition) !== false)
  const labels = new Set(named.map(({ label }) => label))
  const byAccess = ACCESS_LABEL[access]
  if (byAccess !== null) labels.add(byAccess)
  if (!row.labelsReviewed) {
    labels.add('source.untrusted')
    labels.add('source.confidential')
    labels.add(EXTERNAL_SEND)
  }
  if (!serverIsInternal) labels.add(EXTERNAL_SEND)
  return [...labels].toSorted()
}

/** Every label that some call of this tool carries. */
const labelsOfAny = (row: ToolRow, serverIsInternal: boolean): readonly string[] =>
  [
    ...new Set(
      classesOf(row).flatMap((access) => labelsOf(row, access, serverIsInternal, () => true)),
    ),
  ].toSorted()

const classesOf = (row: ToolRow): readonly Access[] => [
  ...new Set([row.access, ...row.accessWhen.map(({ access }) => access)]),
]

function dependsOn(row: ToolRow, serverIsInternal: boolean): Depending | null {
  const access = classesOf(row)
  const anyLabel = row.arguments.some(({ type }) => type !== null)
  const conditional = row.labels.some(({ condition }) => condition !== null)
  if (access.length === 1 && !conditional && !anyLabel) return null
  // What the mildest call carries, every call does.
  const mildest = access.length === 1 ? row.access : 'read'
  const certain = labelsOf(row, mildest, serverIsInternal, (condition) => condition === null)
  const labels = labelsOfAny(row, serverIsInternal).filter((label) => !certain.includes(label))
  return { access, labels, anyLabel }
}

/**
 * What a call is to the rules. What is no tool call carries text all the same (names, cursors,
 * `_meta`), and to a server outside the organisation that is a send like any other. What a listing
 * shows does not depend on it.
 */
export function labelsOfQuestion(request: EvaluationRequest, facts: Facts): readonly string[] {
  const unknown = request.resource.type === 'tool' && facts.tool === null
  return unknown ? UNKNOWN_TOOL_LABELS : labelsOfCall(facts)
}

/** Of a tool that has a row, or of no tool call. */
export function labelsOfCall({
  tool,
  server,
  targets,
}: Pick<Facts, 'tool' | 'server' | 'targets'>): readonly string[] {
  if (tool === null) return server.internal ? [] : [EXTERNAL_SEND]
  if (targets.length === 0) return tool.labels
  const touched = targets.flatMap(({ row }) => row?.labels ?? [])
  return touched.length === 0 ? tool.labels : [...new Set([...tool.labels, ...touched])].toSorted()
}

/** A tool without a row passes only while its server is observed; it counts as the worst. */
export const UNKNOWN_TOOL_LABELS: readonly string[] = [
  'sink.destructive',
  'sink.export',
  EXTERNAL_SEND,
  'sink.privileged',
  'sink.update',
  'source.confidential',
  'source.untrusted',
]
