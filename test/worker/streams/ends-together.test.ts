import { describe, expect, it, vi } from 'vitest'
import {
  eventsOf,
  issuer,
  nextLook,
  restart,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import { ask } from '../../support/worker/modern.ts'
import {
  closeTask,
  inObject,
  openTask,
  revoke,
  rowsOf,
  start,
  taskEvents,
  TaskServer,
  withRunningTasks,
} from '../../support/worker/running.ts'
import { inThisWorld, newUser, seen, token, verdict } from '../../support/worker/world.ts'

inThisWorld()
withRunningTasks()
withExchange()

const STEPS = ['close', 'revoke', 'outage'] as const
type Step = (typeof STEPS)[number]

const orders: readonly (readonly [Step, Step, Step])[] = STEPS.flatMap((first) =>
  STEPS.filter((one) => one !== first).map(
    (second) =>
      [first, second, STEPS.find((one) => one !== first && one !== second) ?? first] as const,
  ),
)

const CAUSE = { close: 'task_ended', revoke: 'revoked:subject' } as const

/** A task of ours, a token of the issuer's for it, what runs on at the server, and a call that is open. */
describe('everything that one person has open', { timeout: 20_000 }, () => {
  it.each(orders)('ends once and is told as it was: %s, %s, %s', async (...order) => {
    const server = new TaskServer()
    const sub = await newUser()
    await openTask('t1', sub)
    const bearer = await token({ sub })
    const taskId = await start(server, { token: bearer })
    const shown = seen[0]?.headers.get('authorization')
    let isCut = false
    const serve = server.serve.bind(server)
    server.serve = async (request) => {
      const body = await request.clone().text()
      if (!body.includes('"hold"')) return serve(request)
      request.signal.addEventListener('abort', () => {
        isCut = true
      })
      // A promise of one request cannot be kept by another in workerd.
      while (!isCut) await new Promise((resolve) => setTimeout(resolve, 5))
      throw new Error('aborted')
    }
    const held = ask('tools/call', { name: 'note', arguments: { hold: true } }, { token: bearer })
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    const does: { readonly [S in Step]: () => Promise<void> } = {
      close: () => closeTask('t1'),
      revoke: () => revoke('subject', sub),
      outage: async () => {
        issuer.revoke = () => new Response(null, { status: 503 })
      },
    }
    for (const step of order) {
      // oxlint-disable-next-line no-await-in-loop
      await does[step]()
      // Whatever dies in between.
      // oxlint-disable-next-line no-await-in-loop
      await restart(sub)
      // oxlint-disable-next-line no-await-in-loop
      await nextLook(sub)
      // oxlint-disable-next-line no-await-in-loop
      await restart(sub)
    }
    expect(await verdict(await held)).toMatchObject({ code: 'result_withheld' })
    expect(isCut).toBe(true)
    issuer.revoke = () => new Response(null, { status: 200 })
    await inObject(sub, 'UPDATE credentials SET next_attempt_at = 0')
    await nextLook(sub)
    expect(server.running.size).toBe(0)
    // With the token of its call, which held then, and is worth nothing now.
    expect(server.told.map((told) => [told.taskId, told.headers.get('authorization')])).toEqual([
      [taskId, shown],
    ])
    expect(revocations.at(-1)?.form.get('token')).toBe(shown?.replace('Bearer ', ''))
    expect(await rowsOf(sub)).toEqual([])
    expect(await inObject(sub, 'SELECT * FROM credentials')).toEqual([])
    const first = order.find((step) => step !== 'outage') ?? 'close'
    const cause = CAUSE[first as keyof typeof CAUSE]
    expect(await taskEvents(sub)).toMatchObject([
      { event: 'ended', cause, task: 't1' },
      { event: 'cancelled', carried: 'exchange', attempts: 1 },
    ])
    const events = await eventsOf(sub)
    const failures = order.indexOf('outage') < order.length - 1 && order[0] === 'outage' ? 1 : 0
    expect(events.filter(({ event }) => event !== 'failed')).toMatchObject([
      { event: 'issued', task: 't1' },
      { event: 'ended', cause },
      { event: 'revoked', status: 200 },
    ])
    expect(events.filter(({ event }) => event === 'failed').length).toBe(failures)
  })
})
