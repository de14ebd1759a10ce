import { err, ok, type Result } from '../result.ts'
import { pass } from './pass.ts'
import type { Refused } from './decide.ts'
import { MAX_HELD_BYTES, refusedBy, withheldBecause, type Relay } from './relay.ts'

/** One JSON body: held until it is complete, read, then released as it came. */
export async function relayJson(
  response: Response,
  relay: Relay,
): Promise<Result<Response, Refused>> {
  const text = await readText(response)
  const refused = refusedBy(relay.upstream.signal.reason)
  if (refused !== null) {
    relay.settle('withheld', 'no longer allowed')
    return err(refused)
  }
  const passage = text.ok ? await pass(text.value, relay, true) : text
  if (passage.ok && passage.value.kind === 'withhold') {
    const { refused } = passage.value
    relay.settle('withheld', withheldBecause(refused))
    return err(refused)
  }
  if (!passage.ok || passage.value.kind !== 'pass' || !passage.value.last) {
    relay.upstream.abort()
    const detail = passage.ok ? 'no answer in the body' : passage.error
    // The upstream acted; the client does not get to see what came of it.
    relay.settle('withheld', detail)
    console.warn('an answer was withheld', detail)
    const refusal = { at: 'forward', reason: 'upstream_malformed', detail } as const
    return err({ refusal, decision: relay.permit.decision })
  }
  const { remark, happened = false } = passage.value
  const { handshake } = relay
  relay.settle('committed', remark ?? `status ${response.status}`, happened && response.ok)
  const headers = new Headers({
    'content-type': 'application/json',
    'cache-control': 'no-store',
  })
  if (handshake?.id != null && happened) headers.set('mcp-session-id', handshake.id)
  return ok(new Response(passage.value.text, { status: response.status, headers }))
}

async function readText(response: Response): Promise<Result<string, string>> {
  if (response.body === null) return ok('')
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let length = 0
  let text = ''
  try {
    for await (const chunk of response.body) {
      length += chunk.byteLength
      if (length > MAX_HELD_BYTES) return err('longer than is held')
      text += decoder.decode(chunk, { stream: true })
    }
    return ok(text + decoder.decode())
  } catch {
    return err('cut short, or not UTF-8')
  }
}
