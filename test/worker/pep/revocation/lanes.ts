import { exports } from 'cloudflare:workers'
import { noteShown } from '../../../support/worker/client-credentials.ts'
import { addStream } from '../../../support/worker/signals.ts'
import {
  behaviour,
  ISSUER,
  ORIGIN,
  sql,
  token,
  UPSTREAM,
  type TokenOptions,
} from '../../../support/worker/world.ts'
import { openerRow, OPENER } from '../../tasks/door.ts'

/**
 * Tenants that act side by side. Each has everything of its own that a revocation can name, so that
 * what ends in one lane is felt in no other one, even where it is the issuer or the whole tenant.
 */
export interface Lane {
  readonly tenant: string
  readonly issuer: string
  /** Its server, and one that asks for consent. */
  readonly server: string
  readonly asking: string
}

export const CLIENT = 'assistant'
export const AGENT = 'bot'
/** Who stands by in each lane uses nothing of whoever is revoked but what all share. */
const OTHER_CLIENT = 'another'
export const KEY_ID = 'k1'
const OTHER_KEY_ID = 'k2'
export const TOOL = 'note'
const OTHER_TOOL = 'look'
export const POLL_SECRET = 'SIGNALS_POLL'
export const POLL_ORIGIN = 'https://transmitter.example'

/** The names of a lane's streams of signals. */
export const pushStream = ({ tenant }: Lane): string => `${tenant}-told`
export const pollStream = ({ tenant }: Lane): string => `${tenant}-asked`

/** The key that signs tokens goes by two names, one of which may be revoked. */
export function twoKeyNames(): void {
  const former = behaviour.jwks
  behaviour.jwks = async (request) => {
    const { keys } = await (await former(request)).json<{ keys: { kid: string }[] }>()
    const again = keys.filter(({ kid }) => kid === KEY_ID)
    return Response.json({
      keys: [...keys, ...again.map((key) => ({ ...key, kid: OTHER_KEY_ID }))],
    })
  }
}

export async function openLane(number: number): Promise<Lane> {
  const tenant = `lane-${number}`
  const issuer = `https://issuer-${number}.example`
  const lane: Lane = { tenant, issuer, server: tenant, asking: `${tenant}-asking` }
  const servers = [lane.server, lane.asking]
  const rows = (table: string, columns: string, values: readonly string[]) =>
    `INSERT INTO ${table} (${columns}) VALUES ${values.map((one) => `(${one})`).join(', ')}`
  const clients = [CLIENT, OTHER_CLIENT, OPENER].map((id) => `'${tenant}', '${issuer}', '${id}'`)
  const tools = servers.flatMap((server) =>
    [TOOL, OTHER_TOOL].map((tool) => `'${tenant}', '${server}', '${tool}', 'write', 1`),
  )
  await sql(
    `INSERT INTO tenants (id, actor_calls_per_minute) VALUES ('${tenant}', 1000000000)`,
    `INSERT INTO issuers (tenant, url, jwks_uri, opens_tasks) VALUES ('${tenant}', '${issuer}', '${ISSUER}/jwks.json', 1)`,
    rows('clients', 'tenant, issuer, id', clients),
    `INSERT INTO agents (tenant, issuer, id) VALUES ('${tenant}', '${issuer}', '${AGENT}')`,
    ...servers.map(
      (server) =>
        `INSERT INTO servers (name, tenant, url, internal, consent_required) VALUES
         ('${server}', '${tenant}', '${UPSTREAM}/${server}', 1, ${server === lane.asking ? 1 : 0})`,
    ),
    rows('tools', 'tenant, server, name, access, labels_reviewed', tools),
    `INSERT INTO policies (tenant, id, effect, agent) VALUES ('${tenant}', 'all', 'allow', '*')`,
    openerRow({ tenant, issuer }),
  )
  await addStream(pushStream(lane), { tenant, issuer })
  await addStream(pollStream(lane), {
    tenant,
    issuer,
    delivery: 'poll',
    poll_url: `${POLL_ORIGIN}/poll`,
    secret: POLL_SECRET,
  })
  return lane
}

/** Signed for a lane; half a minute old, so that a signal about older tokens means it. */
export function laneToken(lane: Lane, { claims, ...more }: TokenOptions): Promise<string> {
  const iat = Math.floor(Date.now() / 1000) - 30
  return token({
    client: CLIENT,
    scope: '',
    ...more,
    claims: { iss: lane.issuer, aud: addressOf(lane.server), iat, exp: iat + 3_000, ...claims },
  })
}

export const addressOf = (server: string): string => `${ORIGIN}/${server}/mcp`

/** How somebody shows their token, beyond the token itself. */
export interface Shown {
  readonly server: string
  readonly bearer: string
  /** Made anew for each request. */
  readonly headers?: (method: string) => Promise<Record<string, string>>
  readonly cf?: object
}

/** Made in advance, so that to call it is to send it, in the same turn of the event loop. */
export type Ready = () => Promise<Response>

export async function ready(
  shown: Shown,
  method: 'GET' | 'POST',
  body: string,
  more: Record<string, string> = {},
): Promise<Ready> {
  const headers = new Headers({
    accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
    authorization: `Bearer ${shown.bearer}`,
    ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
    ...more,
    ...(await shown.headers?.(method)),
  })
  noteShown(headers)
  const request = new Request(addressOf(shown.server), {
    method,
    headers,
    ...(method === 'GET' ? {} : { body }),
    ...(shown.cf === undefined ? {} : { cf: shown.cf as never }),
  })
  return () => exports.default.fetch(request)
}

/** Somebody of the same tenant, at the same server, whom no revocation of another one concerns. */
export async function bystander(lane: Lane, sub: string): Promise<Shown> {
  const header = { kid: OTHER_KEY_ID }
  const bearer = await laneToken(lane, { sub, client: OTHER_CLIENT, header })
  return { server: lane.server, bearer }
}

export const callBody = (args: object, tool: string = TOOL): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: args },
  })

export const bystanderBody = (args: object): string => callBody(args, OTHER_TOOL)
