import { describe, expect, it, vi } from 'vitest'
import { logOf } from '../../support/worker/log.ts'
import { behaviour, inThisWorld, newUser, seen } from '../../support/worker/world.ts'
import { codeOf, hold, onlyRules, seedMail, type Way } from './second-server.ts'

inThisWorld()

/** Two clients on two servers, and an agent behind one of them. */
const WAYS: readonly Way[] = [
  { server: 'crm', client: 'acme-agent' },
  { server: 'mail', client: 'other-agent' },
  { server: 'mail', client: 'acme-agent' },
  { server: 'crm', client: 'other-agent', agent: 'bot' },
]

async function atOnce(
  sub: string,
  toolOf: (server: string) => string,
  argsOf: (n: number) => unknown,
  times = 100,
): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: times }, (_, n) => {
      const way = WAYS[n % WAYS.length] ?? {}
      return codeOf(sub, toolOf(way.server ?? 'crm'), argsOf(n), way)
    }),
  )
}

const allowedOf = (codes: readonly string[]) => codes.filter((code) => code === 'allowed').length

const bodies = () => seen.map(({ body }) => JSON.parse(body) as { params: { arguments: unknown } })

vi.setConfig({ testTimeout: 60_000 })

describe('100 parallel calls at the edge of a budget give exactly the budget, over two clients and two servers', () => {
  it.each([1, 10, 63])('event_count: %i', async (budget) => {
    await seedMail()
    await onlyRules({
      id: 'count',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespan_s: 600,
      condition: `{"gt":${budget}}`,
    })
    const sub = await newUser()
    const codes = await atOnce(
      sub,
      (server) => (server === 'mail' ? 'delete_mail' : 'delete_one'),
      (n) => ({ n }),
    )
    expect(allowedOf(codes)).toBe(budget)
    expect(codes.filter((code) => code === 'denied_by_sequence')).toHaveLength(100 - budget)
    expect(seen).toHaveLength(budget)
    const log = await logOf(sub)
    const sent = log.filter(({ decision, outcome }) => decision === 'allow' && outcome !== 'failed')
    expect(sent).toHaveLength(budget)
  })

  it('value_sum: the amounts that were let through never exceed it, and no room is left', async () => {
    await seedMail()
    await onlyRules({
      id: 'spend',
      on_label: 'sink.money',
      type: 'value_sum',
      rules: '["sink.money"]',
      timespan_s: 86_400,
      field: 'amount',
      condition: '{"gt":1000}',
    })
    const even = await newUser()
    expect(
      allowedOf(
        await atOnce(
          even,
          () => 'pay',
          () => ({ amount: 40 }),
        ),
      ),
    ).toBe(25)
    seen.length = 0
    const mixed = await newUser()
    const amounts = Array.from({ length: 100 }, (_, n) => [7, '13', 29, [11, 5], '1e1'][n % 5])
    await atOnce(
      mixed,
      () => 'pay',
      (n) => ({ amount: amounts[n] }),
    )
    const spent = bodies().reduce(
      (sum, { params }) =>
        sum +
        [(params.arguments as { amount: unknown }).amount]
          .flat()
          .reduce<number>((one, amount) => one + Number(amount), 0),
      0,
    )
    expect(spent).toBeLessThanOrEqual(1_000)
    // The smallest of them did not fit any more.
    expect(spent).toBeGreaterThan(1_000 - 7)
  })

  it('value_count: distinct targets, however often each comes', async () => {
    await seedMail()
    await onlyRules({
      id: 'fan-out',
      on_label: 'sink.message',
      type: 'value_count',
      rules: '["sink.message"]',
      timespan_s: 3_600,
      field: 'target',
      condition: '{"gt":5}',
    })
    const sub = await newUser()
    const codes = await atOnce(
      sub,
      () => 'send',
      (n) => ({ to: `person-${n % 20}@x.example` }),
    )
    const reached = new Set(bodies().map(({ params }) => JSON.stringify(params.arguments)))
    expect(reached.size).toBe(5)
    // Whoever is among the five may be written to as often as one likes.
    expect(allowedOf(codes)).toBe(25)
  })

  it('value_count: targets in lists, of which no call may go through in part', async () => {
    await seedMail()
    await onlyRules({
      id: 'fan-out',
      on_label: 'sink.message',
      type: 'value_count',
      rules: '["sink.message"]',
      timespan_s: 3_600,
      field: 'target',
      condition: '{"gt":9}',
    })
    const sub = await newUser()
    await atOnce(
      sub,
      () => 'send',
      (n) => ({ to: [0, 1, 2].map((one) => `person-${n * 3 + one}@x.example`) }),
    )
    expect(seen).toHaveLength(3)
  })

  it('a budget of each server, at the edge of both at once', async () => {
    await seedMail()
    await onlyRules({
      id: 'each',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      group_by: '["server"]',
      timespan_s: 600,
      condition: '{"gt":10}',
    })
    const codes = await atOnce(
      await newUser(),
      (server) => (server === 'mail' ? 'delete_mail' : 'delete_one'),
      (n) => ({ n }),
    )
    expect(allowedOf(codes)).toBe(20)
  })

  it('a budget of each actor, at the edge of four at once', async () => {
    await seedMail()
    await onlyRules({
      id: 'each',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      scope: 'actor',
      timespan_s: 600,
      condition: '{"gt":4}',
    })
    const codes = await atOnce(
      await newUser(),
      (server) => (server === 'mail' ? 'delete_mail' : 'delete_one'),
      (n) => ({ n }),
    )
    // acme-agent, other-agent, and bot behind other-agent.
    expect(allowedOf(codes)).toBe(12)
  })
})

describe('rows of results, while nobody knows how many there will be', () => {
  const rows = (count: number) => async (request: Request) => {
    const { id } = (await request.json()) as { id?: unknown }
    const structuredContent = { rows: Array.from({ length: count }, (_, n) => ({ n })) }
    return Response.json({ jsonrpc: '2.0', id, result: { content: [], structuredContent } })
  }
  const exportRule = {
    id: 'broad',
    on_label: 'sink.export',
    type: 'value_sum',
    rules: '["source.confidential"]',
    timespan_s: 1_800,
    field: 'result_rows',
    condition: '{"gte":500}',
  } as const

  it('no export passes while a single read is under way, by whatever way', async () => {
    await seedMail()
    await onlyRules(exportRule)
    const sub = await newUser()
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    const { reached, release } = hold(rows(3))
    const read = codeOf(sub, 'read_all')
    await reached
    const during = await Promise.all(
      WAYS.map((way) => codeOf(sub, way.server === 'mail' ? 'export_mail' : 'export_all', {}, way)),
    )
    expect(during).toEqual(WAYS.map(() => 'denied_by_sequence'))
    release()
    expect(await read).toBe('allowed')
    behaviour.upstream = rows(0)
    expect(await codeOf(sub, 'export_mail', {}, WAYS[1])).toBe('allowed')
  })

  it('many reads at once are added up once they are there', async () => {
    await seedMail()
    await onlyRules(exportRule)
    behaviour.upstream = rows(5)
    const exported = (sub: string) => codeOf(sub, 'export_all')
    const [less, enough] = [await newUser(), await newUser()]
    const read = (server: string) => (server === 'mail' ? 'find' : 'read_all')
    await atOnce(less, read, (n) => ({ n }), 99)
    await atOnce(enough, read, (n) => ({ n }), 100)
    expect(await exported(less)).toBe('allowed')
    expect(await exported(enough)).toBe('denied_by_sequence')
  })

  it('a budget of rows on the reads themselves lets one be under way', async () => {
    await seedMail()
    await onlyRules({ ...exportRule, on_label: 'source.confidential' })
    behaviour.upstream = rows(100)
    const sub = await newUser()
    const codes = await atOnce(
      sub,
      (server) => (server === 'mail' ? 'find' : 'read_all'),
      (n) => ({ n }),
      20,
    )
    expect(allowedOf(codes)).toBeGreaterThan(0)
    expect(allowedOf(codes)).toBeLessThanOrEqual(5)
    for (let n = allowedOf(codes); n < 5; n += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await codeOf(sub, 'read_all', { n: `later ${n}` })).toBe('allowed')
    }
    expect(await codeOf(sub, 'find', {}, { server: 'mail' })).toBe('denied_by_sequence')
  })
})
