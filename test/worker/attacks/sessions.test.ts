import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'
import { admission, outcome, rule, type StepOptions } from '../../support/worker/session-step.ts'

const budget = rule({
  id: 'one-delete',
  onLabel: 'sink.destructive',
  type: 'event_count',
  rules: '["sink.destructive"]',
  timespanSeconds: 600,
  condition: '{"gt":1}',
  reason: 'delete_rate',
})

const newSession = () => env.SESSIONS.getByName(crypto.randomUUID())

const step = (more: StepOptions = {}) =>
  admission({ labels: ['sink.destructive'], rules: [budget], revision: '1:a', ...more })

describe('words about one call that arrive in the wrong order', () => {
  it('failed after failed frees the budget once', async () => {
    const session = newSession()
    const first = step()
    await session.admit(first)
    await session.settle(outcome(first.decision, 'failed'))
    await session.settle(outcome(first.decision, 'failed'))
    expect((await session.admit(step())).kind).toBe('admitted')
    expect((await session.admit(step())).kind).toBe('refused')
  })

  it('failed after withheld frees nothing: the call did act', async () => {
    const session = newSession()
    const first = step()
    await session.admit(first)
    await session.settle(outcome(first.decision, 'withheld'))
    await session.settle(outcome(first.decision, 'failed'))
    expect((await session.admit(step())).kind).toBe('refused')
  })

  it('failed after committed frees nothing: the call did act', async () => {
    const session = newSession()
    const first = step()
    await session.admit(first)
    await session.settle(outcome(first.decision, 'committed'))
    await session.settle(outcome(first.decision, 'failed'))
    expect((await session.admit(step())).kind).toBe('refused')
  })

  it('failed before the step itself frees nothing: the step stays pending, which is its worst case', async () => {
    const session = newSession()
    const late = step()
    await session.settle(outcome(late.decision, 'failed'))
    expect((await session.admit(late)).kind).toBe('admitted')
    expect((await session.admit(step())).kind).toBe('refused')
  })

  it('nobody can settle the call of another session', async () => {
    const [session, other] = [newSession(), newSession()]
    const first = step()
    await session.admit(first)
    await other.settle(outcome(first.decision, 'failed'))
    expect((await session.admit(step())).kind).toBe('refused')
  })
})

describe('revisions that come to a session in the wrong order', () => {
  it('each call is judged by the rules of its own revision, never by those kept from another', async () => {
    const session = newSession()
    const strict = { revision: '2:b', rules: [budget] }
    const lax = { revision: '1:a', rules: [] }
    expect((await session.admit(step(strict))).kind).toBe('admitted')
    expect((await session.admit(step(lax))).kind).toBe('admitted')
    expect((await session.admit(step({ ...strict, rules: null }))).kind).toBe('rules_needed')
    expect((await session.admit(step(strict))).kind).toBe('refused')
  })

  it('two isolates of different revisions, at once, both get an answer', async () => {
    const session = newSession()
    const kinds = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const revision = { revision: `${n % 2}:x`, rules: [{ ...budget, condition: '{"gt":30}' }] }
        const first = await session.admit(step({ ...revision, rules: null }))
        return first.kind === 'rules_needed'
          ? (await session.admit(step(revision))).kind
          : first.kind
      }),
    )
    expect(kinds).not.toContain('rules_needed')
  })
})

describe('a call that clears what was seen before', () => {
  const rule: SequenceRuleRow = {
    ...budget,
    id: 'no-export-until-reviewed',
    onLabel: 'sink.export',
    type: 'temporal',
    rules: '["source.confidential"]',
    untilLabel: 'control.reviewed',
    condition: null,
  }
  const asks = (label: string) => step({ labels: [label], rules: [rule] })

  it('clears it once it was done', async () => {
    const session = newSession()
    const read = asks('source.confidential')
    await session.admit(read)
    await session.settle(outcome(read.decision, 'committed'))
    expect((await session.admit(asks('sink.export'))).kind).toBe('refused')
    const review = asks('control.reviewed')
    await session.admit(review)
    await session.settle(outcome(review.decision, 'committed'))
    expect((await session.admit(asks('sink.export'))).kind).toBe('admitted')
  })

  it('clears nothing when it was never sent', async () => {
    const session = newSession()
    await session.admit(asks('source.confidential'))
    const review = asks('control.reviewed')
    await session.admit(review)
    await session.settle(outcome(review.decision, 'failed'))
    expect((await session.admit(asks('sink.export'))).kind).toBe('refused')
  })

  it('clears nothing while nobody knows what became of it', async () => {
    const session = newSession()
    await session.admit(asks('source.confidential'))
    await session.admit(asks('control.reviewed'))
    expect((await session.admit(asks('sink.export'))).kind).toBe('refused')
  })
})
