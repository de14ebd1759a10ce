import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import { inThisWorld, ISSUER, newUser, sql } from '../../support/worker/world.ts'
import { ask as open, close, notes, setUp } from '../tasks/door.ts'
import { admitted, ask, askMany, mayCall, register } from './ask.ts'

inThisWorld()
beforeEach(async () => {
  await setUp()
  await sql(`INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'pep')`)
  await register({ mayAdmit: true })
})

const NOBODYS = `sptask_${'A'.repeat(43)}`

/** What is answered where this is shown as a handle. */
async function told(tool: string, sub: string, handle: unknown) {
  const { status, decision, context } = await ask(mayCall(tool, sub, { task_handle: handle }))
  return status === 200 ? (decision === true ? 'allowed' : context.reason) : status
}

describe('a question may say which task is meant', () => {
  it('by its handle, as at the front door', async () => {
    const sub = await newUser()
    const notesOnly = await open(notes({ subject: sub }))
    const reading = await open(notes({ subject: sub, tools: ['crm/read_*'] }))
    expect((await ask(mayCall('note', sub))).context.reason).toBe('task_ambiguous')
    expect(await told('note', sub, notesOnly.handle)).toBe('allowed')
    expect(await told('note', sub, reading.handle)).toBe('outside_task')
    await close(notesOnly.id)
    expect(await told('note', sub, notesOnly.handle)).toBe('task_ended')
  })

  it.each([
    ['of nobody', NOBODYS, 'task_unknown'],
    ['that is none', 'task_1', 'task_unknown'],
    ['with a blank', ` ${NOBODYS}`, 'task_unknown'],
    ['that is a number', 1, 400],
    ['that is a list', [NOBODYS], 400],
    ['that is null', null, 400],
    ['that is empty', '', 400],
    ['without an end', 'x'.repeat(300), 400],
  ])('one %s: %s', async (_, handle, expected) => {
    const sub = await newUser()
    await open(notes({ subject: sub }))
    expect(await told('note', sub, handle)).toBe(expected)
  })

  it('and another person’s is nobody’s, in one question or many', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const { handle } = await open(notes({ subject: bob }))
    expect(await told('note', alice, handle)).toBe('task_unknown')
    const context = { arguments: {}, task_handle: handle }
    const evaluations = [alice, bob].map((sub) => ({ subject: mayCall('note', sub).subject }))
    const { action, resource } = mayCall('note', alice)
    const many = await askMany({ action, resource, context, evaluations })
    expect(many.evaluations.map(({ decision }) => decision)).toEqual([false, true])
  })
})

describe('a call that is admitted', () => {
  it('counts for the task that was meant, and is another call under another', async () => {
    const sub = await newUser()
    const [one, other] = [
      await open(notes({ subject: sub, max_calls: 1 })),
      await open(notes({ subject: sub, max_calls: 1 })),
    ]
    const admit = (handle: string | undefined, key: string) =>
      ask(admitted('note', sub, key, { task_handle: handle }))
    const first = await admit(one.handle, 'k')
    expect(first.decision).toBe(true)
    expect((await admit(one.handle, 'k')).context.id).toBe(first.context.id)
    const second = await admit(other.handle, 'k')
    expect(second.decision).toBe(true)
    expect(second.context.id).not.toBe(first.context.id)
    expect((await admit(one.handle, 'k2')).context.reason).toBe('task_spent')
    expect((await admit(other.handle, 'k2')).context.reason).toBe('task_spent')
  })

  it('and its handle is in no record', async () => {
    const sub = await newUser()
    const { handle = '' } = await open(notes({ subject: sub }))
    await ask(admitted('note', sub, 'k', { task_handle: handle }))
    const last = await lastOf(sub)
    expect(last.record.inputs.request.subject.properties.task).toEqual({
      transaction: null,
      handle: true,
    })
    expect(JSON.stringify(last)).not.toContain(handle)
  })
})
