// What no real authorization server has: tokens for the asking, and switches for tests.

import type { Context } from 'hono'
import { z } from 'zod'
import { issueAccessToken, TOKEN_FORMATS } from './access-tokens.ts'
import { DEFAULT_TENANT, SCOPES } from './clients.ts'
import { issuerOf, type AppEnv } from './issuer.ts'
import { parseJson } from './json.ts'
import { FAULTS, FAULTY_PATHS } from './state.ts'

const mintRequest = z.strictObject({
  client: z.string().min(1),
  /** Left out: the client for itself, a workload. */
  sub: z.string().min(1).optional(),
  resource: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  agent: z.string().min(1).optional(),
  scope: z.string().optional(),
  task: z.string().min(1).optional(),
  tenant: z.string().min(1).optional(),
  /** Below zero: a token that has lapsed. */
  lifetime_s: z.int().optional(),
  typ: z.string().optional(),
  format: z.enum(TOKEN_FORMATS).default('jwt'),
  /** Further claims, or others in place of ours; `null` takes one away. */
  claims: z.record(z.string(), z.unknown()).optional(),
})

export async function mint(context: Context<AppEnv>): Promise<Response> {
  const request = await readJson(context, mintRequest)
  if (request instanceof Response) return request
  const issuer = issuerOf(context)
  const wanted = {
    issuer: issuer.issuer,
    subject: request.sub ?? request.client,
    client: request.client,
    resource: request.resource,
    scope: request.scope ?? SCOPES.join(' '),
    tenant: request.tenant ?? DEFAULT_TENANT,
    agent: request.agent,
    task: request.task,
    lifetimeSeconds: request.lifetime_s,
    type: request.typ,
    overrides: request.claims,
  }
  return context.text(await issueAccessToken(issuer, wanted, request.format), 200, {
    'cache-control': 'no-store',
  })
}

const faultRequest = z.strictObject({
  path: z.enum(FAULTY_PATHS).default('/jwks.json'),
  mode: z.enum(FAULTS),
})

export async function setFault(context: Context<AppEnv>): Promise<Response> {
  const request = await readJson(context, faultRequest)
  if (request instanceof Response) return request
  await issuerOf(context).state.setFault(request.path, request.mode)
  return context.json(request)
}

export async function rotate(context: Context<AppEnv>): Promise<Response> {
  const request = await readJson(context, z.strictObject({ drop_old: z.boolean().default(false) }))
  if (request instanceof Response) return request
  const kid = await issuerOf(context).state.rotateKey({ dropOld: request.drop_old })
  return context.json({ kid })
}

export async function showRequests(context: Context<AppEnv>): Promise<Response> {
  return context.json(await issuerOf(context).state.requests())
}

/** What every token said that was taken back (RFC 7009), in order. */
export async function showRevocations(context: Context<AppEnv>): Promise<Response> {
  const rows = await issuerOf(context).state.revocations()
  return context.json(rows.map((claims) => JSON.parse(claims) as unknown))
}

export async function reset(context: Context<AppEnv>): Promise<Response> {
  await issuerOf(context).state.reset()
  return context.body(null, 204)
}

/**
 * A page in somebody's browser may reach loopback too. It cannot send this media type to another
 * origin without a preflight, and these routes answer none. No body stands for `{}`.
 */
async function readJson<Schema extends z.ZodType>(
  { req, json }: Context<AppEnv>,
  schema: Schema,
): Promise<z.infer<Schema> | Response> {
  const text = await req.text()
  if (text !== '' && req.header('content-type')?.split(';')[0] !== 'application/json') {
    return json({ error: 'content-type must be application/json' }, 415)
  }
  const parsed = schema.safeParse(parseJson(text || '{}'))
  return parsed.success ? parsed.data : json({ error: z.prettifyError(parsed.error) }, 400)
}
