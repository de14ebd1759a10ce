import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { quote } from '../sql-client.ts'
import { startStack, untilHealthy, type Stack } from '../stack.ts'

export interface Subject {
  readonly stack: Stack
  /** Makes a server known by SQL alone; the way to it, and a token for it. */
  serve(upstream: string): Promise<{ readonly endpoint: URL; readonly token: string }>
  stop(): Promise<void>
}

/** Sallyport itself, with state of its own. */
export async function startSubject(): Promise<Subject> {
  const state = await mkdtemp(join(tmpdir(), 'sallyport-conformance-'))
  const remove = () => rm(state, { recursive: true, force: true })
  const stack = await startStack({
    ports: await freePorts(),
    state,
    fresh: true,
  }).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  await untilHealthy(stack)
  let served = 0
  return {
    stack,
    serve: async (upstream) => {
      const server = `conformance-${(served += 1)}`
      await stack.query(`
        INSERT INTO servers (name, tenant, url) VALUES ('${server}', 'acme', ${quote(upstream)});
        INSERT INTO tools (tenant, server, name, access) VALUES ('acme', '${server}', '*', 'read');
        INSERT INTO policies (tenant, id, effect, agent, server)
          VALUES ('acme', '${server}-for-all', 'allow', '*', '${server}')`)
      return {
        endpoint: new URL(`/${server}/mcp`, stack.sallyport),
        token: await stack.token({ sub: 'alice', client: 'acme-agent', server }),
      }
    },
    stop: async () => {
      await stack.stop()
      await remove()
    },
  }
}
