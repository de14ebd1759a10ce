import { env } from 'cloudflare:workers'
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { admission, outcome, rule } from '../../support/worker/session-step.ts'

let sessions = 0
const newSession = () => env.SESSIONS.getByName(`budget-${(sessions += 1)}`)

const HOUR_MS = 3_600_000

const step = (maxCalls: number | null, more: { task?: string; decision?: string } = {}) => {
  const { task = 't-1', ...rest } = more
  const budget = { maxCalls, expiresAt: Date.now() + HOUR_MS }
  return admission({ ...rest, flow: { task, budget } })
}

type Session = ReturnType<typeof newSession>

const admit = async (session: Session, ...given: Parameters<typeof step>) => {
  const answer = (await session.admit(step(...given))) as {
    kind: string
    refusal?: { reason: string }
  }
  return answer.refusal?.reason ?? answer.kind
}

describe('the calls of a task', () => {
  it('are counted where they are admitted, and outlive the object', async () => {
    const session = newSession()
    expect(await admit(session, 2)).toBe('admitted')
    await evictDurableObject(session)
    expect(await admit(session, 2)).toBe('admitted')
    await evictDurableObject(session)
    expect(await admit(session, 2)).toBe('task_spent')
    expect(await admit(session, 2, { task: 't-2' })).toBe('admitted')
  })

  it('a hundred at once are as many as there are', async () => {
    const session = newSession()
    const answers = await Promise.all(Array.from({ length: 100 }, () => admit(session, 10)))
    expect(answers.filter((one) => one === 'admitted')).toHaveLength(10)
  })

  it('the same decision twice is one call', async () => {
    const session = newSession()
    const decision = crypto.randomUUID()
    for (let time = 0; time < 3; time += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await admit(session, 2, { decision })).toBe('admitted')
    }
    expect(await admit(session, 2)).toBe('admitted')
    expect(await admit(session, 2)).toBe('task_spent')
  })

  it.each([
    ['failed', 'admitted'],
    ['committed', 'task_spent'],
    ['withheld', 'task_spent'],
  ] as const)('one that %s: the next is %s', async (state, expected) => {
    const session = newSession()
    const decision = crypto.randomUUID()
    expect(await admit(session, 1, { decision })).toBe('admitted')
    await session.settle(outcome(decision, state))
    expect(await admit(session, 1)).toBe(expected)
  })

  it('is given back once, however often it is said', async () => {
    const session = newSession()
    const decision = crypto.randomUUID()
    await admit(session, 1)
    expect(await admit(session, 2, { decision })).toBe('admitted')
    await session.settle(outcome(decision, 'failed'))
    await session.settle(outcome(decision, 'failed'))
    expect(await admit(session, 2)).toBe('admitted')
    expect(await admit(session, 2)).toBe('task_spent')
  })

  it('a refused one is none, and gives none back', async () => {
    const session = newSession()
    const never = rule({
      id: 'never',
      onLabel: 'sink.x',
      type: 'event_count',
      rules: '["sink.x"]',
      timespanSeconds: 60,
      condition: '{"gt":0}',
    })
    const flow = { task: 't-1', budget: { maxCalls: 1, expiresAt: Date.now() + HOUR_MS } }
    const refused = await session.admit(admission({ labels: ['sink.x'], rules: [never], flow }))
    expect(refused.kind).toBe('refused')
    expect(await admit(session, 1)).toBe('admitted')
    expect(await admit(session, 1)).toBe('task_spent')
  })

  it('counts before somebody bounds them count', async () => {
    const session = newSession()
    await admit(session, null)
    await admit(session, null)
    expect(await admit(session, 2)).toBe('task_spent')
  })

  it('are forgotten a day after the end of the task', async () => {
    const session = newSession()
    const budget = { maxCalls: 1, expiresAt: Date.now() - 25 * HOUR_MS }
    await session.admit(admission({ flow: { task: 'old', budget } }))
    await admit(session, 1)
    const kept = await runInDurableObject(session, (_, { storage }) =>
      storage.sql.exec<{ task: string }>('SELECT task FROM task_calls').toArray(),
    )
    expect(kept.map(({ task }) => task)).toEqual(['t-1'])
  })
})
