import { beforeEach, describe, expect, it } from 'vitest'
import { lastOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  listed,
  newUser,
  seen,
  sql,
  token,
  type TokenOptions,
} from '../../support/worker/world.ts'
import { ask, close, notes, setUp } from '../tasks/door.ts'

inThisWorld()
beforeEach(setUp)

const opens = (subject: string, more: Record<string, unknown> = {}) =>
  ask(notes({ subject, ...more }))

const NOBODYS = `sptask_${'A'.repeat(43)}`

async function person(options: TokenOptions = {}) {
  const sub = await newUser()
  const bearer = await token({ sub, ...options })
  const code = async (tool: string, handle?: string, other: string = bearer) => {
    const headers = handle === undefined ? {} : { 'sallyport-task': handle }
    return (await call(tool, { token: other, headers })).code
  }
  return { sub, bearer, code }
}

describe('a call says which task it belongs to', () => {
  it('by the handle, where two are open', async () => {
    const { sub, code } = await person()
    const notesOnly = await opens(sub)
    const reading = await opens(sub, { tools: ['crm/read_*'], purpose: 'read' })
    expect(await code('note')).toBe('task_ambiguous')
    expect(await code('note', notesOnly.handle)).toBe('allowed')
    expect(await code('note', reading.handle)).toBe('outside_task')
    expect(await code('read_all', reading.handle)).toBe('allowed')
    const { record } = await lastOf(sub)
    expect(record.inputs.facts.tasks.map(({ id }: { id: string }) => id).toSorted()).toEqual(
      [notesOnly.id, reading.id].toSorted(),
    )
    expect(record.inputs.request.subject.properties.task).toEqual({
      transaction: null,
      handle: true,
    })
  })

  it('and the handle is in no record, and reaches no upstream', async () => {
    const { sub, code } = await person()
    const { handle = '' } = await opens(sub)
    expect(await code('note', handle)).toBe('allowed')
    expect(JSON.stringify(await lastOf(sub))).not.toContain(handle)
    expect(seen).toHaveLength(1)
    expect(JSON.stringify([...(seen[0]?.headers ?? [])])).not.toMatch(/sallyport-task|sptask_/i)
  })

  it.each([
    ['of nobody', NOBODYS],
    ['that is none', 'x'],
    ['that is empty', ' '],
    ['sent twice', `${NOBODYS}, ${NOBODYS}`],
    ['in quotes', `"${NOBODYS}"`],
  ])('a handle %s is refused, though one task is open', async (_, handle) => {
    const { sub, code } = await person()
    await opens(sub)
    expect(await code('note', handle)).toBe('task_unknown')
    expect(seen).toEqual([])
  })

  it('and where none is open', async () => {
    const { code } = await person()
    expect(await code('note', NOBODYS)).toBe('task_unknown')
  })

  it('a listing shows what that task allows', async () => {
    const { sub, bearer } = await person()
    const reading = await opens(sub, { tools: ['crm/read_*'] })
    await opens(sub)
    expect(await listed({ token: bearer })).toEqual([])
    const headers = { 'sallyport-task': reading.handle ?? '' }
    expect(await listed({ token: bearer, headers })).toEqual(['read_all'])
  })

  it('a task that ends, ends its next call', async () => {
    const { sub, code } = await person()
    const { id, handle } = await opens(sub)
    expect(await code('note', handle)).toBe('allowed')
    await close(id)
    expect(await code('note', handle)).toBe('task_ended')
    expect((await lastOf(sub)).record.refusal).toMatchObject({ task: id, how: 'closed' })
    // Who names none belongs to none: a policy says whether that is enough.
    expect(await code('note')).toBe('allowed')
    await sql("UPDATE policies SET require_task = 'any'")
    expect(await code('note')).toBe('task_required')
  })

  it('a task that expires, by the clock', async () => {
    const { sub, code } = await person()
    const { handle } = await opens(sub, { expires_in: 1 })
    expect(await code('note', handle)).toBe('allowed')
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect(await code('note', handle)).toBe('task_ended')
    expect((await lastOf(sub)).record.refusal).toMatchObject({ how: 'expired' })
  })

  it('a task that is revoked, while another goes on', async () => {
    const { sub, code } = await person()
    const [one, other] = [await opens(sub), await opens(sub)]
    await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'task', '${one.id}')`)
    expect(await code('note', one.handle)).toBe('revoked')
    expect(await code('note', other.handle)).toBe('allowed')
    expect(await code('note')).toBe('revoked')
  })

  it('also on a server that is only observed: what is over was taken back', async () => {
    const { sub, code } = await person()
    const { id, handle } = await opens(sub)
    await sql(`UPDATE servers SET observe_until = ${Date.now() + 60_000}`)
    expect(await code('read_all', handle)).toBe('allowed')
    await close(id)
    expect(await code('read_all', handle)).toBe('task_ended')
  })
})

describe('a token names a task by `txn`', () => {
  it('that was opened for its actor', async () => {
    const { sub, code } = await person()
    const one = await opens(sub)
    const other = await opens(sub, { tools: ['crm/read_*'] })
    const named = await token({ sub, claims: { txn: other.id } })
    expect(await code('read_all', undefined, named)).toBe('allowed')
    expect(await code('note', undefined, named)).toBe('outside_task')
    expect(await code('read_all', other.handle, named)).toBe('allowed')
    expect(await code('note', one.handle, named)).toBe('task_conflict')
    await close(other.id)
    expect(await code('read_all', undefined, named)).toBe('task_ended')
  })

  it('of somebody else: refused, and nothing is told of it', async () => {
    const [alice, bob] = [await person(), await person()]
    const secret = await opens(bob.sub, { purpose: 'buy the competitor' })
    await opens(alice.sub)
    const named = await token({ sub: alice.sub, claims: { txn: secret.id } })
    expect(await alice.code('note', undefined, named)).toBe('task_unknown')
    expect(JSON.stringify(await lastOf(alice.sub))).not.toContain('competitor')
  })

  it('of nobody: it is a name like any other, unless its issuer opens tasks', async () => {
    const { sub, code } = await person()
    const named = await token({ sub, claims: { txn: 'order-4711' } })
    expect(await code('note', undefined, named)).toBe('allowed')
    await sql('UPDATE issuers SET opens_tasks = 1')
    expect(await code('note', undefined, named)).toBe('task_unknown')
  })

  it.each([
    ['a number', 1],
    ['empty', ''],
    ['a list', ['a']],
    ['null', null],
  ])('that is %s: the token is none', async (_, txn) => {
    const { sub } = await person()
    const bad = await token({ sub, claims: { txn } })
    expect((await call('note', { token: bad })).status).toBe(401)
  })
})

const declares = (more: Record<string, unknown> = {}) => ({
  txn: 't-1',
  authorization_details: [
    {
      type: 'mcp_task',
      purpose: 'take notes',
      tools: ['crm/note'],
      expires_at: Math.floor(Date.now() / 1000) + 60,
      ...more,
    },
  ],
})

describe('a token declares its task', () => {
  beforeEach(() => sql('UPDATE issuers SET opens_tasks = 1'))

  it('which narrows, satisfies a policy, and is in the record', async () => {
    const { sub, code } = await person()
    await sql("UPDATE policies SET require_task = 'any'")
    const named = await token({ sub, claims: declares() })
    expect(await code('note', undefined, named)).toBe('allowed')
    expect((await lastOf(sub)).record.inputs.request.subject.properties).toMatchObject({
      task: { transaction: 't-1', handle: false },
      authorizationDetails: [{ type: 'mcp_task', purpose: 'take notes' }],
    })
    expect(await code('read_all', undefined, named)).toBe('outside_task')
    expect(await listed({ token: named })).toEqual(['note'])
    await sql("UPDATE policies SET require_task = 'approved'")
    expect(await code('note', undefined, named)).toBe('task_required')
  })

  it('and ends by a revocation, for that issuer, with all its tokens', async () => {
    const { sub, code } = await person()
    const tokens = [
      await token({ sub, claims: declares() }),
      await token({ sub, claims: declares() }),
    ]
    const other = await token({ sub, claims: { ...declares(), txn: 't-2' } })
    expect((await close('txn:t-1')).status).toBe(200)
    for (const bearer of tokens) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await code('note', undefined, bearer)).toBe('revoked')
    }
    expect(await code('note', undefined, other)).toBe('allowed')
    await sql("UPDATE revocations SET issuer = 'https://other.example'")
    expect(await code('note', undefined, tokens[0])).toBe('allowed')
  })

  it('beside what it was granted for in detail: both hold', async () => {
    const { sub, code } = await person()
    const grant = {
      type: 'mcp_tool',
      locations: ['http://localhost:8787/crm/mcp'],
      actions: ['read_all'],
    }
    const { authorization_details: entries, txn } = declares({ tools: ['crm/*'] })
    const both = { txn, authorization_details: [...entries, grant] }
    const named = await token({ sub, claims: both })
    expect(await code('read_all', undefined, named)).toBe('allowed')
    expect(await code('note', undefined, named)).toBe('outside_authorization')
  })

  it.each<[string, Record<string, unknown>]>([
    ['that nobody can read', declares({ until: 'tomorrow' })],
    ['without a name', { authorization_details: declares().authorization_details }],
    [
      'twice',
      {
        txn: 't',
        authorization_details: [
          ...declares().authorization_details,
          ...declares().authorization_details,
        ],
      },
    ],
  ])('%s: its token is good for no call', async (_, claims) => {
    const { sub, code } = await person()
    expect(await code('note', undefined, await token({ sub, claims }))).toBe('task_invalid')
  })

  it('by an issuer that may not: refused, not read without it', async () => {
    const { sub, code } = await person()
    await sql('UPDATE issuers SET opens_tasks = 0')
    expect(await code('note', undefined, await token({ sub, claims: declares() }))).toBe(
      'task_invalid',
    )
  })

  it('no row may have such a name', async () => {
    await expect(
      sql(
        `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
         VALUES ('acme', 'txn:t-1', '${ISSUER}', 'alice', 'acme-agent', '', 'alice', 1)`,
      ),
    ).rejects.toThrow(/CHECK/)
  })
})

describe('a budget', () => {
  it('of three calls: the fourth is refused, whatever came between', async () => {
    const { sub, code } = await person()
    await opens(sub, { max_calls: 3, tools: ['crm/note', 'crm/read_all'] })
    expect(await code('note')).toBe('allowed')
    expect(await code('delete_one')).toBe('outside_task')
    expect(await code('read_all')).toBe('allowed')
    expect(await listed({ token: await token({ sub }) })).toEqual(['read_all', 'note'])
    expect(await code('note')).toBe('allowed')
    expect(await code('note')).toBe('task_spent')
    expect(seen.filter(({ body }) => body.includes('tools/call'))).toHaveLength(3)
  })

  it('of ten, a hundred times at once: ten', async () => {
    const { sub, code } = await person()
    const { handle } = await opens(sub, { max_calls: 10 })
    const codes = await Promise.all(
      Array.from({ length: 100 }, (_, at) => code('note', at % 2 === 0 ? handle : undefined)),
    )
    expect(codes.filter((one) => one === 'allowed')).toHaveLength(10)
    expect(codes.filter((one) => one === 'task_spent')).toHaveLength(90)
    expect(seen).toHaveLength(10)
  })

  it('of one task is not that of another', async () => {
    const { sub, code } = await person()
    const [one, other] = [await opens(sub, { max_calls: 1 }), await opens(sub, { max_calls: 1 })]
    expect(await code('note', one.handle)).toBe('allowed')
    expect(await code('note', one.handle)).toBe('task_spent')
    expect(await code('note', other.handle)).toBe('allowed')
  })

  it('that a token declares is of the task, not of the token', async () => {
    await sql('UPDATE issuers SET opens_tasks = 1')
    const { sub, code } = await person()
    const mint = () => token({ sub, claims: declares({ max_calls: 2 }) })
    expect(await code('note', undefined, await mint())).toBe('allowed')
    expect(await code('note', undefined, await mint())).toBe('allowed')
    expect(await code('note', undefined, await mint())).toBe('task_spent')
  })

  it('on a server that is only observed is written down', async () => {
    const { sub, code } = await person()
    await opens(sub, { max_calls: 1 })
    await sql(`UPDATE servers SET observe_until = ${Date.now() + 60_000}`)
    expect(await code('note')).toBe('allowed')
    expect(await code('note')).toBe('allowed')
    expect((await lastOf(sub)).record.wouldBe).toMatchObject({
      by: 'observe',
      refusal: { reason: 'task_spent' },
    })
  })
})
