import { json } from 'node:stream/consumers'
import { listen } from './listening.ts'
import { startShim, type Shim } from './shim.ts'
import type { Subject } from './subject.ts'

/** Where a client under test asks for the way to a scenario's server. */
export interface Door {
  readonly url: string
  /** What kept the client from finishing, once it has said so. */
  failure(): string | null | undefined
  stop(): Promise<void>
}

/** For one scenario; through Sallyport if there is one. */
export async function openDoor(subject: Subject | null): Promise<Door> {
  const shims: Shim[] = []
  let failure: string | null | undefined
  const wayTo = async (server: string): Promise<string> => {
    const way = subject === null ? { endpoint: new URL(server) } : await subject.serve(server)
    const shim = await startShim(way.endpoint, 'token' in way ? way.token : undefined)
    shims.push(shim)
    return shim.url
  }
  const listening = await listen((incoming, outgoing) => {
    const answered = async (): Promise<string> => {
      const asked = (await json(incoming)) as { server: string; failure: string | null }
      if (incoming.url === '/way') return await wayTo(asked.server)
      failure = asked.failure
      return ''
    }
    answered().then(
      (text) => outgoing.end(text),
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    )
  })
  return {
    url: `http://127.0.0.1:${listening.port}`,
    failure: () => failure,
    stop: async () => {
      await Promise.all([listening, ...shims].map((one) => one.stop()))
    },
  }
}
