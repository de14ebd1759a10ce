import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  post,
  sessionKey,
  sql,
  token,
  toolCall,
  type CallOptions,
} from '../../support/worker/world.ts'

inThisWorld()

const EVE = 'eve@evil.example'
const people = (...mails: string[]) => ({
  content: [],
  structuredContent: { people: mails.map((mail) => ({ mail })) },
})

/** Two servers, and a rule: whom a mail goes to must be known from somewhere. */
beforeEach(() =>
  sql(
    'DELETE FROM sequence_rules',
    "INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('mail', 'acme', 'https://crm.example/mcp/mail', 1, 'crm')",
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'mail', 'send', 'write', 1), ('acme', 'mail', 'list', 'read', 1), ('acme', 'crm', 'list', 'read', 1), ('acme', 'crm', 'search', 'read', 1)",
    "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'mail', 'send', 'sink.external_send'), ('acme', 'crm', 'list', 'source.directory'), ('acme', 'mail', 'list', 'source.directory'), ('acme', 'crm', 'note', 'sink.write')",
    "INSERT INTO resource_types (tenant, name, form) VALUES ('acme', 'person', 'email')",
    "INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type, unlisted) VALUES ('acme', 'mail', 'send', '/to', 'target', 'person', 'public')",
    "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/text', 'content'), ('acme', 'crm', 'search', '/q', 'selector')",
    `INSERT INTO tool_origins (tenant, server, tool, pointer, resource_type, authority)
     SELECT 'acme', column1, column2, '/people/*/mail', 'person', 'listed' FROM (VALUES ('crm', 'list'), ('crm', 'search'), ('mail', 'list'), ('mail', 'send'), ('crm', 'note'))`,
    RULE('approve'),
  ),
)
afterEach(() => void vi.useRealTimers())

const RULE = (effect: string) =>
  `INSERT OR REPLACE INTO sequence_rules (tenant, id, effect, on_label, type, rules, role, origins, reason) VALUES
    ('acme', 'target-origin', '${effect}', 'sink.external_send', 'provenance', '[]', 'target', '["user","org","typed","own","field"]', 'target_origin')`

const as = async (sub: string, server: string, who: object = {}): Promise<CallOptions> => ({
  server,
  token: await token({ sub, ...who, claims: { aud: `${ORIGIN}/${server}/mcp` } }),
})

function answers(reply: object, before: readonly object[] = []): void {
  behaviour.upstream = async (request) => {
    const { id } = (await request.json()) as { id?: unknown }
    if (id === undefined) return new Response(null, { status: 202 })
    const all = [...before, { id, ...reply }].map((one) => ({ jsonrpc: '2.0', ...one }))
    if (before.length === 0) return Response.json(all[0])
    const events = all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
    return new Response(events, { headers: { 'content-type': 'text/event-stream' } })
  }
}

const says = async (sub: string, server: string, tool: string, args: object, who = {}) => {
  const response = await post(toolCall(tool, args), await as(sub, server, who))
  return response.text()
}
/** A listing by this server names her. */
const readsBack = async (sub: string, server = 'crm', who = {}, mail = EVE) => {
  answers({ result: people(mail) })
  await says(sub, server, 'list', {}, who)
  answers({ result: people() })
}
const send = async (sub: string, to: unknown = EVE, who = {}) =>
  (await call('send', { ...(await as(sub, 'mail', who)), args: { to } })).code

it('what nobody passed is vouched for by a listing, so that the tests below can fail', async () => {
  const sub = await newUser()
  expect(await send(sub)).toBe('approval_required')
  await readsBack(sub)
  expect(await send(sub)).toBe('allowed')
})

describe('a value passed without an origin gains none', () => {
  const note = async (sub: string, text: string, who = {}) => {
    answers({ result: people() })
    return says(sub, 'crm', 'note', { text }, who)
  }

  it.each<[string, string, string, object]>([
    ['on the server that it was passed to', 'crm', EVE, {}],
    ['on another server', 'mail', EVE, {}],
    ['through another client', 'crm', EVE, { client: 'other-agent' }],
    ['through an agent', 'mail', EVE, { agent: 'bot' }],
    ['in another case', 'crm', 'Eve@EVIL.example', {}],
    ['as a link', 'crm', `mailto:${EVE}`, {}],
    ['with a display name', 'crm', `Eve <${EVE}>`, {}],
    ['percent-encoded', 'crm', 'eve%40evil.example', {}],
    ['in full width', 'crm', 'ｅｖｅ@evil.example', {}],
  ])('by being read back %s', async (_, server, back, who) => {
    const sub = await newUser()
    await note(sub, `contact: ${EVE}`)
    await readsBack(sub, server, who, back)
    expect(await send(sub)).toBe('approval_required')
    // A spelling that is no mail address is refused for that.
    expect(await send(sub, back)).not.toBe('allowed')
  })

  it('by having been refused, and tried again in a note', async () => {
    const sub = await newUser()
    expect(await send(sub)).toBe('approval_required')
    await note(sub, EVE)
    await readsBack(sub)
    expect(await send(sub)).toBe('approval_required')
  })

  it.each(['audit', 'none', 'observe'])('by having passed while the rule was: %s', async (mode) => {
    const sub = await newUser()
    if (mode === 'audit') await sql(RULE('audit'))
    if (mode === 'none') await sql('DELETE FROM sequence_rules')
    const day = Date.now() + 86_400_000
    if (mode === 'observe')
      await sql(`UPDATE servers SET observe_until = ${day} WHERE name = 'mail'`)
    answers({ result: people(EVE) })
    expect(await send(sub)).toBe('allowed')
    await sql('UPDATE servers SET observe_until = NULL', RULE('approve'))
    await readsBack(sub)
    await readsBack(sub, 'mail')
    expect(await send(sub)).toBe('approval_required')
  })

  it('by being searched for', async () => {
    const sub = await newUser()
    answers({ result: people(EVE) })
    await says(sub, 'crm', 'search', { q: EVE })
    await readsBack(sub)
    expect(await send(sub)).toBe('approval_required')
  })

  it('by the answer of the very call that wrote it', async () => {
    const sub = await newUser()
    answers({ result: people(EVE) })
    await says(sub, 'crm', 'note', { text: JSON.stringify({ who: { mail: EVE } }) })
    expect(await send(sub)).toBe('approval_required')
  })

  it('by its tool being labelled otherwise afterwards, or its session being let go of', async () => {
    const sub = await newUser()
    await note(sub, EVE)
    await sql(
      "DELETE FROM tool_labels WHERE tool = 'note'",
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'note', 'source.directory')",
    )
    await evictDurableObject(env.SESSIONS.getByName(await sessionKey(sub)))
    await readsBack(sub)
    expect(await send(sub)).toBe('approval_required')
  })

  it('by what its row said of the listing before the row was changed', async () => {
    const sub = await newUser()
    await readsBack(sub)
    expect(await send(sub)).toBe('allowed')
    await sql(
      "UPDATE tool_origins SET authority = 'claimed' WHERE server = 'crm' AND tool = 'list'",
    )
    expect(await send(sub)).toBe('approval_required')
  })

  it('by thirty hours going by', async () => {
    const sub = await newUser()
    await note(sub, EVE)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 3_600_000 })
    await readsBack(sub)
    expect(await send(sub)).toBe('approval_required')
  })
})

describe('a target under another spelling of its argument', () => {
  it.each(['To', 'TO'])('`%s` is the target all the same', async (name) => {
    await sql("UPDATE tool_arguments SET resource_type = NULL WHERE tool = 'send'")
    const sub = await newUser()
    const said = await call('send', { ...(await as(sub, 'mail')), args: { [name]: EVE } })
    expect(said.code).toBe('approval_required')
  })

  it('an optional resource is looked up under another case of its name', async () => {
    await sql(
      'DELETE FROM sequence_rules',
      "UPDATE tool_arguments SET optional = 1, unlisted = 'restricted' WHERE tool = 'send'",
      "INSERT INTO policies (tenant, id, effect, condition) VALUES ('acme', 'none-restricted', 'deny', 'targets.exists(t, t.sensitivity == \"restricted\")')",
    )
    const sub = await newUser()
    const args = { ...(await as(sub, 'mail')), args: { To: EVE } }
    const exact = (await call('send', { ...args, args: { to: EVE } })).code
    expect(exact).toBe('denied_by_policy')
    expect((await call('send', args)).code).toBe('denied_by_policy')
  })

  it('in a list that ends in the own domain it is asked about', async () => {
    await sql(`UPDATE tenants SET own_domains = '["@corp.example"]'`)
    const sub = await newUser()
    expect(await send(sub, 'bob@corp.example')).toBe('allowed')
    for (const to of [
      `${EVE},bob@corp.example`,
      `${EVE} bob@corp.example`,
      'bob@notcorp.example',
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await send(sub, to)).not.toBe('allowed')
    }
  })
})

describe('what gives no origin', () => {
  const result = people(EVE)
  it.each<[string, object, readonly object[]]>([
    ['an error', { error: { code: 1, message: EVE, data: result } }, []],
    ['a result that is an error', { result: { ...result, isError: true } }, []],
    [
      'progress',
      { result: people() },
      [
        {
          method: 'notifications/progress',
          params: { progressToken: 1, progress: 1, message: EVE },
        },
      ],
    ],
    [
      'a log',
      { result: people() },
      [{ method: 'notifications/message', params: { level: 'info', data: result } }],
    ],
    ['a result that is no JSON-RPC', { result, error: { code: 1, message: 'both' } }, []],
    [
      'a result over the bound',
      { result: { ...result, content: [{ type: 'text', text: 'x'.repeat(1024 * 1024) }] } },
      [],
    ],
    ['the answer to another request', { id: 'other', result }, []],
    [
      'text that says otherwise',
      {
        result: {
          ...people(),
          content: [{ type: 'text', text: JSON.stringify(result.structuredContent) }],
        },
      },
      [],
    ],
  ])('%s', async (_, reply, before) => {
    const sub = await newUser()
    answers(reply, before)
    await says(sub, 'crm', 'list', {})
    expect(await send(sub)).toBe('approval_required')
  })

  it('a call that was refused, whatever its result would be', async () => {
    const sub = await newUser()
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'list')",
    )
    await readsBack(sub)
    expect(await send(sub)).toBe('approval_required')
  })

  it('a result that arrives only after the call that needed it', async () => {
    const sub = await newUser()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    behaviour.upstream = async (request) => {
      const { id } = (await request.json()) as { id: unknown }
      await held
      return Response.json({ jsonrpc: '2.0', id, result })
    }
    const reading = says(sub, 'crm', 'list', {})
    expect(await send(sub)).toBe('approval_required')
    release()
    expect(await reading).toContain(EVE)
    answers({ result: people() })
    expect(await send(sub)).toBe('allowed')
  })

  it('a task that the actor opened itself: it cannot be', async () => {
    const sub = await newUser()
    const open = (by: string) =>
      sql(
        `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, asked_for, named_values, opened_by, expires_at)
         VALUES ('acme', 't', '${ISSUER}', '${sub}', 'acme-agent', 'mail', 'write to ${EVE}', '["${EVE}"]', '${by}', ${Date.now() + 60_000})`,
      )
    await expect(open('acme-agent')).rejects.toThrow('CHECK')
    expect(await send(sub)).toBe('approval_required')
    await open('console')
    expect(await send(sub)).toBe('allowed')
    expect(await send(sub, EVE, { client: 'other-agent' })).toBe('approval_required')
  })
})
