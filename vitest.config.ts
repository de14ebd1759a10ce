import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

const migrations = await readD1Migrations('migrations')
const decisionMigrations = await readD1Migrations('migrations/decisions')

const files = (name: string) => ({ name, include: [`test/${name}/**/*.test.ts`] })

export default defineConfig({
  test: {
    projects: [
      // The pure core and everything else that needs no platform, in plain Node.
      { test: files('unit') },
      // Worker, D1 and Durable Objects in workerd.
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.local.toml' },
            miniflare: {
              bindings: {
                PROPERTY_RUNS: process.env['PROPERTY_RUNS'] ?? '',
                TEST_MIGRATIONS: migrations,
                TEST_DECISION_MIGRATIONS: decisionMigrations,
              },
            },
          }),
        ],
        test: { ...files('worker'), setupFiles: ['test/support/worker/apply-migrations.ts'] },
      },
      // The whole local stack, driven from outside by real clients.
      {
        test: {
          ...files('stack'),
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Each file starts workerd processes of its own: one at a time on two cores.
          fileParallelism: false,
        },
      },
    ],
  },
})
