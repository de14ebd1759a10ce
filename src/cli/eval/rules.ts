// The rule sets of `examples/evaluation`, and any other: SQL, applied to a database of its own with
// every migration of Sallyport, so that its CHECKs hold here as they do in production.
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import type { SequenceRuleRow } from '../../pdp/sequence/rule.ts'
import { messageOf, Mistake } from '../mistake.ts'
import { migrationSources } from '../scratch/sources.ts'
import { readText } from './lines.ts'
import { EXAMPLES } from './maps.ts'

/** Of the sets that build on another, what comes first. */
const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  strict: ['standard'],
}

export const TENANT = 'evaluation'

/** `name`: `standard`, `strict`, `read-before-write`, or a file of SQL for the tenant `evaluation`. */
export function readRules(name: string): SequenceRuleRow[] {
  const files = [...(BUILT_ON[name] ?? []), name].map(fileOf)
  const database = new DatabaseSync(':memory:')
  try {
    for (const { text } of migrationSources()) database.exec(text)
    database.prepare('INSERT INTO tenants (id) VALUES (?)').run(TENANT)
    for (const file of files) {
      try {
        database.exec(readText(file))
      } catch (error) {
        throw new Mistake(`\`${file}\`: ${messageOf(error)}`)
      }
    }
    return database.prepare(SELECT).all(TENANT) as unknown as SequenceRuleRow[]
  } finally {
    database.close()
  }
}

const SELECT = `SELECT id, effect, on_label AS onLabel, on_access AS onAccess, unless_label AS unlessLabel,
  on_where AS onWhere, type, rules, group_by AS groupBy, scope, timespan_s AS timespanSeconds,
  until_label AS untilLabel, field, condition, role, origins, reason
  FROM sequence_rules WHERE tenant = ? AND enabled = 1 ORDER BY id`

function fileOf(name: string): string {
  const stored = /^[a-z-]+$/.test(name) ? join(EXAMPLES, `${name}.sql`) : name
  if (!existsSync(stored)) throw new Mistake(`there are no rules \`${name}\``)
  return stored
}
