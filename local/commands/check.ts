/**
 * `npm run check`: everything that can be said without running the product. Each row is one step;
 * all run, so that one look shows all that is wrong.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

interface Step {
  readonly name: string
  /** Null when all is well, otherwise what to read. */
  run(): string | null
}

const STEPS: readonly Step[] = [
  command('generated types', 'npm run types --silent'),
  command('types', 'tsc -p tsconfig.json'),
  command('types of the pure core', 'tsc -p tsconfig.pure.json'),
  command('types of what runs in Node', 'tsc -p tsconfig.node.json'),
  command('types of the demo issuer', 'tsc -p local/issuer/tsconfig.json'),
  command('types of the demo server', 'tsc -p local/server/tsconfig.json'),

  command('lint', 'oxlint --type-aware --deny-warnings .'),
  command('format', 'oxfmt --check .'),
  command('page of rejections', 'node local/commands/rejections.ts --check'),
  { name: 'deployable bundle', run: checkBundle },
]

/** Workers start slower the more code they bring (docs/performance.md). */
const MAX_BUNDLE_GZIP_BYTES = 600 * 1024
/** What belongs to a developer's machine and must not reach production, in code or configuration. */
const LOCAL_ONLY = ['x-local-sql-key', 'SQL_KEY', 'ISSUER_PRIVATE_JWK', '/_demo/', '/mint']
/** The Worker knows this switch, to refuse it behind a public origin; its configuration must not. */
const LOCAL_SWITCH = 'ALLOW_LOOPBACK_UPSTREAMS'

function command(name: string, line: string): Step {
  return {
    name,
    run: () => {
      const { status, stdout, stderr } = spawnSync(line, { shell: true, encoding: 'utf8' })
      return status === 0 ? null : `${stdout}${stderr}`.trim() || `exit ${status}`
    },
  }
}

function checkBundle(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'))
  try {
    const built = command('', `wrangler deploy --dry-run --outdir ${folder}`).run()
    if (built !== null) return built
    const files = readdirSync(folder).filter((file) => file.endsWith('.js'))
    const code = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
    const size = gzipSync(code).byteLength
    console.log(
      `      ${(size / 1024).toFixed(0)} KiB gzip, at most ${MAX_BUNDLE_GZIP_BYTES / 1024}`,
    )
    if (size > MAX_BUNDLE_GZIP_BYTES) return 'the bundle is too large'
    const configuration = readFileSync('wrangler.toml', 'utf8')
    const named = LOCAL_ONLY.filter((word) => `${code}${configuration}`.includes(word))
    if (configuration.includes(LOCAL_SWITCH)) named.push(LOCAL_SWITCH)
    return named.length === 0 ? null : `names what is local only: ${named.join(', ')}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let failed = 0
for (const step of STEPS) {
  const problem = step.run()
  console.log(`${problem === null ? 'ok  ' : 'FAIL'}  ${step.name}`)
  if (problem !== null) {
    failed += 1
    console.log(problem.replace(/^/gm, '      '))
  }
}
console.log(`${STEPS.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
