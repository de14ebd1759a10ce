import { describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import { inThisWorld, message, newUser, post, seen, sql } from '../../support/worker/world.ts'
import { by, codeOf, onlyRules, rawCall, seedMail, type Way } from './second-server.ts'

inThisWorld()

const FIRST: Way = { server: 'crm', client: 'acme-agent' }
const SECOND: Way = { server: 'mail', client: 'other-agent' }

const noSend = {
  id: 'no-send-after-read',
  on_label: 'sink.message',
  type: 'temporal',
  rules: '["source.confidential"]',
} as const

/** All of an answer that a client can see, but for what names this very call. */
async function answer(response: Response) {
  const text = await response.text()
  return {
    status: response.status,
    headers: [...response.headers],
    text: text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'DECISION')
      .replace(/"id":\d+/, '"id":N'),
    whole: text,
  }
}

describe('read on one server through one client, send on another through another', () => {
  it.each<[string, Way]>([
    ['another client', {}],
    ['another client and an agent', { agent: 'bot' }],
    [
      'another client, session id and scopes',
      { headers: { 'mcp-session-id': 'x' }, scope: 'crm y' },
    ],
  ])('is refused through %s', async (_, more) => {
    await seedMail()
    await onlyRules(noSend)
    const sub = await newUser()
    expect(await codeOf(sub, 'send', { to: 'a@x.example' }, { ...SECOND, ...more })).toBe('allowed')
    expect(await codeOf(sub, 'read_all', {}, FIRST)).toBe('allowed')
    seen.length = 0
    expect(await codeOf(sub, 'send', { to: 'a@x.example' }, { ...SECOND, ...more })).toBe(
      'denied_by_sequence',
    )
    expect(seen).toEqual([])
  })

  it('is refused over three servers, clients and agents: recon, bulk read, send', async () => {
    await seedMail()
    await sql(
      "INSERT INTO servers (name, tenant, url, internal, required_scope) VALUES ('files', 'acme', 'https://crm.example/mcp/files', 1, 'crm')",
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'files', 'list', 'read', 1)",
      "INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'files', 'list', 'recon.list_all')",
    )
    await onlyRules({
      id: 'chain',
      on_label: 'sink.message',
      type: 'temporal_ordered',
      rules: '["recon.list_all","source.bulk"]',
      timespan_s: 1800,
    })
    const [sub, other] = [await newUser(), await newUser()]
    const steps: readonly (readonly [string, Way])[] = [
      ['list', { server: 'files', agent: 'bot' }],
      ['read_all', { server: 'crm', client: 'other-agent' }],
    ]
    for (const [tool, way] of steps) expect(await codeOf(sub, tool, {}, way)).toBe('allowed')
    // The other way round is no such chain.
    for (const [tool, way] of steps.toReversed()) {
      expect(await codeOf(other, tool, {}, way)).toBe('allowed')
    }
    const to = { to: 'a@x.example' }
    expect(await codeOf(sub, 'send', to, { server: 'mail' })).toBe('denied_by_sequence')
    expect(await codeOf(other, 'send', to, { server: 'mail' })).toBe('allowed')
  })
})

describe('what one client did is not told to another', () => {
  it('a refusal for it is, byte for byte, that of any other reason for the same rule', async () => {
    await seedMail()
    await onlyRules(noSend)
    const [split, alone] = [await newUser(), await newUser()]
    await codeOf(split, 'read_all', { region: 'secret-of-the-first' }, FIRST)
    // The unrelated one: the very same client read it by itself, on its own server.
    await codeOf(alone, 'find', {}, SECOND)
    const refused = async (sub: string) =>
      answer(await rawCall(sub, 'send', { to: 'a@x.example' }, SECOND))
    const { whole, ...one } = await refused(split)
    const { whole: _, ...other } = await refused(alone)
    expect(one).toEqual(other)
    for (const word of [
      'crm',
      'acme-agent',
      'read_all',
      'source.',
      'confidential',
      'no-send-after-read',
      'because',
      'secret-of-the-first',
    ]) {
      expect(whole).not.toContain(word)
    }
    // People find it in the record.
    const { record, reason } = await lastOf(split)
    expect(reason).toBe('denied_by_sequence')
    expect(record.session.rules.map(({ rule }) => rule)).toEqual(['no-send-after-read'])
  })

  it('nor is it told which of two rules refused', async () => {
    await seedMail()
    await onlyRules(noSend, {
      id: 'few-deletes',
      on_label: 'sink.message',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespan_s: 600,
      condition: '{"gte":2}',
    })
    const [one, other] = [await newUser(), await newUser()]
    await codeOf(one, 'read_all', {}, FIRST)
    await codeOf(other, 'delete_one', {}, FIRST)
    await codeOf(other, 'delete_one', {}, FIRST)
    const refused = async (sub: string) => {
      const { whole: _, ...rest } = await answer(await rawCall(sub, 'send', { to: 'a' }, SECOND))
      return rest
    }
    expect(await refused(one)).toEqual(await refused(other))
  })

  it('nor how much of a budget it left, nor how often it was refused', async () => {
    await onlyRules({
      id: 'three',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespan_s: 600,
      condition: '{"gt":3}',
    })
    const [one, other] = [await newUser(), await newUser()]
    for (let n = 0; n < 3; n += 1) await codeOf(one, 'delete_one', { n })
    for (let n = 0; n < 9; n += 1) await codeOf(other, 'delete_one', { n }, { agent: 'bot' })
    const shown = async (sub: string) => {
      const { whole: _, ...rest } = await answer(
        await rawCall(sub, 'delete_one', { n: 'x' }, { client: 'other-agent' }),
      )
      return rest
    }
    expect(await shown(one)).toEqual(await shown(other))
  })

  it('an equal refusal of two clients is not counted on one record, whose id the other would see', async () => {
    await seedMail()
    await onlyRules(noSend)
    const sub = await newUser()
    await codeOf(sub, 'read_all', {}, FIRST)
    const decisionOf = async (way: Way) => {
      const { whole } = await answer(await rawCall(sub, 'send', { to: 'a' }, way))
      return /[0-9a-f-]{36}/.exec(whole)?.[0]
    }
    const first = await decisionOf({ server: 'mail' })
    expect(await decisionOf({ server: 'mail' })).toBe(first)
    expect(await decisionOf(SECOND)).not.toBe(first)
    expect(await decisionOf({ server: 'mail', agent: 'bot' })).not.toBe(first)
  })

  it('the answer to an allowed call says nothing of what was before it', async () => {
    await seedMail()
    const [busy, idle] = [await newUser(), await newUser()]
    for (let n = 0; n < 5; n += 1) await codeOf(busy, 'delete_one', { n })
    const shown = async (sub: string) => {
      const { whole: _, ...rest } = await answer(
        await rawCall(sub, 'send', { to: 'a@x.example' }, SECOND),
      )
      return rest
    }
    expect(await shown(busy)).toEqual(await shown(idle))
  })

  it('nor does a listing, a handshake or a ping', async () => {
    await seedMail()
    const [busy, idle] = [await newUser(), await newUser()]
    await codeOf(busy, 'read_all', {}, FIRST)
    for (const [method, params] of [
      ['tools/list', {}],
      ['ping', {}],
      ['initialize', { protocolVersion: '2025-11-25', capabilities: {} }],
    ] as const) {
      const shown = async (sub: string) => {
        const { whole: _, ...rest } = await answer(
          await post(message(method, params), await by(sub, SECOND)),
        )
        return rest
      }
      expect(await shown(busy)).toEqual(await shown(idle))
    }
  })
})
