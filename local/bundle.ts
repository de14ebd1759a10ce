import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, glob, mkdir, mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { LocalProblem } from './problem.ts'
import { PROJECT } from './state.ts'

const BUNDLES = join(PROJECT, '.wrangler/bundles')
const CONFIG = join(PROJECT, 'wrangler.toml')
const ONE_HOUR_MS = 3_600_000

/**
 * The very bundle that would be deployed, made by wrangler from the deployable configuration. Its
 * folder is named by a digest of everything it is made from, so an equal one is never made twice.
 */
export async function deployableBundle(): Promise<string> {
  const folder = join(BUNDLES, await sourcesDigest())
  const script = join(folder, 'index.js')
  if (await exists(script)) return script
  await mkdir(BUNDLES, { recursive: true })
  const draft = await mkdtemp(join(BUNDLES, 'draft-'))
  await runWrangler(['deploy', '--dry-run', '--outdir', draft, '--config', CONFIG])
  // Two commands may have built it at once: the first to arrive stays.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }))
  await sweep(folder)
  return script
}

/** A Worker of the local stack, bundled in memory. */
export async function localBundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'silent',
  }).catch((error: unknown) => {
    throw new LocalProblem(`\`${entry}\` cannot be bundled: ${String(error)}`)
  })
  return result.outputFiles[0]?.text ?? ''
}

async function sourcesDigest(): Promise<string> {
  const files = ['wrangler.toml', 'tsconfig.json', 'package-lock.json']
  for await (const file of glob('src/**/*', { cwd: PROJECT })) files.push(file)
  const digest = createHash('sha256')
  for (const file of files.toSorted()) {
    const path = join(PROJECT, file)
    if (!(await stat(path)).isFile()) continue
    const content = await readFile(path)
    digest.update(`${file}\n${content.length}\n`).update(content)
  }
  return digest.digest('hex').slice(0, 32)
}

async function runWrangler(options: string[]): Promise<void> {
  const wrangler = join(PROJECT, 'node_modules/wrangler/bin/wrangler.js')
  const environment = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
  try {
    await promisify(execFile)(process.execPath, [wrangler, ...options], {
      cwd: PROJECT,
      env: environment,
    })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    throw new LocalProblem(`the Worker cannot be bundled:\n${said.trim()}`)
  }
}

/** Bundles of earlier sources. Young ones stay: another process may just be reading them. */
async function sweep(keep: string): Promise<void> {
  for (const name of await readdir(BUNDLES)) {
    const folder = join(BUNDLES, name)
    if (folder === keep) continue
    const age =
      Date.now() -
      (await stat(folder).then(
        (one) => one.mtimeMs,
        () => Date.now(),
      ))
    if (age > ONE_HOUR_MS) await rm(folder, { recursive: true, force: true })
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
