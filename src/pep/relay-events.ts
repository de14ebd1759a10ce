import { EventPump } from './streams/event-pump.ts'
import type { Relay } from './relay.ts'

/** An event stream, event by event: each is complete and read before its bytes go on. */
export function relayEvents(response: Response, relay: Relay): Response {
  const source = (response.body ?? new Blob([]).stream()).getReader()
  const pump = new EventPump(source, relay)
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => pump.start(controller),
      pull: () => pump.pull(),
      cancel: () => pump.clientLeft(),
    },
    // Nothing is read ahead of the client: backpressure reaches the upstream.
    { highWaterMark: 0 },
  )
  const headers = new Headers({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  const { handshake } = relay
  if (handshake?.id != null) headers.set('mcp-session-id', handshake.id)
  return new Response(body, { headers })
}
