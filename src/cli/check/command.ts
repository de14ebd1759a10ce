import { parseArgs } from 'node:util'
import { migrationSources, orDefaultFolder, sqlSources } from '../scratch/sources.ts'
import { findProblems } from './checks.ts'
import { isWarning, type Problem } from './problem.ts'

export function check(args: readonly string[]): boolean {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const sources = sqlSources(orDefaultFolder(positionals))
  const problems = findProblems(sources)
  const errors = problems.filter((problem) => !isWarning(problem))
  const ok = errors.length === 0
  if (values.json) {
    console.log(JSON.stringify({ ok, problems }))
    return ok
  }
  for (const problem of problems) console.error(lineOf(problem))
  const files = `${many(sources.length, 'file')} on top of ${many(migrationSources().length, 'migration')}`
  const warnings = problems.length - errors.length
  const counts = `${many(errors.length, 'error')}, ${many(warnings, 'warning')}`
  console.log(`${ok ? 'ok' : 'not ok'}: ${files}, ${counts}`)
  return ok
}

function lineOf({ code, file, table, row, line, column, message }: Problem): string {
  const where = [table, row].filter((part) => part !== '').join(' ')
  return `${file}:${line}:${column}: ${code}: ${where === '' ? '' : `${where}: `}${message}`
}

const many = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`
