import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { IPV4_LOOPBACK } from '../ports.ts'

export interface Listening {
  readonly port: number
  stop(): Promise<void>
}

/** An HTTP server on a free port of this machine, for as long as one run lasts. */
export async function listen(answer: RequestListener): Promise<Listening> {
  const server = createServer(answer)
  server.listen(0, IPV4_LOOPBACK)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
