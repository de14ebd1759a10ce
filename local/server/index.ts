// The demo MCP server. It stands where a real upstream would, behind Sallyport, and `/_demo/calls` tells
// a test what Sallyport let through and with which headers. `/mcp` asks for no token, the other two do; a
// token that is for somebody else is refused at all of them.

import { Hono, type Context } from 'hono'
import { foreignTokens } from './foreign-tokens.ts'
import { recordCalls, recordedCalls, resetCalls } from './calls.ts'
import { exchanged, holds, lastShown, signed, type Env, type Guard } from './guards.ts'
import { mcp } from './mcp.ts'
import { resetStore, store } from './store.ts'

const app = new Hono<{ Bindings: Env }>()

/** Credentials that a guard refused, and why: a real server would only log it. */
let refused: { path: string; detail: string }[] = []

/** By path: the last message that was served there, shown to its guard once more. */
const again = new Map<string, () => Promise<string | null>>()

/** Paths at which a token of somebody else arrived. Tests may forget calls, but never these. */
const foreign: string[] = []

const open: Guard = async () => null

const serve =
  (guard: Guard) =>
  async ({ req, env, json }: Context<{ Bindings: Env }>) => {
    const { url, method, headers, signal } = req.raw
    const body = await req.text()
    const tokens = foreignTokens(req.raw, body, `${env.SERVER_URL ?? ''}${req.path}`)
    foreign.push(...tokens.map(() => req.path))
    const detail = tokens.length > 0 ? 'a token for somebody else' : await guard(env, req.raw, body)
    if (detail !== null) {
      refused.push({ path: req.path, detail })
      // RFC 6750 §3.1: which check failed is for us to know.
      return json({ error: 'invalid_token' }, 401, {
        'www-authenticate': 'Bearer error="invalid_token"',
      })
    }
    lastShown.set(req.path, headers.get('authorization') ?? '')
    again.set(req.path, () => guard(env, new Request(url, { method, headers }), body))
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

app.get('/_demo/again', async ({ req, json }) =>
  json((await again.get(req.query('path') ?? '')?.()) ?? null),
)

app.get('/_demo/refused', (context) => context.json(refused))

app.post('/_demo/foreign', (context) => context.json(foreign.splice(0)))

app.get('/_demo/outbox', (context) => context.json(store.outbox))

app.get('/_demo/exports', (context) => context.json(store.exports))

app.post('/_demo/reset', (context) => {
  resetCalls()
  resetStore()
  refused = []
  return context.body(null, 204)
})

export default app
