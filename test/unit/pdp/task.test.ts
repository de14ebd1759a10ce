import { describe, expect, it } from 'vitest'
import { actorOf } from '../../../src/pdp/evaluate.ts'
import type { Action } from '../../../src/mcp/operation.ts'
import type { Facts, TaskFact, TaskNamed } from '../../../src/pdp/evaluation.ts'
import type { DecisionRefusal } from '../../../src/pdp/refusal.ts'
import { endsStream, openTasks, outsideOf, taskOf } from '../../../src/pdp/task.ts'
import { argumentsOf, facts, NOW, request, target, task, tool } from '../../support/pdp/build.ts'

describe('a task that is open', () => {
  const open = (agent: string | null, ...tasks: TaskFact[]) => {
    const asked = request({ agent })
    return openTasks(actorOf(asked), asked, { tasks }).map(({ id }) => id)
  }

  it('is of the very agent that acts, or of the client itself', () => {
    const tasks = [task({ id: 'own' }), task({ id: 'bot', agent: 'bot' })]
    expect(open(null, ...tasks)).toEqual(['own'])
    expect(open('bot', ...tasks)).toEqual(['bot'])
    expect(open('other', ...tasks)).toEqual([])
  })

  it('ends by the clock, and is open although it was revoked: that is refused, not forgotten', () => {
    expect(open(null, task({ expiresAt: NOW }))).toEqual([])
    expect(open(null, task({ closedAt: NOW - 1 }))).toEqual([])
    // A row that is closed at a later time is closed.
    expect(open(null, task({ closedAt: NOW + 1 }))).toEqual([])
    expect(open(null, task({ revokedAt: 1 }))).toEqual(['t-1'])
  })
})

const entry = (more: object = {}) =>
  argumentsOf({
    type: 'mcp_task',
    purpose: 'tidy up',
    expires_at: Math.floor(NOW / 1000) + 60,
    ...more,
  })

describe('the task of a call', () => {
  const of = (
    named: Partial<TaskNamed> | null,
    known: Partial<Facts> = {},
    details: ReturnType<typeof entry>[] | null = null,
    agent: string | null = null,
  ) => {
    const asked = request({
      agent,
      authorizationDetails: details,
      ...(named === null ? {} : { task: { transaction: null, handle: false, ...named } }),
    })
    const { task: own, refusal } = taskOf(actorOf(asked), asked, facts(known))
    return own?.id ?? refusal?.reason ?? 'none'
  }
  const txn = { transaction: 't-1' }
  const handle = { handle: true }
  const [a, b] = [task({ id: 't-1' }), task({ id: 't-2', shown: true })]
  const opens = { issuerOpensTasks: true }

  it.each<[string, Partial<TaskNamed> | null, Partial<Facts>, string]>([
    ['nothing is open', null, {}, 'none'],
    ['the only one', null, { tasks: [a] }, 't-1'],
    ['two, and nothing says which', null, { tasks: [a, b] }, 'task_ambiguous'],
    ['two, by handle', handle, { tasks: [a, b] }, 't-2'],
    ['two, by txn', txn, { tasks: [a, b] }, 't-1'],
    ['both agree', { ...txn, ...handle }, { tasks: [task({ shown: true }), b] }, 't-1'],
    ['both disagree', { ...txn, ...handle }, { tasks: [a, b] }, 'task_conflict'],
    ['a handle of nobody, though one is open', handle, { tasks: [a] }, 'task_unknown'],
    ['a txn that is another’s task', txn, { tasks: [b], transactionIsTask: true }, 'task_unknown'],
    ['a txn that is nobody’s', { transaction: 'x' }, { tasks: [a] }, 't-1'],
    [
      'a txn that is nobody’s, of an issuer that opens tasks',
      { transaction: 'x' },
      { tasks: [a], ...opens },
      'task_unknown',
    ],
    ['a txn without any task', { transaction: 'x' }, {}, 'none'],
    [
      'a good handle does not help a bad txn',
      { transaction: 'x', ...handle },
      { tasks: [b], ...opens },
      'task_unknown',
    ],
    ['closed, by handle', handle, { tasks: [task({ shown: true, closedAt: 1 })] }, 'task_ended'],
    ['closed, by txn', txn, { tasks: [task({ closedAt: 1 }), b] }, 'task_ended'],
    ['over this very moment', txn, { tasks: [task({ expiresAt: NOW })] }, 'task_ended'],
    ['over in a moment', txn, { tasks: [task({ expiresAt: NOW + 1 })] }, 't-1'],
    [
      'the handle of another agent of the same client',
      handle,
      { tasks: [task({ shown: true, agent: 'bot' })] },
      'task_unknown',
    ],
    [
      'a txn of another agent',
      txn,
      { tasks: [task({ agent: 'bot' })], transactionIsTask: true },
      'task_unknown',
    ],
  ])('%s', (_, named, known, expected) => {
    expect(of(named, known)).toBe(expected)
  })

  it.each<[string, ReturnType<typeof entry>[], Partial<TaskNamed> | null, Partial<Facts>, string]>([
    ['by its token', [entry()], txn, opens, 'txn:t-1'],
    ['before the actor’s only open one', [entry()], txn, { ...opens, tasks: [b] }, 'txn:t-1'],
    [
      'against a handle',
      [entry()],
      { ...txn, ...handle },
      { ...opens, tasks: [b] },
      'task_conflict',
    ],
    ['by an issuer that may not', [entry()], txn, {}, 'task_invalid'],
    ['without a name', [entry()], null, opens, 'task_invalid'],
    ['twice', [entry(), entry()], txn, opens, 'task_invalid'],
    ['and over', [entry({ expires_at: NOW / 1000 })], txn, opens, 'task_ended'],
    [
      'beside a detail of another type',
      [entry(), argumentsOf({ type: 'payment' })],
      txn,
      opens,
      'txn:t-1',
    ],
  ])('declared %s', (_, details, named, known, expected) => {
    expect(of(named, known, details)).toBe(expected)
  })

  it('declared for whoever acts', () => {
    expect(of(txn, opens, [entry()], 'bot')).toBe('txn:t-1')
  })

  it.each<[string, object]>([
    ['a member that nobody knows', { locations: ['https://x.example'] }],
    ['no purpose', { purpose: undefined }],
    ['an empty purpose', { purpose: '' }],
    ['no end', { expires_at: undefined }],
    ['an end that is a text', { expires_at: '2027-01-01' }],
    ['an end in a fraction', { expires_at: 1.5 }],
    ['an end that no clock will see', { expires_at: 9e15 }],
    ['tools that are a text', { tools: 'crm/*' }],
    ['tools that are null', { tools: null }],
    ['a tool without a name', { tools: [''] }],
    ['a class of access that is none', { access: ['reed'] }],
    ['a class of data that is none', { data_classes: ['secret'] }],
    ['values that are numbers', { values: [1] }],
    ['no calls at all', { max_calls: 0 }],
    ['more tools than anybody reads', { tools: Array.from({ length: 201 }, () => 'crm/x') }],
  ])('declared with %s', (_, more) => {
    expect(
      of(
        txn,
        opens,
        [entry(JSON.parse(JSON.stringify(more)) as object)].map((one) => {
          const kept = Object.entries({ ...one, ...more }).filter(
            ([, value]) => value !== undefined,
          )
          return argumentsOf(Object.fromEntries(kept))
        }),
      ),
    ).toBe('task_invalid')
  })

  it.each<[string, Partial<TaskNamed>, Partial<Facts>, string]>([
    ['of its call, though another was opened', { under: 't-1' }, { tasks: [a, b] }, 't-1'],
    ['over by now', { under: 't-1' }, { tasks: [task({ closedAt: 1 }), b] }, 'task_ended'],
    ['that is not there any more', { under: 't-1' }, { tasks: [b] }, 'task_unknown'],
    ['none, where its call had none', { under: null }, { tasks: [a] }, 'none'],
    ['by its handle, as before', { under: 't-2', ...handle }, { tasks: [a, b] }, 't-2'],
  ])('of a result: the task %s', (_, named, known, expected) => {
    expect(of(named, known)).toBe(expected)
  })

  it('is one of the candidates that a revocation may end', () => {
    const asked = request()
    const found = taskOf(actorOf(asked), asked, facts({ tasks: [a, b] }))
    expect(found.candidates.map(({ id }) => id)).toEqual(['t-1', 't-2'])
  })
})

describe('a stream', () => {
  const ended = { at: 'decide', reason: 'task_ended', task: 't-1', how: 'closed' } as const
  const ambiguous = { at: 'decide', reason: 'task_ambiguous' } as const

  it.each<[Action, DecisionRefusal | null, boolean]>([
    ['GET', ended, true],
    ['GET', { at: 'decide', reason: 'task_unknown', by: 'handle' }, true],
    ['GET', ambiguous, false],
    ['GET', null, false],
    ['subscriptions/listen', ended, true],
    // What goes on telling nothing: a step of the protocol.
    ['ping', ended, false],
    ['DELETE', ended, false],
  ])('%s with %j ends: %s', (name, refusal, expected) => {
    expect(endsStream({ ...request(), action: { name } }, refusal)).toBe(expected)
  })
})

describe('inside a task', () => {
  const bound = (row: Partial<TaskFact>, called = tool({ access: 'write' })) =>
    outsideOf(task(row), 'crm', called, [])

  it.each<[Partial<TaskFact>, string | null]>([
    [{}, null],
    [{ tools: ['crm/search'] }, null],
    [{ tools: ['crm/*'] }, null],
    [{ tools: ['*/search'] }, null],
    [{ tools: ['*'] }, null],
    [{ tools: ['search'] }, 'tools'],
    [{ tools: ['crm'] }, 'tools'],
    [{ tools: ['CRM/search'] }, 'tools'],
    [{ tools: ['crm/sear'] }, 'tools'],
    [{ tools: ['other/*', 'crm/s*h'] }, null],
    [{ tools: [] }, 'tools'],
    [{ access: ['write'] }, null],
    [{ access: ['read', 'admin'] }, 'access'],
    [{ access: [] }, 'access'],
    [{ tools: ['crm/*'], access: ['read'] }, 'access'],
    [{ tools: ['other/*'], access: ['write'] }, 'tools'],
  ])('%j: %s', (row, expected) => {
    expect(bound(row)).toBe(expected)
  })

  it.each<[string[] | null, ('public' | 'internal' | 'confidential')[], string | null]>([
    [null, ['confidential'], null],
    [['internal'], ['internal'], null],
    [['internal'], ['internal', 'confidential'], 'data_classes'],
    [['public', 'internal'], ['public', 'internal'], null],
    // No order is meant: what is less grave is another class.
    [['confidential'], ['public'], 'data_classes'],
    [[], ['public'], 'data_classes'],
    [[], [], null],
  ])('data of %j, touching %j: %s', (dataClasses, touched, expected) => {
    const targets = touched.map((sensitivity) => target({ sensitivity }))
    expect(outsideOf(task({ dataClasses }), 'crm', tool(), targets)).toBe(expected)
  })

  it('what nobody has listed is of the class that its argument has', () => {
    expect(outsideOf(task({ dataClasses: ['internal'] }), 'crm', tool(), [target(null)])).toBe(
      'data_classes',
    )
  })

  it('a slash in a tool’s name does not lead to another server', () => {
    const slashed = tool({ name: 'a/search' })
    expect(outsideOf(task({ tools: ['crm/a/search'] }), 'crm', slashed, [])).toBe(null)
    // A server's name has no slash (migrations/0002), so `crm/a` is no server.
    expect(outsideOf(task({ tools: ['crm/*'] }), 'crm-2', tool(), [])).toBe('tools')
  })

  it('in a listing any class that a call could be of is enough', () => {
    const depends = { access: ['read', 'write'] as const, labels: [], anyLabel: false }
    const listed = tool({ access: 'write', depends })
    expect(bound({ access: ['read'] }, listed)).toBe(null)
    expect(bound({ access: ['admin'] }, listed)).toBe('access')
  })
})
