import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { ask } from '../../support/worker/modern.ts'
import { pin, seenAsPinned } from '../../support/worker/upstream.ts'
import {
  behaviour,
  inThisWorld,
  ISSUER,
  newUser,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const WITHIN_MS = 1_500
const SECRET = 'what-must-not-pass'
const PAGE = 'resource:test://page'

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Both are pinned, as somebody has just seen them, and every person consents on their own. */
beforeEach(async () => {
  await sql(
    "UPDATE servers SET consent_required = 1 WHERE name = 'crm'",
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', '${PAGE}', 'read', 1)`,
  )
  for (const name of ['note', PAGE]) {
    // oxlint-disable-next-line no-await-in-loop
    await seenAsPinned(name, await pin({ name }))
  }
})

async function someone(): Promise<string> {
  const sub = await newUser()
  await sql(
    ...['note', PAGE].map(
      (tool) => `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool)
        VALUES ('acme', '${crypto.randomUUID()}', '${ISSUER}', '${sub}', 'acme-agent', 'crm', '${tool}')`,
    ),
  )
  return sub
}

/** What takes leave from everybody who has it now. */
const ENDS: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'the consent is withdrawn',
    () => sql('UPDATE consents SET revoked_at = granted_at WHERE revoked_at IS NULL'),
  ],
  [
    'the consent is revoked',
    () =>
      sql("INSERT INTO revocations (tenant, kind, id) SELECT 'acme', 'consent', id FROM consents"),
  ],
  [
    'it is pinned anew',
    () =>
      sql(
        `UPDATE tools SET definition_hash = '${'b'.repeat(64)}' WHERE name IN ('note', '${PAGE}')`,
      ),
  ],
  [
    'somebody is shown another definition',
    () =>
      sql("UPDATE tool_sightings SET differed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)"),
  ],
]

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly arguments?: { readonly as?: string } }
}

const messageOf = async (request: Request): Promise<Message> =>
  request.method === 'POST' ? ((await request.clone().json()) as Message) : {}

const aborted = ({ signal }: Request) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', resolve)
  })

/** A server that leaves open what is asked of it: a stream, or a body that takes its time; or makes a task. */
function serve() {
  const server = new LegacyServer()
  server.streaming = ({ method }) => method === 'tools/call' || method === 'subscriptions/listen'
  const bodies: Request[] = []
  const legacy = behaviour.upstream
  behaviour.upstream = async (request) => {
    const { id, params } = await messageOf(request)
    // What speaks 2026-07-28 knows no sessions.
    server.keepsSessions = request.headers.get('mcp-session-id') !== null
    const as = params?.arguments?.as
    if (as === 'task') {
      return Response.json({ jsonrpc: '2.0', id, result: { task: { taskId: 't' } } })
    }
    if (as !== 'body') return legacy(request)
    bodies.push(request)
    await Promise.race([wait(4_000), aborted(request)])
    if (request.signal.aborted) throw new Error('aborted')
    return Response.json({ jsonrpc: '2.0', id, result: { content: [{ text: SECRET }] } })
  }
  return {
    server,
    areTold: () =>
      server.streams.every(({ isCancelled }) => isCancelled) &&
      bodies.every(({ signal }) => signal.aborted),
  }
}

const legacy = async (as: string) =>
  within(await initialized(await someone()), toolCall('note', { as }))
const modern = async (method: string, params: Readonly<Record<string, unknown>>) =>
  ask(method, params, { token: await token({ sub: await someone() }) })

const OPEN: Readonly<Record<string, () => Promise<Response>>> = {
  'a legacy call in a stream': () => legacy('stream'),
  'a legacy call with one body': () => legacy('body'),
  'a modern call in a stream': () => modern('tools/call', { name: 'note' }),
  'a modern call with one body': () =>
    modern('tools/call', { name: 'note', arguments: { as: 'body' } }),
  'a subscription': () =>
    modern('subscriptions/listen', { notifications: { resourceSubscriptions: ['test://page'] } }),
}

describe.each(ENDS)('where %s', (_, edit) => {
  it('whatever is open ends, and its server is told', async () => {
    const { server, areTold } = serve()
    const ending = Object.entries(OPEN).map(async ([name, open]) => {
      const text = await (await open()).text()
      return { name, text, at: Date.now() }
    })
    await vi.waitFor(() => expect(server.streams).toHaveLength(3))
    await wait(1_200)
    await edit()
    const committed = Date.now()
    for (const { name, text, at } of await Promise.all(ending)) {
      expect(at - committed, name).toBeLessThan(WITHIN_MS)
      expect(text, name).toContain('sallyport/refusal')
      expect(text, name).not.toContain(SECRET)
    }
    await vi.waitFor(() => expect(areTold()).toBe(true))
  })

  it('the stream of a session goes on, and is silent about it and about its tasks', async () => {
    const { server } = serve()
    const client = await initialized(await someone())
    const made = await within(client, toolCall('note', { as: 'task' }))
    expect(await made.json()).toMatchObject({ result: { task: { taskId: 't' } } })
    const events = new EventReader(await listen(client))
    const tell = (name: string, params: object) =>
      server.streams[0]!.send({ jsonrpc: '2.0', method: `notifications/${name}`, params })
    const tellAll = () => {
      tell('resources/updated', { uri: 'test://page' })
      tell('tasks/status', { taskId: 't', status: 'working', statusMessage: SECRET })
      tell('tools/list_changed', {})
    }
    const methods = async (count: number) => {
      const told: unknown[] = []
      for (let at = 0; at < count; at += 1) {
        // oxlint-disable-next-line no-await-in-loop
        told.push((await events.message())?.['method'])
      }
      return told
    }
    tellAll()
    expect(await methods(3)).toEqual([
      'notifications/resources/updated',
      'notifications/tasks/status',
      'notifications/tools/list_changed',
    ])
    await edit()
    // As long as what was read before counts.
    await wait(500)
    tellAll()
    expect(await methods(1)).toEqual(['notifications/tools/list_changed'])
    await events.leave()
  })
})

it('a server that does not list its tools while one is pinned anew gains no time', async () => {
  const { areTold } = serve()
  const quick = behaviour.upstream
  behaviour.upstream = async (request) => {
    const { method } = await messageOf(request)
    if (method === 'tools/list' || method === 'server/discover') await wait(4_000)
    return quick(request)
  }
  const response = await legacy('stream')
  await wait(1_200)
  await sql(`UPDATE tools SET definition_hash = '${'b'.repeat(64)}' WHERE name = 'note'`)
  const committed = Date.now()
  expect(await response.text()).toContain('sallyport/refusal')
  expect(Date.now() - committed).toBeLessThan(2_000)
  await vi.waitFor(() => expect(areTold()).toBe(true))
})
