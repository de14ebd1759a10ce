import { env } from 'cloudflare:workers'
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import {
  admission,
  message,
  outcome,
  rule,
  value,
  type StepOptions,
} from '../../support/worker/session-step.ts'

const newSession = () => env.SESSIONS.getByName(crypto.randomUUID())
type Session = ReturnType<typeof newSession>

const kindOf = async (session: Session, options: StepOptions): Promise<string> => {
  const answer = await session.admit(admission(options))
  return answer.kind === 'refused' ? answer.refusal.reason : answer.kind
}

/** Admits it, or fails the test. */
const done = async (session: Session, options: StepOptions): Promise<string> => {
  const request = admission(options)
  expect(await session.admit(request)).toMatchObject({ kind: 'admitted' })
  return request.decision
}

const targetOrigin = rule({
  id: 'target-origin',
  effect: 'approve',
  onLabel: 'sink.external_send',
  type: 'provenance',
  role: 'target',
  origins: '["user","typed"]',
})

const send = (to: string, more: StepOptions = {}): StepOptions => ({
  labels: ['sink.external_send'],
  rules: [targetOrigin],
  ...more,
  flow: { values: [value('target', to, { type: 'person' })] },
})

describe('what is let go of refuses more', () => {
  it('more values than are kept cannot be counted any more', async () => {
    const session = newSession()
    const fanOut = rule({
      id: 'fan-out',
      onLabel: 'sink.external_send',
      type: 'value_count',
      rules: '["sink.external_send"]',
      timespanSeconds: 3_600,
      field: 'target',
      condition: '{"gt":200}',
    })
    const many = Array.from({ length: 1_000 }, (_, at) => value('target', `person-${at}`))
    await done(session, { labels: ['sink.external_send'], rules: [], flow: { values: many } })
    await evictDurableObject(session)
    expect(await kindOf(session, send('person-0', { rules: [fanOut] }))).toBe('denied_by_sequence')
  })

  it('origins of the oldest values go, and with them every conclusion from not knowing a value', async () => {
    const session = newSession()
    const rules = [rule({ ...targetOrigin, origins: '["typed","none"]' })]
    const listed = (from: number) =>
      Array.from({ length: 2_000 }, (_, at) => ({
        type: 'person',
        authority: 'listed' as const,
        text: `person-${from + at}@corp.example`,
      }))
    for (let from = 0; from < 10_000; from += 2_000) {
      const decision = await done(session, { labels: ['source.directory'], rules })
      await session.observe(message(decision, { listed: listed(from) }))
    }
    expect(await kindOf(session, send('person-9999@corp.example', { rules }))).toBe('admitted')
    expect(await kindOf(session, send('person-0@corp.example', { rules }))).toBe(
      'approval_required',
    )
    expect(await kindOf(session, send('nobody@corp.example', { rules }))).toBe('approval_required')
    const kept = await runInDurableObject(session, (_, { storage }) =>
      storage.sql
        .exec<{ n: number }>("SELECT count(*) AS n FROM memory WHERE kind = 'origin'")
        .one(),
    )
    expect(kept.n).toBeLessThanOrEqual(3 * 8_192)
  })

  it('a result that nobody read leaves nothing to conclude from', async () => {
    const session = newSession()
    const rules = [rule({ ...targetOrigin, origins: '["none"]' })]
    const read = await done(session, { labels: [], rules })
    await session.settle(outcome(read, 'committed', { unread: true }))
    expect(await kindOf(session, send('new@corp.example', { rules }))).toBe('approval_required')
  })
})

describe('a call that is pending when the object dies', () => {
  const broadRead = rule({
    id: 'broad-read',
    onLabel: 'sink.export',
    type: 'value_sum',
    rules: '["source.confidential"]',
    timespanSeconds: 1_800,
    field: 'result_rows',
    condition: '{"gte":500}',
  })
  const endorsed = rule({
    id: 'endorsed',
    onLabel: 'sink.export',
    type: 'absence',
    rules: '["source.confidential"]',
  })
  const read: StepOptions = { labels: ['source.confidential'], rules: [broadRead] }
  const exporting: StepOptions = { labels: ['sink.export'], rules: [broadRead] }

  it('is still pending, counts as its worst, and what is heard of it late settles it', async () => {
    const session = newSession()
    const decision = await done(session, read)
    await evictDurableObject(session)
    expect(await kindOf(session, exporting)).toBe('denied_by_sequence')
    expect(await session.observe(message(decision, { rows: 10 }))).toEqual({ stored: true })
    await evictDurableObject(session)
    expect(await kindOf(session, exporting)).toBe('admitted')
    const needing = { labels: ['sink.export'], rules: [endorsed] }
    expect(await kindOf(session, needing)).toBe('denied_by_sequence')
    await session.settle(outcome(decision))
    await evictDurableObject(session)
    expect(await kindOf(session, needing)).toBe('admitted')
  })

  it('that never left frees its budget also after that, once', async () => {
    const session = newSession()
    const once = rule({
      id: 'once',
      onLabel: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespanSeconds: 600,
      condition: '{"gt":1}',
    })
    const deleting: StepOptions = { labels: ['sink.destructive'], rules: [once] }
    const decision = await done(session, deleting)
    await evictDurableObject(session)
    expect(await kindOf(session, deleting)).toBe('denied_by_sequence')
    await session.settle(outcome(decision, 'failed'))
    await session.settle(outcome(decision, 'failed'))
    await evictDurableObject(session)
    expect(await kindOf(session, deleting)).toBe('admitted')
    expect(await kindOf(session, deleting)).toBe('denied_by_sequence')
  })
})
