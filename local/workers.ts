import {
  Miniflare,
  convertV4MiniflareOptions,
  type V4WorkerOptions,
  type V4WorkerOptionsShape,
} from 'miniflare'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deployableBundle, localBundle } from './bundle.ts'
import { IPV4_LOOPBACK, IPV6_LOOPBACK, hasIpv6Loopback, type StackPorts } from './ports.ts'
import { ownKeys } from './own-keys.ts'
import { LocalProblem, messageOf } from './problem.ts'
import { PROJECT, databasesFolder } from './state.ts'

/** One workerd process. Each part of the stack has its own, so that each can die alone. */
export interface Part {
  start(): Promise<void>
  stop(): Promise<void>
}

/** Lines that the Workers log, each with the part it came from. */
export type LogSink = (part: string, line: string) => void

export interface SallyportOptions {
  readonly ports: StackPorts
  readonly sqlPort: number
  readonly sqlKey: string
  readonly state: string
  /** A bundle to run instead of the one that deploys: benches compare against a bare pass-through. */
  readonly script?: string | undefined
  readonly allowedOrigins?: readonly string[] | undefined
}

const SALLYPORT = 'sallyport'
/** Newer than every feature that the Workers of the stack use. */
const COMPATIBILITY_DATE = '2026-10-01'

/** Sallyport, and the SQL tool that shares its databases, in one workerd. */
export async function sallyportPart(options: SallyportOptions, log: LogSink): Promise<Part> {
  const { ports, state } = options
  const [configured, keys, script, tool, ipv6] = await Promise.all([
    configuredOptions(),
    ownKeys(state),
    options.script ?? deployableBundle(),
    sqlToolWorker(options),
    hasIpv6Loopback(),
  ])
  const sallyport: V4WorkerOptions = {
    ...configured,
    name: SALLYPORT,
    modules: true,
    script: await readFile(script, 'utf8'),
    bindings: {
      ...configured.bindings,
      PUBLIC_ORIGIN: `http://localhost:${ports.sallyport}`,
      PUBLIC_ORIGIN_ALIASES: `http://${IPV4_LOOPBACK}:${ports.sallyport}`,
      ALLOWED_ORIGINS: (options.allowedOrigins ?? []).join(' '),
      INTROSPECTION_ACME: issuerSecret(ports.issuer),
      EXCHANGE_ACME: issuerSecret(ports.issuer),
      ...keys,
    },
    unsafeDirectSockets: [{ host: IPV4_LOOPBACK, port: ports.sallyport }],
  }
  const workers = [sallyport, tool]
  if (ipv6) workers.push(ipv6Door(ports.sallyport))
  return await part(SALLYPORT, workers, state, log)
}

/** As `wrangler secret put` would store it. Public: it protects nothing but the demo. */
const issuerSecret = (issuerPort: number): string =>
  JSON.stringify({
    tenant: 'acme',
    origin: `http://${IPV4_LOOPBACK}:${issuerPort}`,
    client_id: 'sallyport',
    client_secret: 'sallyport-demo-secret',
  })

/** The SQL tool alone: for `npm run sql` while nothing runs. */
export async function sqlToolPart(
  options: Pick<SallyportOptions, 'sqlPort' | 'sqlKey' | 'state'>,
): Promise<Part> {
  return await part('sql', [await sqlToolWorker(options)], options.state, () => undefined)
}

export async function issuerPart(port: number, privateJwk: string, log: LogSink): Promise<Part> {
  return await localPart('issuer', port, log, {
    ISSUER_PRIVATE_JWK: privateJwk,
    ISSUER_URL: `http://${IPV4_LOOPBACK}:${port}`,
  })
}

export const serverPart = (ports: StackPorts, log: LogSink): Promise<Part> =>
  localPart('server', ports.server, log, {
    SALLYPORT_URL: `http://localhost:${ports.sallyport}`,
    ISSUER_URL: `http://${IPV4_LOOPBACK}:${ports.issuer}`,
    SERVER_URL: `http://${IPV4_LOOPBACK}:${ports.server}`,
  })

/** A Worker without configuration, for benches: one file, its bindings and a port. */
export async function benchPart(
  name: string,
  entry: string,
  port: number,
  bindings: Record<string, string>,
): Promise<Part> {
  const worker: V4WorkerOptions = {
    name,
    modules: true,
    script: await localBundle(join(PROJECT, entry)),
    compatibilityDate: COMPATIBILITY_DATE,
    bindings,
    unsafeDirectSockets: [{ host: IPV4_LOOPBACK, port }],
  }
  return await part(name, [worker], null, () => undefined)
}

/** A Worker of `local/`, with the configuration that lies beside it. */
async function localPart(
  name: 'issuer' | 'server',
  port: number,
  log: LogSink,
  bindings: Record<string, string>,
): Promise<Part> {
  const { options, main } = await readConfiguration(`local/${name}/wrangler.toml`)
  if (main === undefined) throw new LocalProblem(`\`local/${name}/wrangler.toml\` names no main`)
  const worker: V4WorkerOptions = {
    ...options,
    name,
    modules: true,
    script: await localBundle(main),
    bindings: { ...options.bindings, ...bindings },
    unsafeDirectSockets: [{ host: IPV4_LOOPBACK, port }],
  }
  return await part(name, [worker], null, log)
}

/**
 * A direct socket leads straight into workerd; the port that Miniflare opens for itself goes through
 * its development proxy, which is slower than what the benches measure, and is used by nobody.
 */
async function part(
  name: string,
  workers: V4WorkerOptions[],
  state: string | null,
  log: LogSink,
): Promise<Part> {
  const options = convertV4MiniflareOptions({
    workers,
    host: IPV4_LOOPBACK,
    port: 0,
    // Otherwise a sample of `request.cf` is fetched from the network.
    cf: false,
    handleStructuredLogs: ({ message }) => log(name, message),
    ...(state === null ? {} : { resourcePersistencePath: databasesFolder(state) }),
  })
  let running: Miniflare | null = null
  const start = async (): Promise<void> => {
    if (running !== null) return
    running = new Miniflare(options)
    try {
      await running.ready
    } catch (error) {
      await stop()
      throw new LocalProblem(`the workerd of \`${name}\` does not start: ${messageOf(error)}`)
    }
  }
  const stop = async (): Promise<void> => {
    const stopping = running
    running = null
    // Miniflare rejects a second time for an instance that never became ready.
    await stopping?.dispose().catch(() => undefined)
  }
  await start()
  return { start, stop }
}

/** A socket has one address, so `[::1]` needs a Worker that owns another one to the same service. */
const ipv6Door = (port: number): V4WorkerOptions => ({
  name: 'ipv6-door',
  modules: true,
  script: 'export default {}',
  compatibilityDate: COMPATIBILITY_DATE,
  unsafeDirectSockets: [{ host: IPV6_LOOPBACK, port, serviceName: SALLYPORT }],
})

async function sqlToolWorker(
  options: Pick<SallyportOptions, 'sqlPort' | 'sqlKey'>,
): Promise<V4WorkerOptions> {
  const { d1Databases } = await configuredOptions()
  return {
    name: 'sql',
    modules: true,
    script: await localBundle(join(PROJECT, 'local/tools/sql.ts')),
    compatibilityDate: COMPATIBILITY_DATE,
    ...(d1Databases === undefined ? {} : { d1Databases }),
    bindings: { SQL_KEY: options.sqlKey },
    unsafeDirectSockets: [{ host: IPV4_LOOPBACK, port: options.sqlPort }],
  }
}

const configuredOptions = async (): Promise<V4WorkerOptionsShape> =>
  (await readConfiguration('wrangler.local.toml')).options

interface Configuration {
  readonly options: V4WorkerOptionsShape
  readonly main: string | undefined
}

/** As wrangler reads it, `.dev.vars` included. Imported late: wrangler loads slowly. */
async function readConfiguration(file: string): Promise<Configuration> {
  const { unstable_getMiniflareWorkerOptions: read } = await import('wrangler')
  const { workerOptions, main } = read(join(PROJECT, file))
  // Rules for imports of text and wasm: a bundle has none left, and Miniflare takes no rules.
  const { modulesRules: _, ...options } = workerOptions
  return { options, main }
}
