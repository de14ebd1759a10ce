// Resources: names that could never be met, and labels that nothing waits for.
import { resourceName, type ResourceForm } from '../../pdp/resource-name.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import { DERIVED } from './labels.ts'
import type { Finding, RowCheck } from './problem.ts'

/** What a call names is brought into its form before it is looked up; the rows must be in it. */
export const resourcesAreNormal: RowCheck = ({ tenant, tables }) => {
  const forms = new Map(tables.resourceTypes.map(({ name, form }) => [name, form]))
  return tables.resources.flatMap(({ type, id, pattern }): Finding[] => {
    const form = forms.get(type) ?? 'exact'
    const normal = pattern ? normalPattern(form, id) : resourceName(form, id)
    if (normal === id) return []
    const advice = normal === null ? `give a name of the form \`${form}\`` : `write \`${normal}\``
    return [
      {
        code: 'resource_not_normal',
        table: 'resources',
        key: [tenant, type, id],
        message: `\`${id}\` is never met, because names of \`${type}\` are compared in the form \`${form}\`; ${advice}`,
      },
    ]
  })
}

/** What could stand for the `*`, by what some form lets stand there. */
const FILLERS = ['x', '0', 'x.example', 'x@example.com']

/** null: nothing that could stand for the `*` makes a name of it. */
function normalPattern(form: ResourceForm, id: string): string | null {
  if (id === '*') return id
  const made = FILLERS.flatMap((filler) => {
    const normal = resourceName(form, id.replace('*', filler))
    return normal === null || !normal.includes(filler) ? [] : [normal.replace(filler, '*')]
  })
  return made.find((normal) => normal === id) ?? made[0] ?? null
}

const LABEL = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/

export const resourceLabelsAreKnown: RowCheck = (rows) => {
  const known = waitedFor(rows)
  return rows.tables.resources.flatMap(({ type, id, labels }): Finding[] => {
    const at = { table: 'resources', key: [rows.tenant, type, id] } as const
    const { texts, pure } = textsOf(labels)
    const malformed = texts.filter((label) => !LABEL.test(label))
    if (!pure || malformed.length > 0) {
      const what = malformed.length === 0 ? 'what is no text' : `\`${malformed.join('`, `')}\``
      const message = `\`labels\` holds ${what}, which no rule can name; write labels such as \`source.confidential\``
      return [{ ...at, code: 'resource_label', message }]
    }
    return texts
      .filter((label) => !known.has(label))
      .map((label) => ({
        ...at,
        code: 'warn_unknown_label',
        message: `no policy, rule or tool speaks of the label \`${label}\`; ${hint(label, [...known])}`,
      }))
  })
}

/** A label that is named in a condition is a word of it. */
const waitedFor = ({ tables }: TenantRows): ReadonlySet<string> =>
  new Set([
    ...DERIVED,
    ...tables.toolLabels.map(({ label }) => label),
    ...tables.policies.flatMap(({ label, condition }) => [
      ...(label === null ? [] : [label]),
      ...(condition?.match(/[a-z][a-z0-9_]*(\.[a-z0-9_]+)+/g) ?? []),
    ]),
    ...tables.sequenceRules.flatMap(({ onLabel, untilLabel, rules }) => [
      onLabel,
      ...(untilLabel === null ? [] : [untilLabel]),
      ...textsOf(rules).texts,
    ]),
  ])
