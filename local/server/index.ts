// The demo MCP server. It stands where a real upstream would, behind Sallyport, and `/_demo/calls` tells
// a test what Sallyport let through and with which headers. `/mcp` checks no token, the other two do.

import { Hono, type Context } from 'hono'
import { recordCalls, recordedCalls, resetCalls } from './calls.ts'
import { exchanged, holds, lastShown, signed, type Env, type Guard } from './guards.ts'
import { mcp } from './mcp.ts'
import { resetStore, store } from './store.ts'

const app = new Hono<{ Bindings: Env }>()

/** Credentials that a guard refused, and why: a real server would only log it. */
let refused: { path: string; detail: string }[] = []

const open: Guard = async () => null

const serve =
  (guard: Guard) =>
  async ({ req, env, json }: Context<{ Bindings: Env }>) => {
    const { url, method, headers, signal } = req.raw
    const body = await req.text()
    const detail = await guard(env, req.raw, body)
    if (detail !== null) {
      refused.push({ path: req.path, detail })
      // RFC 6750 §3.1: which check failed is for us to know.
      return json({ error: 'invalid_token' }, 401, {
        'www-authenticate': 'Bearer error="invalid_token"',
      })
    }
    lastShown.set(req.path, headers.get('authorization') ?? '')
    const recorded = recordCalls(req.raw, body)
    signal.addEventListener('abort', () => {
      for (const call of recorded) call.cancelled = true
    })
    return mcp.fetch(new Request(url, { method, headers, signal, body: body === '' ? null : body }))
  }

app.all('/mcp', serve(open))
app.all('/signed/mcp', serve(signed))
app.all('/exchanged/mcp', serve(exchanged))

app.get('/healthz', (context) => context.json({ status: 'ok' }))

app.get('/_demo/calls', (context) => {
  const { total, calls } = recordedCalls()
  return context.json(calls, 200, { 'x-total-count': String(total) })
})

app.get('/_demo/holds', async ({ env, req, json }) =>
  json(await holds(env, req.query('path') ?? '')),
)

app.get('/_demo/refused', (context) => context.json(refused))

app.get('/_demo/outbox', (context) => context.json(store.outbox))

app.get('/_demo/exports', (context) => context.json(store.exports))

app.post('/_demo/reset', (context) => {
  resetCalls()
  resetStore()
  refused = []
  return context.body(null, 204)
})

export default app
