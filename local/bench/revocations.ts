import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { sha256 } from '../../src/sha256.ts'
import { IPV4_LOOPBACK } from '../ports.ts'
import type { Stack } from '../stack.ts'
import { closeTask, type TaskDesk } from '../tasks-client.ts'
import type { Measurement } from './load.ts'

/** So many people at once, each with a stream and a call open, again and again. */
const PEOPLE = 20
const ROUNDS = 10
/** When it is committed, counted from the opening. */
const WITHIN_MS = 3_000

const SERVER = 'revoked'
const STREAM = 'bench-told'
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'

export interface RevocationBench {
  readonly rows: readonly Measurement[]
  readonly ratios: {
    /** From the commit until all is over, for the client and for the upstream: 99 of 100. */
    readonly revoked_over_p99_ms: number
    /** And the longest. */
    readonly revoked_over_most_ms: number
  }
}

/** A person for one round; everything that names them is theirs alone. */
interface Person {
  readonly name: string
  readonly token: string
}

type Way = (person: Person) => Promise<unknown>

/** From a commit to the end of what was open then, by every way in turn. */
export async function benchRevocations(stack: Stack): Promise<RevocationBench> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwks = {
    keys: [{ ...(await exportJWK(publicKey)), kid: 'told', alg: 'RS256', use: 'sig' }],
  }
  const held = new Map<string, Held>()
  const upstream = await startUpstream(jwks, held)
  const { port } = upstream.address() as AddressInfo
  try {
    const origin = `http://${IPV4_LOOPBACK}:${port}`
    await prepare(stack, origin)
    const names = Array.from({ length: PEOPLE * ROUNDS }, (_, number) => `revoked-${number}`)
    const people = await Promise.all(names.map((name) => personOf(stack, name)))
    const ways = await waysOf(stack, origin, privateKey)
    const url = new URL(`/${SERVER}/mcp`, stack.sallyport.replace('localhost', IPV4_LOOPBACK))
    const times = { stream: [] as number[], call: [] as number[], upstream: [] as number[] }
    const lane = async (first: number): Promise<void> => {
      for (let number = first; number < people.length; number += PEOPLE) {
        const person = people[number]
        const way = ways[number % ways.length]
        if (person === undefined || way === undefined) return
        const stream = open(url, person, 'stream').then(wholeOf)
        const call = open(url, person, 'call').then(wholeOf)
        // Looked at below, unless the commit itself fails: then that is what is told.
        for (const one of [stream, call]) one.catch(() => undefined)
        const kinds = ['stream', 'call'].map((kind) => `${kind} ${person.name}`)
        // What has not arrived is no call under way: it may be refused.
        await until(() => kinds.every((of) => held.has(of)))
        await pause(Math.random() * WITHIN_MS)
        await way(person)
        const committed = performance.now()
        await Promise.all([
          stream.then(() => times.stream.push(performance.now() - committed)),
          call.then((text) => {
            times.call.push(performance.now() - committed)
            if (text.includes('done')) throw new Error(`${person.name} was given a result`)
          }),
        ])
        for (const of of kinds) {
          await until(() => held.get(of)?.leftAt !== null)
          times.upstream.push(Math.max(0, (held.get(of)?.leftAt ?? Infinity) - committed))
        }
      }
    }
    await Promise.all(Array.from({ length: PEOPLE }, (_, first) => lane(first)))
    const all = Object.values(times).flat()
    return {
      rows: [
        summary('stream closed', times.stream),
        summary('call withheld', times.call),
        summary('upstream left', times.upstream),
      ],
      ratios: {
        revoked_over_p99_ms: quantile(all, 0.99),
        revoked_over_most_ms: round(Math.max(...all)),
      },
    }
  } finally {
    upstream.closeAllConnections()
    await new Promise((resolve) => upstream.close(resolve))
  }
}

const personOf = async (stack: Stack, name: string): Promise<Person> => ({
  name,
  token: await stack.token({
    sub: name,
    client: 'acme-agent',
    server: SERVER,
    lifetimeSeconds: 1_800,
    claims: {
      client_id: `client-${name}`,
      act: { sub: `agent-${name}` },
      jti: `token-${name}`,
      sid: `login-${name}`,
      txn: `task-${name}`,
      // A signal is about tokens that are older than it.
      iat: Math.floor(Date.now() / 1000) - 30,
    },
  }),
})

/** By SQL, at `/tasks`, and told by an identity provider. */
async function waysOf(stack: Stack, transmitter: string, key: CryptoKey): Promise<readonly Way[]> {
  const revoke = (kind: string, idOf: (name: string) => string | Promise<string>): Way => {
    return async ({ name }) =>
      stack.query(
        `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', '${kind}', '${await idOf(name)}')`,
      )
  }
  const push = (type: string): Way => {
    return async ({ name }) => {
      const event = new SignJWT({
        sub_id: { format: 'iss_sub', iss: stack.issuer, sub: name },
        events: { [type]: {} },
      })
      const body = await event
        .setProtectedHeader({ alg: 'RS256', kid: 'told', typ: 'secevent+jwt' })
        .setIssuer(transmitter)
        .setAudience(STREAM)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .sign(key)
      const answer = await fetch(`${stack.sallyport}/events/${STREAM}`, {
        method: 'POST',
        headers: { 'content-type': 'application/secevent+jwt' },
        body,
      })
      if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
    }
  }
  const token = await stack.token({
    sub: 'bench-desk',
    client: 'acme-agent',
    path: 'tasks',
    scope: '',
    claims: { client_id: 'bench-desk' },
  })
  const desk: TaskDesk = { sallyport: stack.sallyport, token }
  return [
    revoke('subject', (name) => name),
    push(CAEP),
    revoke('token', (name) => `token-${name}`),
    ({ name }) => closeTask(desk, `task-${name}`),
    revoke('token_session', (name) => `login-${name}`),
    revoke('session', (name) => sha256(JSON.stringify(['acme', stack.issuer, name]))),
    push(RISC),
    revoke('client', (name) => `client-${name}`),
    revoke('agent', (name) => `agent-${name}`),
    revoke('task', (name) => `task-${name}`),
    ({ name }) =>
      stack.query(
        `UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE tenant = 'acme' AND id = 'task-${name}'`,
      ),
  ]
}

/** A server, and for each person a client, an agent and a task of their own. */
async function prepare(stack: Stack, upstream: string): Promise<void> {
  const { issuer } = stack
  const people = `(WITH RECURSIVE counted (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM counted
    WHERE n + 1 < ${PEOPLE * ROUNDS}) SELECT 'revoked-' || n AS name FROM counted)`
  await stack.query(
    [
      'UPDATE tenants SET actor_calls_per_minute = 1000000000',
      `INSERT INTO servers (name, tenant, url, internal) VALUES ('${SERVER}', 'acme', '${upstream}/mcp', 1)`,
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', '${SERVER}', 'work', 'write', 1)`,
      `INSERT INTO policies (tenant, id, effect, agent, server) VALUES ('acme', '${SERVER}', 'allow', '*', '${SERVER}')`,
      `INSERT INTO clients (tenant, issuer, id) SELECT 'acme', '${issuer}', 'client-' || name FROM ${people}`,
      `INSERT INTO agents (tenant, issuer, id) SELECT 'acme', '${issuer}', 'agent-' || name FROM ${people}`,
      `INSERT INTO tasks (tenant, id, issuer, subject, client, agent, purpose, opened_by, expires_at)
       SELECT 'acme', 'task-' || name, '${issuer}', name, 'client-' || name, 'agent-' || name, 'bench', 'bench-desk', (unixepoch() + 3600) * 1000 FROM ${people}`,
      `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${issuer}', 'bench-desk')`,
      `INSERT INTO task_openers (tenant, issuer, kind, id, client, for_others) VALUES ('acme', '${issuer}', 'client', 'bench-desk', '*', 1)`,
      `INSERT INTO signal_streams (id, tenant, issuer, audience, transmitter, jwks_uri)
       VALUES ('${STREAM}', 'acme', '${issuer}', '${STREAM}', '${upstream}', '${upstream}/jwks.json')`,
    ].join('; '),
  )
}

interface Held {
  /** When whoever asked had left. */
  readonly leftAt: number | null
}

/** Another lane may have failed, and with it the server: nothing waits for good. */
async function until(holds: () => boolean): Promise<void> {
  for (let left = 2_000; !holds(); left -= 1) {
    if (left === 0) throw new Error('it did not come about in ten seconds')
    await pause(5)
  }
}

/** Holds whatever it is asked, and notes when whoever asked has left. */
async function startUpstream(jwks: object, held: Map<string, Held>): Promise<Server> {
  const server = createServer((request, response) => {
    void (async () => {
      if (request.method === 'GET') {
        return void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify(jwks))
      }
      // Nothing is shown to this server, and a client's token least of all.
      if (request.headers.authorization !== undefined) return void response.writeHead(401).end()
      let text = ''
      for await (const chunk of request) text += String(chunk)
      const { params } = JSON.parse(text) as { params: { arguments: { of: string } } }
      const { of } = params.arguments
      held.set(of, { leftAt: null })
      response.once('close', () => held.set(of, { leftAt: performance.now() }))
      if (of.startsWith('stream')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        return
      }
      await pause(20_000)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: DONE }))
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, IPV4_LOOPBACK, resolve))
  return server
}

const DONE = { content: [{ type: 'text', text: 'done' }] }

function open(
  url: URL,
  { name, token }: Person,
  kind: 'stream' | 'call',
): Promise<IncomingMessage> {
  const params = { name: 'work', arguments: { of: `${kind} ${name}` } }
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  }
  return new Promise((resolve, reject) => {
    // A connection of its own: one that was kept may be closed at the moment it is used again.
    const asking = httpRequest(url, { method: 'POST', headers, agent: false }, resolve)
    asking.once('error', reject)
    asking.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }))
  })
}

async function wholeOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) text += String(chunk)
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode} ${text}`)
  return text
}

const round = (value: number): number => Math.round(value * 100) / 100

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
}

const summary = (name: string, times: readonly number[]): Measurement => ({
  name,
  clients: PEOPLE,
  p50_ms: quantile(times, 0.5),
  p99_ms: quantile(times, 0.99),
  rps: 0,
})
