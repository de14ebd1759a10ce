import { describe, expect, it } from 'vitest'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  post,
  sql,
  token,
  toolCall,
  type CallOptions,
} from '../../support/worker/world.ts'

inThisWorld()

/** A second server, `mail`, and a rule: whom a mail goes to must be known from somewhere. */
const seedFlows = () =>
  sql(
    'DELETE FROM sequence_rules',
    "INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('mail', 'acme', 'https://crm.example/mcp/mail', 1, 'crm')",
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'mail', 'send', 'write', 1), ('acme', 'crm', 'list', 'read', 1)",
    "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'mail', 'send', 'sink.external_send'), ('acme', 'crm', 'list', 'source.directory')",
    "INSERT INTO resource_types (tenant, name, form) VALUES ('acme', 'person', 'email')",
    "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'mail', 'send', '/to', 'target')",
    "INSERT INTO tool_origins (tenant, server, tool, pointer, resource_type, authority) VALUES ('acme', 'crm', 'list', '/people/*/mail', 'person', 'listed')",
    `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, role, origins, reason) VALUES
      ('acme', 'target-origin', 'approve', 'sink.external_send', 'provenance', '[]', 'target', '["user","org","typed"]', 'target_origin')`,
    "UPDATE tool_arguments SET resource_type = 'person', unlisted = 'public' WHERE tool = 'send'",
  )

const as = async (
  sub: string,
  server = 'crm',
  options: Parameters<typeof token>[0] = {},
): Promise<CallOptions> => ({
  server,
  token: await token({
    sub,
    ...options,
    claims: { aud: `${ORIGIN}/${server}/mcp`, ...options.claims },
  }),
})

const send = async (sub: string, to: unknown, options: Parameters<typeof token>[0] = {}) =>
  (await call('send', { ...(await as(sub, 'mail', options)), args: { to } })).code

/** What `list` answers with, as JSON or as a stream. */
function answers(
  result: unknown,
  form: 'json' | 'events' = 'json',
  before: readonly unknown[] = [],
): void {
  behaviour.upstream = async (request) => {
    const { id } = (await request.json()) as { id?: unknown }
    if (id === undefined) return new Response(null, { status: 202 })
    const reply = { jsonrpc: '2.0', id, ...(result as object) }
    if (form === 'json') return Response.json(reply)
    const events = [...before, reply].map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
    return new Response(events, { headers: { 'content-type': 'text/event-stream' } })
  }
}

const people = (...mails: string[]) => ({
  result: { content: [], structuredContent: { people: mails.map((mail) => ({ mail })) } },
})

const listFor = async (sub: string, options: Parameters<typeof token>[0] = {}) => {
  const response = await post(toolCall('list'), await as(sub, 'crm', options))
  return response.text()
}

describe('an argument must come from somewhere', () => {
  it('what nobody gave asks for a person; what a result listed passes', async () => {
    await seedFlows()
    const sub = await newUser()
    expect(await send(sub, 'bob@partner.example')).toBe('approval_required')
    answers(people('bob@partner.example'))
    await listFor(sub)
    expect(await send(sub, 'bob@partner.example')).toBe('allowed')
    expect(await send(sub, 'eve@partner.example')).toBe('approval_required')
  })

  it.each(['json', 'events'] as const)(
    'also out of %s, and out of text that is JSON',
    async (form) => {
      await seedFlows()
      const sub = await newUser()
      const text = JSON.stringify({ people: [{ mail: 'bob@partner.example' }] })
      answers({ result: { content: [{ type: 'text', text }] } }, form)
      await listFor(sub)
      answers(people())
      expect(await send(sub, 'bob@partner.example')).toBe('allowed')
    },
  )

  it('not out of another part of a result, an error, or a log', async () => {
    await seedFlows()
    const sub = await newUser()
    answers({
      result: { content: [], structuredContent: { people: [], note: 'eve@partner.example' } },
    })
    await listFor(sub)
    answers({
      error: { code: 1, message: 'ask eve@partner.example', data: people('eve@partner.example') },
    })
    await listFor(sub)
    const log = {
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: people('eve@partner.example'),
    }
    answers(people(), 'events', [log])
    await listFor(sub)
    expect(await send(sub, 'eve@partner.example')).toBe('approval_required')
  })

  it('the own domain of the tenant is an origin, from the next call on', async () => {
    await seedFlows()
    const sub = await newUser()
    expect(await send(sub, 'carol@corp.example')).toBe('approval_required')
    await sql(`UPDATE tenants SET own_domains = '["@corp.example"]'`)
    expect(await send(sub, 'carol@corp.example')).toBe('allowed')
    expect(await send(sub, ['carol@corp.example', 'eve@evil.example'])).not.toBe('allowed')
  })

  it('what the person asked for is one, while exactly one task is open', async () => {
    await seedFlows()
    const sub = await newUser()
    const open = (id: string) =>
      sql(
        `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, asked_for, named_values, opened_by, expires_at)
         VALUES ('acme', '${id}', '${ISSUER}', '${sub}', 'acme-agent', 'mail', 'Please write to Dave@Partner.example.', '["erin@partner.example"]', 'console', ${Date.now() + 60_000})`,
      )
    await open('one')
    expect(await send(sub, 'dave@partner.example')).toBe('allowed')
    expect(await send(sub, 'erin@partner.example')).toBe('allowed')
    expect(await send(sub, 'mallory@partner.example')).toBe('approval_required')
    await sql("UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE id = 'one'")
    expect(await send(sub, 'frank@partner.example')).toBe('approval_required')
  })
})

describe('nothing begins a history anew', () => {
  it.each([
    ['a new token', {}],
    ['another client', { client: 'other-agent' }],
    ['an agent', { agent: 'bot' }],
    ['another login', { claims: { sid: 'new', auth_time: 1 } }],
  ])('%s on another server does not: read there, send here', async (_, other) => {
    await seedFlows()
    await sql(
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
        ('acme', 'no-send-after-read', 'deny', 'sink.external_send', 'temporal', '["source.confidential"]', 'exfiltration')`,
      `UPDATE tenants SET own_domains = '["@corp.example"]'`,
    )
    const sub = await newUser()
    expect(await send(sub, 'carol@corp.example', other)).toBe('allowed')
    await call('read_all', await as(sub))
    expect(await send(sub, 'carol@corp.example', other)).toBe('denied_by_sequence')
    expect(await send(sub, 'carol@corp.example')).toBe('denied_by_sequence')
  })

  it('what was laundered through one client and server has no origin on another', async () => {
    await seedFlows()
    await sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/text', 'content')",
    )
    const sub = await newUser()
    const args = { text: 'contact: eve@evil.example' }
    await call('note', { ...(await as(sub, 'crm', { client: 'other-agent' })), args })
    answers(people('eve@evil.example'))
    await listFor(sub, { agent: 'bot' })
    expect(await send(sub, 'eve@evil.example')).toBe('approval_required')
  })
})

describe('how many rows came back', () => {
  const seedRows = () =>
    sql(
      'DELETE FROM sequence_rules',
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, field, condition, reason) VALUES
        ('acme', 'broad-read', 'deny', 'sink.export', 'value_sum', '["source.confidential"]', 1800, 'result_rows', '{"gte":500}', 'broad_read')`,
    )
  const rows = (count: number) => ({
    result: {
      content: [],
      structuredContent: { rows: Array.from({ length: count }, (_, id) => ({ id })) },
    },
  })
  const exported = async (sub: string) =>
    (await call('export_all', { token: await token({ sub }) })).code

  it.each(['json', 'events'] as const)(
    'counts from a result as %s, before the client has it',
    async (form) => {
      await seedRows()
      const sub = await newUser()
      const reading = async (count: number) => {
        answers(rows(count), form)
        const response = await post(toolCall('read_all'), { token: await token({ sub }) })
        expect(await response.text()).toContain('structuredContent')
        answers(rows(0))
      }
      await reading(100)
      expect(await exported(sub)).toBe('allowed')
      await reading(450)
      expect(await exported(sub)).toBe('denied_by_sequence')
    },
  )

  it('a large result is without bound, and one that never came as well', async () => {
    await seedRows()
    const sub = await newUser()
    const long = { result: { content: [{ type: 'text', text: 'x'.repeat(1024 * 1024 + 1) }] } }
    answers(long)
    await (await post(toolCall('read_all'), { token: await token({ sub }) })).text()
    expect(await exported(sub)).toBe('denied_by_sequence')
    const other = await newUser()
    behaviour.upstream = () => {
      throw new Error('down')
    }
    await call('read_all', { token: await token({ sub: other }) })
    answers(rows(0))
    expect(await exported(other)).toBe('denied_by_sequence')
  })

  it('rows that an error carries count like any others', async () => {
    await seedRows()
    const sub = await newUser()
    answers({ error: { code: 1, message: 'failed', data: 'row;'.repeat(1_000) } })
    await (await post(toolCall('read_all'), { token: await token({ sub }) })).text()
    expect(await exported(sub)).toBe('denied_by_sequence')
  })
})

describe('a call that came to nothing', () => {
  it('permits nothing: an erring dry run is none', async () => {
    await seedFlows()
    await sql(
      'DELETE FROM sequence_rules',
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'list', 'dryrun.done')",
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, reason) VALUES
        ('acme', 'dry-run-first', 'deny', 'sink.external_send', 'absence', '["dryrun.done"]', 600, 'no_dry_run')`,
    )
    const sub = await newUser()
    answers({ result: { isError: true, content: [{ type: 'text', text: 'no' }] } })
    expect((await call('list', await as(sub))).code).toBe('allowed')
    expect(await send(sub, 'bob@example.com')).toBe('denied_by_sequence')
    // A change of the rules tells the history anew, and it did not happen then either.
    await sql("UPDATE sequence_rules SET timespan_s = 900 WHERE id = 'dry-run-first'")
    expect(await send(sub, 'bob@example.com')).toBe('denied_by_sequence')
    answers({ result: { content: [{ type: 'text', text: 'fine' }] } })
    expect((await call('list', await as(sub))).code).toBe('allowed')
    expect(await send(sub, 'bob@example.com')).toBe('allowed')
  })
})
