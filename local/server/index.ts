// The demo MCP server. It checks no token: it stands where a real upstream would, behind Sallyport,
// and `/_demo/calls` tells a test what Sallyport let through and with which headers.

import { Hono } from 'hono'
import { recordCalls, recordedCalls, resetCalls } from './calls.ts'
import { mcp } from './mcp.ts'
import { resetStore, store } from './store.ts'

const app = new Hono()

app.all('/mcp', async ({ req }) => {
  const { url, method, headers, signal } = req.raw
  const body = await req.text()
  const recorded = recordCalls(req.raw, body)
  signal.addEventListener('abort', () => {
    for (const call of recorded) call.cancelled = true
  })
  return mcp.fetch(new Request(url, { method, headers, signal, body: body === '' ? null : body }))
})

app.get('/healthz', (context) => context.json({ status: 'ok' }))

app.get('/_demo/calls', (context) => {
  const { total, calls } = recordedCalls()
  return context.json(calls, 200, { 'x-total-count': String(total) })
})

app.get('/_demo/outbox', (context) => context.json(store.outbox))

app.get('/_demo/exports', (context) => context.json(store.exports))

app.post('/_demo/reset', (context) => {
  resetCalls()
  resetStore()
  return context.body(null, 204)
})

export default app
