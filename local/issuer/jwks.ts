// `/jwks.json`, and the ways in which a test can make it fail.

import type { Context } from 'hono'
import { issuerOf, type AppEnv } from './issuer.ts'

// Longer than anybody should wait. A timer, since workerd ends a request that waits for nothing.
const HANG_MS = 10 * 60 * 1_000
const HUGE_BYTES = 64 * 1024 * 1024

export async function showKeys(context: Context<AppEnv>): Promise<Response> {
  const mode = await issuerOf(context).state.fault()
  switch (mode) {
    case 'none':
      return showRealKeys(context)
    case 'hang':
      await scheduler.wait(HANG_MS)
      return context.body(null, 504)
    case 'error':
      return context.json({ error: 'server_error' }, 500)
    case 'garbage':
      return context.body('{"keys": [{"kty": "EC", ', 200, { 'content-type': 'application/json' })
    case 'redirect':
      // It leads to the real keys, so that following it is noticed.
      return context.redirect('/redirected/jwks.json', 302)
    case 'huge':
      return new Response(hugeKeySet(), { headers: { 'content-type': 'application/json' } })
  }
}

export async function showRealKeys(context: Context<AppEnv>): Promise<Response> {
  const keys = await issuerOf(context).state.publishedKeys()
  return context.json({ keys }, 200, { 'cache-control': 'public, max-age=300' })
}

/** Valid JSON, made as it is read: only a reader that counts bytes is safe from it. */
function hugeKeySet(): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const chunk = encoder.encode(`{"kty":"EC","kid":"${'x'.repeat(64 * 1024)}"},`)
  let left = HUGE_BYTES
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode('{"keys":['))
    },
    pull(controller) {
      left -= chunk.length
      if (left > 0) return controller.enqueue(chunk)
      controller.enqueue(encoder.encode('{}]}'))
      controller.close()
    },
  })
}
