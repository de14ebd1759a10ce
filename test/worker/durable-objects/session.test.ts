import { env } from 'cloudflare:workers'
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import {
  SESSION_PROTOCOL,
  type AdmitRequest,
  type DenialNote,
} from '../../../src/durable-objects/session-protocol.ts'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'
import { admission, outcome, rule, type StepOptions } from '../../support/worker/session-step.ts'

const budgetOfTen = rule({
  id: 'ten-deletes',
  onLabel: 'sink.destructive',
  type: 'event_count',
  rules: '["sink.destructive"]',
  timespanSeconds: 600,
  condition: '{"gt":10}',
  reason: 'delete_rate',
})
const noExportAfterRead = rule({
  id: 'no-export',
  onLabel: 'sink.export',
  type: 'temporal',
  rules: '["source.confidential"]',
  timespanSeconds: 600,
  reason: 'exfiltration',
})

let sessions = 0
const newSession = () => env.SESSIONS.getByName(`session-${(sessions += 1)}`)

const step = (more: StepOptions = {}) =>
  admission({
    labels: ['sink.destructive'],
    rules: [budgetOfTen, noExportAfterRead],
    tool: 'delete_customer',
    callsPerMinute: 6000,
    revision: '1:a',
    ...more,
  })

const note = (more: Partial<DenialNote> = {}): DenialNote => {
  const { flow: _, observed: __, rulesKey: ___, labelsKey: ____, rows: _____, ...own } = step()
  return { ...own, refusal: { at: 'decide', reason: 'not_allowed', pass: 'subject' }, ...more }
}

async function admitted(session: ReturnType<typeof newSession>) {
  const answer = await session.admit(step())
  if (answer.kind !== 'admitted') throw new Error('it was refused')
  return answer
}

async function denied(session: ReturnType<typeof newSession>, said: DenialNote) {
  const answer = await session.noteDenial(said)
  if (answer.kind !== 'refused') throw new Error('it was not refused')
  return answer
}

const decisionsOf = async (ids: readonly string[]) => {
  const { results } = await env.DECISIONS.prepare(
    'SELECT * FROM decisions WHERE id IN (SELECT value FROM json_each(?)) ORDER BY sequence',
  )
    .bind(JSON.stringify(ids))
    .all<{ id: string; decision: string; reason: string; sequence: number; record: string }>()
  return results
}

describe('decide and record are one step', () => {
  it('100 parallel calls at a budget of 10 yield exactly 10', async () => {
    const session = newSession()
    const answers = await Promise.all(Array.from({ length: 100 }, () => session.admit(step())))
    expect(answers.filter((answer) => answer.kind === 'admitted')).toHaveLength(10)
    expect(answers.filter((answer) => answer.kind === 'refused')).toHaveLength(90)
  })

  it('of a read and an export sent at once, the export passes only if it was admitted first', async () => {
    for (let round = 0; round < 50; round += 1) {
      const session = newSession()
      const read = step({ labels: ['source.confidential'] })
      const write = step({ labels: ['sink.export'] })
      const order = round % 2 === 0 ? [read, write] : [write, read]
      const [first, second] = await Promise.all(order.map((request) => session.admit(request)))
      const exported = round % 2 === 0 ? second : first
      const readAnswer = round % 2 === 0 ? first : second
      if (readAnswer?.kind !== 'admitted') throw new Error('the read was refused')
      const passedTooLate = exported?.kind === 'admitted' && exported.sequence > readAnswer.sequence
      expect(passedTooLate).toBe(false)
    }
  })

  it('the same decision twice is the same step', async () => {
    const session = newSession()
    const request = step()
    const first = await session.admit(request)
    expect(await session.admit(request)).toEqual(first)
    for (let n = 0; n < 9; n += 1) {
      expect((await session.admit(step())).kind).toBe('admitted')
    }
    const refused = step()
    expect((await session.admit(refused)).kind).toBe('refused')
    // It stays refused, also when the budget is free again.
    await session.settle(outcome(request.decision, 'failed'))
    expect((await session.admit(refused)).kind).toBe('refused')
    expect((await session.admit(step())).kind).toBe('admitted')
  })

  it('asks for the rules of a revision that it does not have, once', async () => {
    const session = newSession()
    expect((await session.admit(step({ rules: null }))).kind).toBe('rules_needed')
    expect((await session.admit(step())).kind).toBe('admitted')
    expect((await session.admit(step({ rules: null }))).kind).toBe('admitted')
    expect((await session.admit(step({ rules: null, revision: '2:b' }))).kind).toBe('rules_needed')
  })

  it('understands a Worker from before there was anything that only watches', async () => {
    const older = <T extends object>(message: T): T => {
      const { wouldBe: _, observed: __, ...known } = { wouldBe: null, observed: false, ...message }
      return known as T
    }
    const session = newSession()
    const allowed = older(step())
    const read = older(step({ labels: ['source.confidential'] }))
    const refused = older(step({ labels: ['sink.export'] }))
    const denied = older(note())
    expect((await session.admit(allowed)).kind).toBe('admitted')
    expect((await session.admit(read)).kind).toBe('admitted')
    expect((await session.admit(refused)).kind).toBe('refused')
    expect((await session.noteDenial(denied)).kind).toBe('refused')
    await runDurableObjectAlarm(session)
    const ids = [allowed, read, refused, denied].map(({ decision }) => decision)
    const rows = await decisionsOf(ids)
    expect(rows.map(({ reason }) => reason)).toEqual([
      'allowed',
      'allowed',
      'denied_by_sequence',
      'not_allowed',
    ])
    for (const row of rows) expect(row).toMatchObject({ would_be: null })
    for (const { record } of rows) expect(JSON.parse(record)).toMatchObject({ wouldBe: null })
  })

  it('refuses a protocol that it does not speak', async () => {
    const odd = { ...step(), version: SESSION_PROTOCOL + 1 } as unknown as AdmitRequest
    const said = await runInDurableObject(newSession(), (session) =>
      session.admit(odd).catch((error: unknown) => String(error)),
    )
    expect(said).toContain('not spoken here')
  })
})

describe('history', () => {
  it('survives the death of the object', async () => {
    const session = newSession()
    await session.admit(step({ labels: ['source.confidential'] }))
    await evictDurableObject(session)
    const answer = await session.admit(step({ labels: ['sink.export'] }))
    expect(answer).toMatchObject({ kind: 'refused', refusal: { rule: 'no-export' } })
  })

  it('a rule added later sees what happened before it', async () => {
    const session = newSession()
    await session.admit(step({ labels: ['source.confidential'], rules: [] }))
    const later = step({ labels: ['sink.export'], revision: '2:b', rules: [noExportAfterRead] })
    expect((await session.admit(later)).kind).toBe('refused')
  })

  it('a call that never left frees its budget; one that may have acted does not', async () => {
    const session = newSession()
    const ids: string[] = []
    for (let n = 0; n < 10; n += 1) {
      const request = step()
      ids.push(request.decision)
      await session.admit(request)
    }
    const [failed = '', committed = ''] = ids
    await session.settle(outcome(committed, 'committed'))
    expect((await session.admit(step())).kind).toBe('refused')
    await session.settle(outcome(failed, 'failed'))
    // A second word about the same call is not heard.
    await session.settle(outcome(committed, 'failed'))
    expect((await session.admit(step())).kind).toBe('admitted')
    expect((await session.admit(step())).kind).toBe('refused')
  })

  it('a denial leaves one fact, and nothing of what was asked', async () => {
    const session = newSession()
    const lockOut: SequenceRuleRow = {
      ...budgetOfTen,
      id: 'lock-out',
      onLabel: 'any',
      rules: '["decision.denied"]',
      scope: 'actor',
      condition: '{"gte":3}',
    }
    const rules = { rules: [budgetOfTen, noExportAfterRead, lockOut] }
    await session.noteDenial(note())
    await session.noteDenial(note({ argumentsKey: 'another' }))
    const read = step({ labels: ['source.confidential'], ...rules })
    expect((await session.admit(read)).kind).toBe('admitted')
    // An equal refusal counts too, though it shares a record.
    await session.noteDenial(note())
    expect(await session.admit(step({ labels: [] }))).toMatchObject({
      refusal: { rule: 'lock-out' },
    })
    const another = step({ labels: [], actorKey: '["other-agent",null]' })
    expect((await session.admit(another)).kind).toBe('admitted')
  })
})

describe('records', () => {
  it('reach the decision log once, with what the session added', async () => {
    const session = newSession()
    const allowed = step({ labels: ['source.confidential'] })
    const refused = step({ labels: ['sink.export'] })
    await session.admit(allowed)
    await session.admit(refused)
    await session.settle(outcome(allowed.decision, 'committed'))
    expect(await runDurableObjectAlarm(session)).toBe(true)
    await runDurableObjectAlarm(session)
    const rows = await decisionsOf([allowed.decision, refused.decision])
    expect(rows.map(({ decision, reason, sequence }) => [decision, reason, sequence])).toEqual([
      ['allow', 'allowed', 1],
      ['deny', 'denied_by_sequence', 2],
    ])
    const record = JSON.parse(rows[1]?.record ?? '{}') as Record<string, unknown>
    expect(record).toMatchObject({
      version: 1,
      refusal: { rule: 'no-export' },
      session: { id: 's', sequence: 2, rules: [{ rule: 'no-export', effect: 'deny' }] },
      inputs: { request: {} },
    })
    const ended = await env.DECISIONS.prepare('SELECT state FROM outcomes WHERE decision = ?')
      .bind(allowed.decision)
      .first<{ state: string }>()
    expect(ended?.state).toBe('committed')
  })

  it('of equal refusals are one, with a count', async () => {
    const session = newSession()
    const first = await denied(session, note())
    const again = await denied(session, note())
    const other = await denied(session, note({ argumentsKey: 'different' }))
    expect(again.decision).toBe(first.decision)
    expect(other.decision).not.toBe(first.decision)
    await runDurableObjectAlarm(session)
    const rows = await decisionsOf([first.decision, other.decision])
    expect(rows.map((row) => (JSON.parse(row.record) as { repeats?: number }).repeats)).toEqual([
      1,
      undefined,
    ])
  })

  it('cannot be changed or deleted', async () => {
    const session = newSession()
    await session.admit(step())
    await runDurableObjectAlarm(session)
    await expect(env.DECISIONS.prepare("UPDATE decisions SET reason = 'x'").run()).rejects.toThrow(
      'append-only',
    )
    await expect(env.DECISIONS.prepare('DELETE FROM decisions').run()).rejects.toThrow(
      'append-only',
    )
    // REPLACE deletes the old row without firing a delete trigger.
    const read = () => env.DECISIONS.prepare('SELECT * FROM decisions ORDER BY id').all()
    const before = (await read()).results
    const columns = Object.keys(before[0] ?? {})
    const forged = columns.map((name) => (name === 'reason' ? "'forged'" : name))
    await env.DECISIONS.prepare(
      `INSERT OR REPLACE INTO decisions (${columns.join()}) SELECT ${forged.join()} FROM decisions`,
    )
      .run()
      .catch(() => null)
    expect((await read()).results).toEqual(before)
  })

  it('of what became of a call cannot be changed, deleted or replaced either', async () => {
    const session = newSession()
    const { decision } = await admitted(session)
    const outcome = {
      version: SESSION_PROTOCOL,
      tenant: 'acme',
      decision,
      state: 'withheld',
      detail: 'x',
      unread: false,
    } as const
    await session.settle(outcome)
    await runDurableObjectAlarm(session)
    const read = () =>
      env.DECISIONS.prepare('SELECT * FROM outcomes WHERE decision = ?').bind(decision).first()
    const before = await read()
    expect(before).toMatchObject({ state: 'withheld', detail: 'x' })
    for (const statement of ["UPDATE outcomes SET state = 'committed'", 'DELETE FROM outcomes']) {
      await expect(env.DECISIONS.prepare(statement).run()).rejects.toThrow('append-only')
    }
    await env.DECISIONS.prepare(
      "INSERT OR REPLACE INTO outcomes (decision, tenant, state, detail, ended_at) SELECT decision, tenant, 'committed', '', 0 FROM outcomes",
    ).run()
    expect(await read()).toEqual(before)
  })

  it('an actor who asks too often is refused without a record for each', async () => {
    const session = newSession()
    const kinds: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const answer = await session.admit(step({ labels: [], callsPerMinute: 2 }))
      kinds.push(answer.kind === 'refused' ? answer.refusal.reason : answer.kind)
    }
    expect(kinds).toEqual(['admitted', 'admitted', 'rate_limited', 'rate_limited', 'rate_limited'])
  })
})
