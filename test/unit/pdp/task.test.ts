import { describe, expect, it } from 'vitest'
import type { TaskFact } from '../../../src/pdp/evaluation.ts'
import { openTasks, taskAllows } from '../../../src/pdp/task.ts'
import { NOW, request, tool } from '../../support/pdp/build.ts'

const task = (row: Partial<TaskFact> = {}): TaskFact => ({
  id: 't-1',
  agent: null,
  purpose: '',
  tools: null,
  access: null,
  approved: false,
  expiresAt: NOW + 1,
  revokedAt: null,
  ...row,
})

describe('a task that is open', () => {
  const actor = (agent: string | null) => ({
    tenant: 'acme',
    issuer: 'https://issuer.example',
    subject: 'alice',
    client: 'acme-agent',
    agent,
  })
  const open = (agent: string | null, ...tasks: TaskFact[]) =>
    openTasks(actor(agent), request(), { tasks }).map(({ id }) => id)

  it('is of the very agent that acts, or of the client itself', () => {
    const tasks = [task({ id: 'own' }), task({ id: 'bot', agent: 'bot' })]
    expect(open(null, ...tasks)).toEqual(['own'])
    expect(open('bot', ...tasks)).toEqual(['bot'])
    expect(open('other', ...tasks)).toEqual([])
  })

  it('ends by the clock, and is open although it was revoked: that is refused, not forgotten', () => {
    expect(open(null, task({ expiresAt: NOW }))).toEqual([])
    expect(open(null, task({ revokedAt: 1 }))).toEqual(['t-1'])
  })
})

describe('inside a task', () => {
  const allows = (row: Partial<TaskFact>, facts = tool({ access: 'write' })) =>
    taskAllows(task(row), 'crm', facts)

  it.each<[Partial<TaskFact>, boolean]>([
    [{}, true],
    [{ tools: ['crm/search'] }, true],
    [{ tools: ['crm/*'] }, true],
    [{ tools: ['*/search'] }, true],
    [{ tools: ['*'] }, true],
    [{ tools: ['search'] }, false],
    [{ tools: ['crm'] }, false],
    [{ tools: ['CRM/search'] }, false],
    [{ tools: ['crm/sear'] }, false],
    [{ tools: ['other/*', 'crm/s*h'] }, true],
    [{ tools: [] }, false],
    [{ access: ['write'] }, true],
    [{ access: ['read', 'admin'] }, false],
    [{ access: [] }, false],
    [{ tools: ['crm/*'], access: ['read'] }, false],
    [{ tools: ['other/*'], access: ['write'] }, false],
  ])('%j: %s', (row, expected) => {
    expect(allows(row)).toBe(expected)
  })

  it('a slash in a tool’s name does not lead to another server', () => {
    expect(taskAllows(task({ tools: ['crm/a/search'] }), 'crm', tool({ name: 'a/search' }))).toBe(
      true,
    )
    // A server's name has no slash (migrations/0002), so `crm/a` is no server.
    expect(taskAllows(task({ tools: ['crm/*'] }), 'crm-2', tool())).toBe(false)
  })

  it('in a listing any class that a call could be of is enough', () => {
    const listed = tool({
      access: 'write',
      depends: { access: ['read', 'write'], labels: [], anyLabel: false },
    })
    expect(allows({ access: ['read'] }, listed)).toBe(true)
    expect(allows({ access: ['admin'] }, listed)).toBe(false)
  })
})
