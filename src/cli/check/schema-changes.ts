// What a migration does to the tables themselves.
import type { Scratch } from '../scratch/scratch.ts'
import { positionOf } from '../scratch/statements.ts'
import type { Problem } from './problem.ts'

/** Every decision counts these triggers, and a wrong count is a 503 for every call. */
export function lostTriggers({ triggerChanges }: Scratch): Problem[] {
  const ours = triggerChanges.filter(
    ({ trigger, change }) => change !== 'new' || trigger.name.startsWith('revision_'),
  )
  const byPlace = Map.groupBy(
    ours,
    ({ trigger, change, origin }) => `${trigger.table} ${change} ${origin.order}`,
  )
  return [...byPlace.values()].flatMap((changes) => {
    const [first] = changes
    if (first === undefined) return []
    const { trigger, change, origin } = first
    const names = changes.map((one) => `\`${one.trigger.name}\``).join(', ')
    return [
      {
        code: 'revision_triggers',
        file: origin.source.name,
        table: trigger.table,
        row: '',
        ...positionOf(origin.source.text, origin.statement.from),
        message:
          change === 'new'
            ? `names beginning with \`revision_\` are counted at each call; give ${names} another name`
            : `after this statement ${names} ${change === 'gone' ? 'is gone' : 'says something else'}; create it again as migrations/ does`,
      },
    ]
  })
}

/** A row that belongs to no tenant belongs to all of them. */
export const tenantlessTables = ({ newTables }: Scratch): Problem[] =>
  newTables
    .filter(({ columns }) => !columns.includes('tenant'))
    .map(({ name, origin: { source, statement } }) => ({
      code: 'table_without_tenant',
      file: source.name,
      table: name,
      row: '',
      ...positionOf(source.text, statement.from),
      message: `its rows belong to no tenant; add \`tenant TEXT NOT NULL REFERENCES tenants (id)\``,
    }))
