import { Mistake } from '../mistake.ts'
import { buildScratch } from '../scratch/scratch.ts'
import { sqlSources } from '../scratch/sources.ts'
import { positionOf } from '../scratch/statements.ts'
import type { DatabaseSync } from 'node:sqlite'

/** The rows of these files; a file that SQLite refuses leaves nothing to decide over. */
export function openDatabase(paths: readonly string[]): DatabaseSync {
  const { database, refusals } = buildScratch(sqlSources(paths))
  const [first] = refusals
  if (first === undefined) return database
  const { source, statement } = first.origin
  const { line, column } = positionOf(source.text, statement.from)
  throw new Mistake(`${source.name}:${line}:${column}: ${first.message}`)
}
