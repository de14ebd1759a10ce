import { Hono, type Context } from 'hono'
import { cors } from 'hono/cors'
import { decisionPoint } from './authzen/doors.ts'
import { configurationResponse } from './authzen/metadata.ts'
import { ConfigError, isOurs, type Config } from './config.ts'
import { deploymentOf } from './deployment.ts'
import { lookNow } from './durable-objects/look-now.ts'
import { healthResponse } from './http/health.ts'
import { introspectResponse } from './http/introspect.ts'
import { jwksResponse } from './http/jwks.ts'
import { metadataResponse } from './http/metadata.ts'
import { enforce } from './pep/enforce.ts'
import { RPC } from './pep/explained.ts'
import { peopleRoutes } from './people/routes.ts'
import { pushDelivery } from './signals/push.ts'
import { taskResponse, tasksResponse, type TaskDoors } from './tasks/doors.ts'
import { holdersUnder } from './tasks/holders.ts'
import { TaskStore } from './tasks/store.ts'

type App = { Bindings: Env }

/** Routes, and the one place where a fault ends. Hono holds no security logic. */
export const app = new Hono<App>()

const allowedOrigin = (origin: string, config: Config): string | null =>
  config.allowedOrigins.has(origin) ? origin : null

app.route(
  '/',
  peopleRoutes((env) => deploymentOf(env).people),
)

app.use('/:server/mcp', (context, next) =>
  cors({
    origin: (origin) => allowedOrigin(origin, deploymentOf(context.env).doors.config),
    allowMethods: ['POST', 'GET', 'DELETE'],
    exposeHeaders: ['WWW-Authenticate', 'Retry-After', 'DPoP-Nonce', 'Mcp-Session-Id'],
    maxAge: 600,
  })(context, next),
)

app.all('/:server/mcp', (context) =>
  enforce(context.req.raw, context.req.param('server'), deploymentOf(context.env).doors, (work) =>
    context.executionCtx.waitUntil(work),
  ),
)

app.get('/.well-known/oauth-protected-resource/:server/mcp', async (context) => {
  const { config, policies } = deploymentOf(context.env).doors
  const request = context.req.raw
  // Public, and for pages of any origin (RFC 9728 §3.2), but only under our own names.
  if (!isOurs(request, config)) return context.text('not served here', 403)
  const name = context.req.param('server')
  const known = await policies.lastKnown(name)
  if (!known.ok) return context.text('try again', 503, { 'retry-after': '2' })
  if (known.value === null) return context.notFound()
  const rows = policies.isOld(known.value) ? await policies.refreshed(name, known.value) : 'same'
  const tenant = typeof rows === 'string' ? known.value : rows
  const server = tenant.servers.get(name)
  return server === undefined ? context.notFound() : metadataResponse(request, name, server, tenant)
})

for (const kind of ['evaluation', 'evaluations'] as const) {
  app.all(`/access/v1/${kind}`, (context) => {
    const { doors, callers } = deploymentOf(context.env)
    return decisionPoint(kind, context.req.raw, doors, callers, (work) =>
      context.executionCtx.waitUntil(work),
    )
  })
}

const tasksOf = ({ env, executionCtx }: Context<App>): TaskDoors => {
  const { doors, taskRates } = deploymentOf(env)
  return {
    doors,
    store: new TaskStore(env.DB, doors.policies),
    rates: taskRates,
    ended: (subject) => executionCtx.waitUntil(lookNow(env.CREDENTIALS, subject)),
    endedDeclared: (tenant, end) =>
      executionCtx.waitUntil(
        holdersUnder(env.DECISIONS, tenant, end).then((holders) =>
          Promise.all(holders.map((subject) => lookNow(env.CREDENTIALS, subject))),
        ),
      ),
  }
}

app.all('/tasks', (context) => tasksResponse(context.req.raw, tasksOf(context)))

app.all('/tasks/:id', (context) =>
  taskResponse(context.req.raw, context.req.param('id'), tasksOf(context)),
)

app.get('/.well-known/authzen-configuration', (context) =>
  configurationResponse(context.req.raw, deploymentOf(context.env).doors.config),
)

app.get('/.well-known/jwks.json', (context) => {
  const { config, credentials } = deploymentOf(context.env).doors
  return jwksResponse(context.req.raw, config, credentials)
})

app.all('/introspect', (context) =>
  introspectResponse(context.req.raw, deploymentOf(context.env).doors),
)

app.all('/events/:stream', (context) =>
  pushDelivery(context.req.raw, context.req.param('stream'), deploymentOf(context.env).push),
)

app.get('/healthz', (context) => {
  return healthResponse(deploymentOf(context.env).doors, context.env.DECISIONS)
})

app.notFound((context) => context.json({ error: 'nothing is served here' }, 404))

/** INVARIANT: nothing undecided was forwarded, and nothing is told but that something went wrong. */
app.onError((fault, context) => {
  if (fault instanceof ConfigError) {
    // The message is for the operator and holds nothing but the setting itself.
    return context.json({ status: 'not serving', reasons: [fault.message] }, 503)
  }
  console.error('fault', fault.stack)
  const error = { code: RPC.internal, message: 'internal error' }
  return context.json({ jsonrpc: '2.0', error }, 500)
})
