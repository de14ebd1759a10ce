// The ways in which a test can make an endpoint fail.

import type { Context, Handler } from 'hono'
import { issuerOf, type AppEnv } from './issuer.ts'
import type { FaultyPath } from './state.ts'

// Longer than anybody should wait. A timer, since workerd ends a request that waits for nothing.
const HANG_MS = 10 * 60 * 1_000
const HUGE_BYTES = 64 * 1024 * 1024

/** The endpoint as it is, unless a test has said how it misbehaves. */
export const unlessFaulty =
  (path: FaultyPath, answer: Handler<AppEnv>): Handler<AppEnv> =>
  async (context, next) => {
    const mode = await issuerOf(context).state.fault(path)
    switch (mode) {
      case 'none':
        return answer(context, next)
      case 'hang':
        await scheduler.wait(HANG_MS)
        return context.body(null, 504)
      case 'error':
        return context.json({ error: 'server_error' }, 500)
      case 'unauthorized':
        return context.json({ error: 'invalid_client' }, 401)
      case 'garbage':
        return json(context, '{"keys": [{"kty": "EC", ')
      case 'page':
        return context.html('<!doctype html><title>Down for maintenance</title>')
      case 'redirect':
        // It leads to the real endpoint, so that following it is noticed.
        return context.redirect(`/redirected${path}`, 307)
      case 'huge':
        return new Response(hugeObject(), { headers: { 'content-type': 'application/json' } })
    }
  }

const json = (context: Context<AppEnv>, text: string) =>
  context.body(text, 200, { 'content-type': 'application/json' })

/** Valid JSON, made as it is read: only a reader that counts bytes is safe from it. */
function hugeObject(): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const chunk = encoder.encode(`{"kty":"EC","kid":"${'x'.repeat(64 * 1024)}"},`)
  let left = HUGE_BYTES
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode('{"active":true,"keys":['))
    },
    pull(controller) {
      left -= chunk.length
      if (left > 0) return controller.enqueue(chunk)
      controller.enqueue(encoder.encode('{}]}'))
      controller.close()
    },
  })
}
