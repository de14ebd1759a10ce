import { parseArgs } from 'node:util'
import type { DatabaseSync } from 'node:sqlite'
import { Mistake } from '../mistake.ts'
import { orDefaultFolder, pathsOf } from '../scratch/sources.ts'
import { readCaseFile, type Case } from './cases.ts'
import { decideCall, type Decision } from './decide.ts'
import { difference } from './expectation.ts'
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

export async function test(args: readonly string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const paths = orDefaultFolder(positionals).flatMap((path) => pathsOf(path, '.json'))
  const report = await runCases(paths)
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

export async function runCases(paths: readonly string[]): Promise<TestReport> {
  if (paths.length === 0) throw new Mistake('no case files: name some, or a folder with some')
  const failures: Failure[] = []
  let passed = 0
  for (const path of paths) {
    const { file, policies, cases } = readCaseFile(path)
    const database = openDatabase(policies)
    for (const one of cases) {
      const failure = await runCase(file, database, one)
      if (failure === null) passed += 1
      else failures.push(failure)
    }
    database.close()
  }
  return { passed, failed: failures.length, failures }
}

async function runCase(file: string, database: DatabaseSync, one: Case): Promise<Failure | null> {
  const decision = await decideNamed(file, database, one)
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

async function decideNamed(
  file: string,
  database: DatabaseSync,
  { name, call }: Case,
): Promise<Decision> {
  try {
    return await decideCall(database, call)
  } catch (error) {
    if (error instanceof Mistake) throw new Mistake(`${file}: ${name}: ${error.message}`)
    throw error
  }
}
