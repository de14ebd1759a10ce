import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { applyMigrations, seed } from './databases.ts'
import { issuerKey } from './issuer-key.ts'
import { mintToken, type TokenRequest } from './issuer-client.ts'
import { IPV4_LOOPBACK, freePorts, requireFree, type StackPorts } from './ports.ts'
import { LocalProblem } from './problem.ts'
import { runSql, type Database, type Row, type SqlEndpoint } from './sql-client.ts'
import { claimState, databasesFolder, type StackRecord } from './state.ts'
import { issuerPart, sallyportPart, serverPart, type LogSink, type Part } from './workers.ts'

export interface StackOptions {
  readonly ports: StackPorts
  /** Folder of databases, key and `stack.json`. One stack holds it at a time. */
  readonly state: string
  /** Empty databases with the seed of `local/seed`; otherwise what is there is kept. */
  readonly fresh: boolean
  readonly log?: LogSink
  /** Another bundle in Sallyport's place, by path. */
  readonly script?: string
  readonly allowedOrigins?: readonly string[]
}

/** The running stack: three workerd processes on loopback. */
export interface Stack extends StackRecord {
  readonly parts: { readonly sallyport: Part; readonly issuer: Part; readonly server: Part }
  query(sql: string, database?: Database): Promise<Row[]>
  token(request: TokenRequest): Promise<string>
  stop(): Promise<void>
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { ports, state, fresh } = options
  const log = options.log ?? (() => undefined)
  await requireFree(ports)
  const claim = await claimState(state)
  const started: Part[] = []
  const starting = async (part: Promise<Part>): Promise<Part> => {
    const one = await part
    started.push(one)
    return one
  }
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((part) => part.stop()))
    await claim.release()
  }
  try {
    if (fresh) await rm(databasesFolder(state), { recursive: true, force: true })
    const sql = await newSqlEndpoint()
    const [sallyport, issuer, server] = await allOrThrow([
      starting(
        sallyportPart(
          {
            ports,
            state,
            sqlPort: Number(new URL(sql.url).port),
            sqlKey: sql.key,
            script: options.script,
            allowedOrigins: options.allowedOrigins,
          },
          log,
        ),
      ),
      starting(issuerKey(state).then((key) => issuerPart(ports.issuer, key, log))),
      starting(serverPart(ports, log)),
    ])
    const record: StackRecord = {
      sallyport: `http://localhost:${ports.sallyport}`,
      issuer: `http://${IPV4_LOOPBACK}:${ports.issuer}`,
      server: `http://${IPV4_LOOPBACK}:${ports.server}`,
      sql,
    }
    await Promise.all([applyMigrations(sql, 'policy'), applyMigrations(sql, 'decisions')])
    if (fresh) await seed(sql, record)
    await claim.publish(record)
    return {
      ...record,
      parts: { sallyport, issuer, server },
      query: (text, database = 'policy') => runSql(sql, database, text),
      token: (request) => mintToken(record, request),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A port of its own and a key of this start alone. */
export async function newSqlEndpoint(): Promise<SqlEndpoint> {
  const { sallyport: port } = await freePorts()
  return { url: `http://${IPV4_LOOPBACK}:${port}`, key: randomBytes(32).toString('base64url') }
}

/** Until `/healthz` says that calls are served. */
export async function untilHealthy(stack: StackRecord, withinMs = 20_000): Promise<void> {
  const until = Date.now() + withinMs
  for (;;) {
    const answer = await fetch(new URL('/healthz', stack.sallyport)).catch(() => null)
    if (answer?.status === 200) return
    if (Date.now() > until) {
      const said = answer === null ? 'no answer' : `HTTP ${answer.status} ${await answer.text()}`
      throw new LocalProblem(`Sallyport is not healthy: ${said}`)
    }
    await answer?.body?.cancel()
    await pause(50)
  }
}

/**
 * Like `Promise.all`, but waits for the slower ones before it throws: a part that is still starting
 * could not be stopped.
 */
async function allOrThrow<T extends readonly Promise<Part>[]>(
  parts: readonly [...T],
): Promise<{ [index in keyof T]: Part }> {
  await Promise.allSettled(parts)
  return (await Promise.all(parts)) as { [index in keyof T]: Part }
}
