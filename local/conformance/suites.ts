import { execFile, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalProblem } from '../problem.ts'
import { PROJECT } from '../state.ts'

/** The official suite, of which two releases are in use. */
export const RELEASES = {
  '0.1.16': 'conformance-dated',
  '0.2.0-alpha.12': '@modelcontextprotocol/conformance',
} as const
export type Release = keyof typeof RELEASES

/** `extensions` are scenarios of no revision: tasks and skills, each at the revision it wants. */
export const SPECS = ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28', 'extensions'] as const
export type Spec = (typeof SPECS)[number]

/** `all` is the active scenarios and, where a release has them, the pending and draft ones. */
export const SUITES = ['all', 'active', 'pending', 'draft'] as const
export type Suite = (typeof SUITES)[number]

export interface Round {
  readonly release: Release
  readonly spec: Spec
}

/** What there is to run; 0.1.16 was made before 2026-07-28. */
export const ROUNDS: readonly Round[] = [
  { release: '0.1.16', spec: '2025-06-18' },
  { release: '0.1.16', spec: '2025-11-25' },
  { release: '0.2.0-alpha.12', spec: '2025-03-26' },
  { release: '0.2.0-alpha.12', spec: '2025-06-18' },
  { release: '0.2.0-alpha.12', spec: '2025-11-25' },
  { release: '0.2.0-alpha.12', spec: '2026-07-28' },
  { release: '0.2.0-alpha.12', spec: 'extensions' },
]

/** One check of one scenario, as the suite told it. */
export interface Check {
  readonly scenario: string
  readonly id: string
  readonly name: string
  readonly status: string
  readonly message: string | null
}

const LONGEST_RUN_MS = 300_000

export const scriptOf = (release: Release): string =>
  join(PROJECT, 'node_modules', RELEASES[release], 'dist/index.js')

/** Runs the server scenarios of a round against an address. */
export const testServer = (round: Round, suite: Suite, url: string): Promise<Check[]> =>
  inFolder(async (folder) => {
    const args = ['--url', url, '--suite', suite, '--output-dir', folder, ...versionOf(round)]
    const said = await runSuite(round.release, ['server', ...args])
    const checks = await readChecks(folder, 'server-')
    if (checks.length === 0 && suite === 'all') {
      throw new LocalProblem(`the suite ran nothing:\n${said}`)
    }
    if (round.spec !== 'extensions') return checks
    const extensions = new Set(await listed(round, '--server'))
    return checks.filter(({ scenario }) => extensions.has(scenario))
  })

/** Runs a client scenario of a round: the suite plays the server for what `command` starts. */
export const testClient = (
  round: Round,
  scenario: string,
  command: string,
  environment: NodeJS.ProcessEnv,
): Promise<Check[]> =>
  inFolder(async (folder) => {
    const args = ['--command', command, '--scenario', scenario, '--output-dir', folder]
    await runSuite(round.release, ['client', ...args, ...versionOf(round)], environment)
    return await readChecks(folder, '')
  })

export const clientScenarios = async (round: Round): Promise<string[]> =>
  (await listed(round, '--client')).filter((name) => !name.startsWith('auth/'))

/** Extensions belong to no revision: their scenarios choose one for themselves. */
const versionOf = ({ spec }: Round): string[] =>
  spec === 'extensions' ? [] : ['--spec-version', spec]

async function listed(round: Round, kind: '--server' | '--client'): Promise<string[]> {
  const said = await runSuite(round.release, ['list', kind, ...versionOf(round)])
  const lines = [...said.matchAll(/^\s+- (\S+)(?: \[(.*)\])?$/gm)]
  return lines.flatMap(([, name = '', versions]) =>
    round.spec !== 'extensions' || versions === 'extension' ? [name] : [],
  )
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-conformance-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** To its end, whatever it found: the verdicts lie in files. */
export function runSuite(
  release: Release,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [scriptOf(release), ...args],
      {
        cwd: PROJECT,
        timeout: LONGEST_RUN_MS,
        maxBuffer: 2 ** 26,
        env: { ...process.env, ...environment },
      },
      (_, stdout, stderr) => {
        running.delete(child)
        resolve(`${stdout}${stderr}`)
      },
    )
    running.add(child)
  })
}

const running = new Set<ChildProcess>()

/** For a run that is broken off: what it has started ends with it. */
export const endSuites = (): void => running.forEach((child) => child.kill())

/** Each scenario has a folder of its own: `server-NAME-2026-11-21T14-42-11-767Z`. */
export async function readChecks(folder: string, prefix: string): Promise<Check[]> {
  const files = await readdir(folder, { recursive: true })
  const found: Check[] = []
  for (const file of files.filter((name) => name.endsWith('checks.json')).toSorted()) {
    const scenario = file
      .replace(/[/\\]checks\.json$/, '')
      .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
      .replace(prefix, '')
    const checks = JSON.parse(await readFile(join(folder, file), 'utf8')) as RawCheck[]
    for (const { id, name, status, errorMessage } of checks) {
      found.push({ scenario, id, name, status, message: errorMessage ?? null })
    }
  }
  return found
}

interface RawCheck {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly errorMessage?: string
}
