import { parseArgs } from 'node:util'
import type { DatabaseSync } from 'node:sqlite'
import { Mistake } from '../mistake.ts'
import { orDefaultFolder, pathsOf } from '../scratch/sources.ts'
import { readCaseFile, type Case } from './cases.ts'
import { decideCall, type Decision } from './decide.ts'
import { explain } from './explain.ts'
import { openDatabase } from './open.ts'

export interface Failure {
  readonly file: string
  readonly name: string
  /** What was expected and what came instead. */
  readonly message: string
  readonly explanation: readonly string[]
}

export interface TestReport {
  readonly passed: number
  readonly failed: number
  readonly failures: readonly Failure[]
}

export function test(args: readonly string[]): boolean {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const report = runCases(orDefaultFolder(positionals).flatMap((path) => pathsOf(path, '.json')))
  if (values.json) {
    console.log(JSON.stringify(report))
    return report.failed === 0
  }
  for (const { file, name, message, explanation } of report.failures) {
    console.error(`${file}: ${name}: ${message}`)
    for (const line of explanation) console.error(`  ${line}`)
  }
  console.log(`${report.passed} passed, ${report.failed} failed`)
  return report.failed === 0
}

export function runCases(paths: readonly string[]): TestReport {
  if (paths.length === 0) throw new Mistake('no case files: name some, or a folder with some')
  const failures: Failure[] = []
  let passed = 0
  for (const path of paths) {
    const { file, policies, cases } = readCaseFile(path)
    const database = openDatabase(policies)
    for (const one of cases) {
      const failure = runCase(file, database, one)
      if (failure === null) passed += 1
      else failures.push(failure)
    }
    database.close()
  }
  return { passed, failed: failures.length, failures }
}

function runCase(file: string, database: DatabaseSync, one: Case): Failure | null {
  const decision = decideNamed(file, database, one)
  const message = difference(one, decision)
  return message === null
    ? null
    : {
        file,
        name: one.name,
        message,
        explanation: [
          ...(one.rationale === null ? [] : [`why it is expected: ${one.rationale}`]),
          ...explain(decision),
        ],
      }
}

function decideNamed(file: string, database: DatabaseSync, { name, call }: Case): Decision {
  try {
    return decideCall(database, call)
  } catch (error) {
    if (error instanceof Mistake) throw new Mistake(`${file}: ${name}: ${error.message}`)
    throw error
  }
}

function difference(one: Case, decision: Decision): string | null {
  const outcome = decision.refusal === null ? 'allow' : 'deny'
  const reason = decision.refusal?.reason ?? 'allowed'
  if (outcome !== one.expect) return `expected ${one.expect}, got ${outcome} (${reason})`
  if (one.reason !== null && one.reason !== reason) {
    return `expected the reason ${one.reason}, got ${reason}`
  }
  const deciding = decidingRows(decision)
  if (one.policy !== null && !deciding.includes(one.policy)) {
    const instead = deciding.length === 0 ? 'no row' : deciding.join(', ')
    return `expected \`${one.policy}\` to decide, ${instead} did`
  }
  return null
}

/** Every row without which it might have gone the other way. */
function decidingRows({ refusal, matches, hits }: Decision): string[] {
  if (refusal?.reason === 'denied_by_sequence') {
    return (hits ?? []).filter(({ effect }) => effect === 'deny').map(({ rule }) => rule)
  }
  const effect = refusal === null ? 'allow' : refusal.reason === 'denied_by_policy' ? 'deny' : null
  const counted = matches.filter((match) => match.counted && match.effect === effect)
  return [...new Set(counted.map(({ id }) => id))]
}
