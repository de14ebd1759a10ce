import { createExecutionContext, listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { app } from '../../../src/app.ts'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { inThisWorld, seen, sql, toolCall, UPSTREAM } from '../../support/worker/world.ts'
import { ATTACKS } from '../../unit/authentication/attacks.ts'
import { PRESENTED, THUMBPRINT } from '../../unit/authentication/attacks-on-bindings.ts'
import { dpopCredentials, jktOf } from '../../unit/authentication/proof-smith.ts'
import {
  ALIAS,
  bearer,
  ISSUER,
  NOW,
  publicJwk,
  RESOURCE,
  SIGNING_ALGORITHMS,
  token,
} from '../../unit/authentication/token-smith.ts'

/**
 * The sheet of test/unit/authentication against the Worker itself, with real rows and objects: the
 * Worker stands at the address of the sheet, at the time of the sheet, and trusts its issuer.
 */
inThisWorld()

const published = { keys: await Promise.all(SIGNING_ALGORITHMS.map(publicJwk)) }

/** Whatever was written to the console while a test ran. */
const written: string[] = []

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW })
  const world = vi.mocked(globalThis.fetch).getMockImplementation()
  if (world === undefined) throw new Error('the world was not made')
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
    new Request(input, init).url === `${ISSUER}/jwks.json`
      ? Response.json(published)
      : world(input, init),
  )
  written.length = 0
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      written.push(
        parts.map((part) => (part instanceof Error ? part.stack : String(part))).join(' '),
      )
    })
  }
  await sql(
    `INSERT INTO issuers (tenant, url, jwks_uri, algorithms) VALUES ('acme', '${ISSUER}', '${ISSUER}/jwks.json', '["ES256","ES384","EdDSA","RS256","PS256","Ed25519"]')`,
    `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'acme-agent')`,
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', 'alice', 'sales')`,
    `INSERT INTO servers (name, tenant, url, internal) VALUES ('files', 'acme', '${UPSTREAM}', 1)`,
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'files', 'note', 'write', 1)`,
  )
})

afterEach(() => {
  vi.useRealTimers()
})

const THERE = {
  ...env,
  PUBLIC_ORIGIN: new URL(RESOURCE).origin,
  PUBLIC_ORIGIN_ALIASES: new URL(ALIAS).origin,
  ALLOWED_ORIGINS: '',
  ALLOW_LOOPBACK_UPSTREAMS: 'false',
} as Env

/** Null: a text that no HTTP message can carry as it is. */
function requestOf(credentials: Credentials, tlsClientAuth: unknown): Request | null {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const [name, value] of [
    ['authorization', credentials.authorization],
    ['dpop', credentials.dpop],
    ['workload-identity-token', credentials.workloadToken],
    ['workload-proof-token', credentials.workloadProof],
  ] as const) {
    if (value === null) continue
    if (/[^\t\x20-\x7e]/.test(value)) return null
    headers.set(name, value)
    if (headers.get(name) !== value) return null
  }
  return new Request(`${RESOURCE}${credentials.tokenInQuery ? '?access_token=x' : ''}`, {
    method: credentials.method,
    headers,
    body: toolCall('note'),
    ...(tlsClientAuth === undefined ? {} : { cf: { tlsClientAuth } as never }),
  })
}

const answerTo = async (request: Request): Promise<{ response: Response; told: string }> => {
  const context = createExecutionContext()
  const response = await app.fetch(request, THERE, context)
  const told = `${JSON.stringify([...response.headers])} ${await response.clone().text()}`
  return { response, told }
}

/** By our cell. What is not here is 401 with `error="invalid_token"`. */
function expected(refusal: string): { status: number; challenge: string | null } {
  if (refusal.startsWith('proof '))
    return { status: 401, challenge: 'DPoP error="invalid_dpop_proof"' }
  switch (refusal) {
    case 'credentials_missing':
      return { status: 401, challenge: 'Bearer resource_metadata=' }
    case 'credentials_malformed':
      return { status: 400, challenge: 'Bearer error="invalid_request"' }
    case 'workload_proof_invalid':
      return { status: 400, challenge: null }
    default:
      return { status: 401, challenge: ' error="invalid_token"' }
  }
}

/** Everything that a session, a decision log or the trust rows keep, as one text. */
async function everythingKept(): Promise<string> {
  const kept: string[] = []
  for (const id of await listDurableObjectIds(env.SESSIONS)) {
    await runInDurableObject(env.SESSIONS.get(id), async (object, { storage }) => {
      const tables = storage.sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'",
        )
        .toArray()
      for (const { name } of tables) {
        kept.push(JSON.stringify(storage.sql.exec(`SELECT * FROM "${name}"`).toArray()))
      }
      kept.push(JSON.stringify([...(await storage.list())]))
      await object.alarm()
    })
  }
  for (const [database, tables] of [
    [env.DECISIONS, ['decisions', 'outcomes']],
    [env.DB, ['revision', 'tool_sightings']],
  ] as const) {
    for (const table of tables) {
      const { results } = await database.prepare(`SELECT * FROM ${table}`).all()
      kept.push(JSON.stringify(results))
    }
  }
  return kept.join('\n')
}

/** Twenty letters of a credential are a credential: no name, digest or sentence of ours holds them. */
const PIECE = 20

function piecesOf(credentials: Credentials): string[] {
  return [
    credentials.authorization,
    credentials.dpop,
    credentials.workloadToken,
    credentials.workloadProof,
  ].flatMap((text) =>
    (text ?? '')
      .slice(0, 6000)
      .split(/[^A-Za-z0-9_-]+/)
      // A long run of one letter is nobody's.
      .filter((segment) => segment.length >= PIECE && !/^(.)\1*$/.test(segment))
      .flatMap((segment) =>
        Array.from({ length: Math.floor(segment.length / PIECE) }, (_, at) =>
          segment.slice(at * PIECE, (at + 1) * PIECE),
        ),
      ),
  )
}

/** Only where such letters can stand at all is it worth looking. */
const looksLikeCredential = (text: string): string =>
  (text.match(/[A-Za-z0-9_-]{20,}/g) ?? []).join('\n')

describe('the sheet of attacks against the Worker', () => {
  it(
    'gets no further than door one, in the words of the standards, and is kept nowhere',
    { timeout: 120_000 },
    async () => {
      const wrong: string[] = []
      const sent: Credentials[] = []
      const answers: string[] = []
      let unsendable = 0
      for (const attack of ATTACKS) {
        // Rows with circumstances of their own are about those.
        if (attack.context !== undefined) continue
        const credentials = await attack.credentials()
        const request = requestOf(credentials, attack.tlsClientAuth)
        if (request === null) {
          unsendable += 1
          continue
        }
        sent.push(credentials)
        const { response, told } = await answerTo(request)
        answers.push(told)
        const { status, challenge } = expected(attack.refusal)
        const header = response.headers.get('www-authenticate') ?? ''
        if (response.status !== status || (challenge !== null && !header.includes(challenge))) {
          wrong.push(`${attack.name}: ${response.status} ${header.slice(0, 60)}`)
        }
      }
      expect(wrong).toEqual([])
      expect(seen).toEqual([])
      expect(sent.length).toBeGreaterThanOrEqual(350)
      expect(unsendable).toBeLessThan(20)

      // And credentials that are good: they are recorded as decisions, and still not as texts.
      const certificateBound = bearer(
        await token({ cnf: `{"x5t#S256":"${THUMBPRINT}"}`, jti: '"c"' }),
      )
      const both = { claims: { cnf: `{"jkt":"${jktOf('ES256')}","x5t#S256":"${THUMBPRINT}"}` } }
      const good: readonly (readonly [Credentials, unknown])[] = [
        [bearer(await token()), undefined],
        [await dpopCredentials(), undefined],
        [certificateBound, PRESENTED],
        [await dpopCredentials({ payload: { jti: '"both"' } }, both), PRESENTED],
      ]
      for (const [credentials, tlsClientAuth] of good) {
        const request = requestOf(credentials, tlsClientAuth)
        if (request === null) throw new Error('not sendable')
        const { response, told } = await answerTo(request)
        expect(response.status).toBe(200)
        sent.push(credentials)
        answers.push(told)
      }
      expect(seen).toHaveLength(good.length)

      const kept = await everythingKept()
      expect(kept).toContain('acme-agent')
      const upstream = seen.map(({ headers, body }) => `${JSON.stringify([...headers])} ${body}`)
      const places = { answers, written, upstream, kept: [kept] }
      const found = Object.entries(places).flatMap(([place, texts]) => {
        const haystack = looksLikeCredential(texts.join('\n'))
        return sent
          .flatMap(piecesOf)
          .filter((piece) => haystack.includes(piece))
          .map((piece) => `${place}: ${piece}`)
      })
      expect(found).toEqual([])
    },
  )
})
