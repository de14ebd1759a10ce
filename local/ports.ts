import { once } from 'node:events'
import { createServer } from 'node:net'
import { LocalProblem } from './problem.ts'

export interface StackPorts {
  readonly sallyport: number
  readonly issuer: number
  readonly server: number
}

export const IPV4_LOOPBACK = '127.0.0.1'
export const IPV6_LOOPBACK = '::1'
const DEFAULT_PORT = 8787

/** `SALLYPORT_PORT` moves all three together: N, N+1, N+2. */
export function portsFrom(environment: NodeJS.ProcessEnv): StackPorts {
  const text = environment['SALLYPORT_PORT']
  const first = text === undefined || text === '' ? DEFAULT_PORT : Number(text)
  if (!Number.isInteger(first) || first < 1 || first > 65533) {
    throw new LocalProblem(`SALLYPORT_PORT must be a port between 1 and 65533, not \`${text}\``)
  }
  return { sallyport: first, issuer: first + 1, server: first + 2 }
}

/**
 * Drawn below the range that operating systems hand out to outgoing connections, so that no client
 * of a running test takes a port between this look and the moment it is opened.
 */
export async function freePorts(): Promise<StackPorts> {
  const found = new Set<number>()
  while (found.size < 3) {
    const port = 20000 + Math.floor(Math.random() * 12000)
    if (await isFree(port)) found.add(port)
  }
  const [sallyport, issuer, server] = [...found] as [number, number, number]
  return { sallyport, issuer, server }
}

export async function requireFree(ports: StackPorts): Promise<void> {
  for (const [part, port] of Object.entries(ports)) {
    if (await isFree(port)) continue
    throw new LocalProblem(
      `port ${port} is in use, and the ${part} needs it: stop what runs there, or set ` +
        'SALLYPORT_PORT to another port (it and the two after it are used)',
    )
  }
}

/** Somebody else on `[::1]` would receive what is sent to `localhost`, so both must be free. */
async function isFree(port: number): Promise<boolean> {
  return (
    (await canListen(port, IPV4_LOOPBACK)) === 'yes' &&
    (await canListen(port, IPV6_LOOPBACK)) !== 'in use'
  )
}

export const hasIpv6Loopback = async (): Promise<boolean> =>
  (await canListen(0, IPV6_LOOPBACK)) === 'yes'

async function canListen(
  port: number,
  host: string,
): Promise<'yes' | 'in use' | 'no such address'> {
  const server = createServer()
  try {
    server.listen({ port, host, exclusive: true })
    await once(server, 'listening')
    return 'yes'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return 'no such address'
    return 'in use'
  } finally {
    server.close()
  }
}
