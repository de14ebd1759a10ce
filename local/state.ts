import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LocalProblem } from './problem.ts'
import type { SqlEndpoint } from './sql-client.ts'

export const PROJECT = resolve(import.meta.dirname, '..')

/** Where a running stack can be found. */
export interface StackRecord {
  readonly sallyport: string
  readonly issuer: string
  readonly server: string
  readonly sql: SqlEndpoint
}

/** The content of `stack.json`: who holds the state folder, and the stack once it runs. */
export interface Holder {
  readonly pid: number
  readonly stack: StackRecord | null
}

/**
 * A second process that writes beside a running workerd makes its reads fail, so a state folder has
 * one holder at a time: the file is created exclusively.
 */
export interface Claim {
  publish(stack: StackRecord): Promise<void>
  release(): Promise<void>
}

export function stateFolder(environment: NodeJS.ProcessEnv): string {
  const named = environment['SALLYPORT_STATE']
  return named === undefined || named === '' ? join(PROJECT, '.wrangler/state') : resolve(named)
}

/** Where workerd keeps its databases: the place that `wrangler --persist-to STATE` would use. */
export const databasesFolder = (state: string): string => join(state, 'v3')

export async function claimState(state: string): Promise<Claim> {
  await mkdir(state, { recursive: true })
  const file = holderFile(state)
  // Once more, because the holder that was in the way may have been a dead one.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await create(file, { pid: process.pid, stack: null })) return claimOf(file)
    const holder = await readHolder(state)
    if (holder !== null) throw heldBy(state, holder)
  }
  throw new LocalProblem(`the state folder \`${state}\` is being taken by another process`)
}

function claimOf(file: string): Claim {
  return {
    publish: async (stack) => {
      // By renaming, so that no reader meets half a file.
      const draft = draftOf(file)
      await writeFile(draft, serialize({ pid: process.pid, stack }), { mode: 0o600 })
      await rename(draft, file)
    },
    release: () => rm(file, { force: true }),
  }
}

/** Who holds the folder, or null. What a dead process left behind is cleared away. */
export async function readHolder(state: string): Promise<Holder | null> {
  const file = holderFile(state)
  const holder = await readFile(file, 'utf8').then(parse, () => null)
  if (holder === null || isAlive(holder.pid)) return holder
  await rm(file, { force: true })
  return null
}

/** The running stack, or null. One that is just starting, or a short `sql`, is waited for. */
export async function findRunningStack(
  state: string,
  waitMs = 20_000,
): Promise<StackRecord | null> {
  const until = Date.now() + waitMs
  for (;;) {
    const holder = await readHolder(state)
    if (holder === null) return null
    if (holder.stack !== null) return holder.stack
    if (Date.now() > until) throw heldBy(state, holder)
    await pause(50)
  }
}

export const NOTHING_RUNS =
  'no stack is running: start one with `npm start` in another terminal (the same SALLYPORT_STATE)'

const holderFile = (state: string): string => join(state, 'stack.json')

const draftOf = (file: string): string => `${file}.${process.pid}`

/** Signal 0 to process 0 would ask about our own group. */
const NOBODY = 0

const serialize = (holder: Holder): string => `${JSON.stringify(holder, null, 2)}\n`

/** The file is ours alone (mode 0600) and appears whole, so anything else is not worth keeping. */
function parse(text: string): Holder {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return { pid: NOBODY, stack: null }
  }
}

/** By linking a finished file: it appears whole, and only if no other is there. */
async function create(file: string, holder: Holder): Promise<boolean> {
  const draft = draftOf(file)
  await writeFile(draft, serialize(holder), { mode: 0o600 })
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

function isAlive(pid: number): boolean {
  if (pid === NOBODY) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const heldBy = (state: string, holder: Holder): LocalProblem =>
  new LocalProblem(
    `the state folder \`${state}\` is held by process ${holder.pid}: stop it (Ctrl-C where it ` +
      'runs), or set SALLYPORT_STATE and SALLYPORT_PORT for a second stack. If that process is no ' +
      `Sallyport, delete \`${holderFile(state)}\``,
  )
