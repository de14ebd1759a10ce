import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server on loopback that keeps every byte which is sent to it. */
export interface Tap {
  /** The server's address, through the tap. */
  readonly url: string
  /** What was sent since this was asked last, connection by connection. */
  readonly sent: () => readonly string[]
  stop(): Promise<void>
}

/** Bytes pass as they are, in both directions, and so does the end of a connection. */
export async function tapOf(url: string): Promise<Tap> {
  const target = new URL(url)
  const connections: Buffer[][] = []
  const open = new Set<Socket>()
  const server = createServer((from) => {
    const to = connect(Number(target.port), target.hostname)
    const pieces: Buffer[] = []
    connections.push(pieces)
    from.on('data', (piece: Buffer) => pieces.push(piece))
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    sent: () => connections.map((pieces) => Buffer.concat(pieces.splice(0)).toString('latin1')),
    stop: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}

const JWT = /eyJ[\w-]+\.eyJ[\w-]+/g

/** Tokens in a text whose audience is Sallyport: those that only clients hold. */
export const tokensFor = (sallyport: readonly string[], text: string): readonly string[] =>
  (text.match(JWT) ?? []).filter((token) =>
    audiencesOf(token).some((one) => sallyport.some((origin) => one.startsWith(`${origin}/`))),
  )

function audiencesOf(token: string): readonly string[] {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    const { aud } = JSON.parse(payload) as { aud?: unknown }
    return [aud].flat().filter((one) => typeof one === 'string')
  } catch {
    return []
  }
}
