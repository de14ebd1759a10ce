// The demo authorization server. It asks for no password: whoever opens the page chooses who to be.

import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { acceptConsent, showConsent } from './authorize.ts'
import { mint, reset, rotate, setFault, showRequests, showRevocations } from './demo.ts'
import { issuerOf, type AppEnv } from './issuer.ts'
import { unlessFaulty } from './faults.ts'
import { introspect, revoke } from './introspection.ts'
import { showKeys } from './jwks.ts'
import { authorizationServerMetadata, openidConfiguration } from './metadata.ts'
import { STYLESHEET } from './page.ts'
import { registerClient } from './register.ts'
import { issueTokens } from './token-endpoint.ts'

export { IssuerState } from './state.ts'

const app = new Hono<AppEnv>()

// Clients that run in a browser read these; /authorize is a navigation and needs no CORS.
for (const path of ['/.well-known/*', '/jwks.json', '/token', '/register']) app.use(path, cors())

app.use(async (context, next) => {
  const { path } = context.req
  if (!path.startsWith('/_demo/')) await issuerOf(context).state.countRequest(path)
  await next()
})

app.get('/.well-known/oauth-authorization-server', (context) =>
  context.json(authorizationServerMetadata(issuerOf(context).issuer)),
)
app.get('/.well-known/openid-configuration', (context) =>
  context.json(openidConfiguration(issuerOf(context).issuer)),
)
app.get('/jwks.json', unlessFaulty('/jwks.json', showKeys))
app.get('/redirected/jwks.json', showKeys)
app.get('/authorize', showConsent)
app.post('/authorize', acceptConsent)
app.post('/token', unlessFaulty('/token', issueTokens))
app.post('/redirected/token', issueTokens)
app.post('/register', registerClient)
app.post('/introspect', unlessFaulty('/introspect', introspect))
app.post('/redirected/introspect', introspect)
app.post('/revoke', unlessFaulty('/revoke', revoke))
app.post('/redirected/revoke', revoke)
app.get('/page.css', (context) => context.body(STYLESHEET, 200, { 'content-type': 'text/css' }))
app.get('/healthz', (context) => context.json({ status: 'ok', issuer: issuerOf(context).issuer }))

app.post('/mint', mint)
app.post('/_demo/fault', setFault)
app.post('/_demo/rotate', rotate)
app.get('/_demo/requests', showRequests)
app.get('/_demo/revocations', showRevocations)
app.post('/_demo/reset', reset)

// Only faults arrive here, and the likeliest is that it was started without a key.
app.onError((error, context) => {
  console.error(error.message)
  return context.json({ error: 'server_error', error_description: error.message }, 500)
})

export default app
