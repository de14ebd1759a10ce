import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { workerSecrets } from './test/support/node/worker-secrets.ts'

const migrations = await readD1Migrations('migrations')
const decisionMigrations = await readD1Migrations('migrations/decisions')

// Commands under test are processes of their own: what Node made of our files is kept for them.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/node-compile')

/** Databases here wait for the disk at every write, which no test is about: in memory they do not. */
const IN_MEMORY = '/dev/shm'
const ENOUGH_BYTES = 2 ** 31
const freeBytes = (path: string): number => {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
if (existsSync(IN_MEMORY) && freeBytes(IN_MEMORY) > ENOUGH_BYTES) {
  process.env['TMPDIR'] ??= IN_MEMORY
}

const files = (name: string) => ({ name, include: [`test/${name}/**/*.test.ts`] })

const VECTORS = resolve(process.env['SALLYPORT_SHARED'] ?? '../shared', 'vectors')

/**
 * `vectors:<folder>`: the files of a folder of third-party vectors as they are, byte for byte, for
 * tests in workerd, which has no file system. An empty list where the folder is not there.
 */
const vectors = {
  name: 'sallyport:vectors',
  resolveId: (id: string) => (id.startsWith('vectors:') ? `\0${id}` : null),
  load(id: string) {
    if (!id.startsWith('\0vectors:')) return null
    const folder = join(VECTORS, id.slice('\0vectors:'.length))
    const names = existsSync(folder) ? readdirSync(folder).toSorted() : []
    const files = names.map((name) => [name, readFileSync(join(folder, name), 'base64')])
    return `export default ${JSON.stringify(files)}`
  },
}

/** Whether a machine is busy is no finding; what must be fast says so in its own test. */
const PATIENCE_MS = 20_000

const WORKER = 'test/worker/**/*.test.ts'
const HOLDING = ['pep', 'attacks', 'streams'].map((room) => `test/worker/${room}/**/*.test.ts`)

const inWorkerd = (
  name: string,
  files: { include: string[]; exclude?: string[]; isolate: boolean },
) => ({
  plugins: [
    vectors,
    cloudflareTest({
      wrangler: { configPath: './wrangler.local.toml' },
      miniflare: {
        bindings: {
          ...workerSecrets(),
          PROPERTY_RUNS: process.env['PROPERTY_RUNS'] ?? '',
          TEST_MIGRATIONS: migrations,
          TEST_DECISION_MIGRATIONS: decisionMigrations,
        },
      },
    }),
  ],
  test: {
    name,
    ...files,
    testTimeout: PATIENCE_MS,
    setupFiles: ['test/support/worker/begin-anew.ts'],
  },
})

export default defineConfig({
  test: {
    // One more than there are cores: many tests wait for a clock.
    maxWorkers: availableParallelism() + 1,
    projects: [
      // The pure core and everything else that needs no platform, in plain Node. What is pure has
      // nothing to share, so files need no process of their own.
      { test: { ...files('unit'), isolate: false, testTimeout: PATIENCE_MS } },
      // Worker, D1 and Durable Objects in workerd. Files share it and begin anew in the set-up file.
      inWorkerd('worker', { include: [WORKER], exclude: HOLDING, isolate: false }),
      // What holds calls and streams open, in a workerd of its own: one that is left open keeps it busy
      // (the set-up file ends them).
      inWorkerd('held', { include: HOLDING, isolate: false }),
      // The whole local stack, driven from outside by real clients.
      {
        test: {
          ...files('stack'),
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Each file starts workerd processes of its own: no more than there are cores, and after the
          // others, because what is measured there is time.
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
