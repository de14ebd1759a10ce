import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { quote } from '../../local/sql-client.ts'
import { setFault, takeCalls } from '../support/node/demo.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { callOnWire, type WireAnswer } from '../support/node/wire.ts'

// Servers that check for themselves, in processes of their own.

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
})
beforeEach(() => takeCalls(stack))
afterAll(() => stack.stop())

const call = (server: string, token: string): Promise<WireAnswer> =>
  callOnWire(stack.endpoint(server), { token })

const tokenFor = (server: string, sub = 'alice'): Promise<string> =>
  stack.token({ sub, client: 'acme-agent', server })

async function openTask(id: string): Promise<void> {
  await stack.query(
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
     VALUES ('acme', ${quote(id)}, ${quote(stack.issuer)}, 'alice', 'acme-agent', 'work', 'alice', ${Date.now() + 600_000})`,
  )
}

const closeTask = (id: string) =>
  stack.query(
    `UPDATE tasks SET closed_at = ${Date.now()}, closed_by = 'alice' WHERE id = ${quote(id)}`,
  )

const revocationsAt = async (): Promise<{ sub?: string; aud?: string }[]> =>
  (await fetch(new URL('/_demo/revocations', stack.issuer))).json() as Promise<never>

const refusedAt = async (): Promise<{ path: string; detail: string }[]> =>
  (await fetch(new URL('/_demo/refused', stack.server))).json() as Promise<never>

/** Whether the server, asking for itself, would still take what it was shown last. */
const holdsAt = async (path: string): Promise<boolean | null> =>
  (await fetch(new URL(`/_demo/holds?path=${path}`, stack.server))).json() as Promise<never>

/** What its guard says of the message that it served last, were it to come again. */
const againAt = async (path: string): Promise<string | null> =>
  (await fetch(new URL(`/_demo/again?path=${path}`, stack.server))).json() as Promise<never>

/** What became of a task's credential, as soon as the log has so many events. */
async function eventsOf(task: string, many: number): Promise<unknown[]> {
  const log = () =>
    stack.query(
      `SELECT event FROM credential_events WHERE task = ${quote(task)} ORDER BY rowid`,
      'decisions',
    )
  const { seen } = await until(log, (rows) => rows.length >= many, 15_000)
  return seen.map((row) => row['event'])
}

async function until<T>(look: () => Promise<T>, good: (seen: T) => boolean, ms: number) {
  const began = Date.now()
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const seen = await look()
    if (good(seen) || Date.now() - began > ms) return { seen, ms: Date.now() - began }
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('a server of the kind `signed`', { timeout: 30_000 }, () => {
  it('is served each call with a token for that call', async () => {
    const token = await tokenFor('billing')
    expect(await call('billing', token)).toMatchObject({ code: 'allowed' })
    expect(await call('billing', token)).toMatchObject({ code: 'allowed' })
    expect(await refusedAt()).toEqual([])
  })

  it('serves nobody who comes to it directly', async () => {
    const response = await fetch(new URL('/signed/mcp', stack.server), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tokenFor('billing')}`,
        'content-type': 'application/json',
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    })
    expect(response.status).toBe(401)
    // Of a client's token it is noticed: at the end of each of these files there may be none.
    expect(await stack.leaks()).toEqual(['/signed/mcp'])
  })
})

describe('a server whose issuer gives tokens in exchange', { timeout: 60_000 }, () => {
  it('is served with the issuer’s token for the person who calls', async () => {
    expect(await call('archive', await tokenFor('archive'))).toMatchObject({ code: 'allowed' })
    expect(await refusedAt()).toEqual([])
  })

  it.each(['hang', 'error', 'unauthorized', 'garbage', 'page', 'redirect', 'huge'] as const)(
    'lets no call go while the issuer is down: %s',
    async (mode) => {
      const token = await tokenFor('archive')
      await setFault(stack, mode, '/token')
      const answer = await call('archive', token)
      expect(answer).toMatchObject({ status: 503, code: 'credential_unavailable', retryable: true })
      expect(answer.ms).toBeLessThan(4_500)
      expect(await takeCalls(stack)).toEqual([])
      await setFault(stack, 'none', '/token')
      expect(await call('archive', token)).toMatchObject({ code: 'allowed' })
    },
  )

  it('through an identity assertion as well (ID-JAG)', async () => {
    await stack.query("UPDATE servers SET exchange_grant = 'id-jag' WHERE name = 'archive'")
    expect(await call('archive', await tokenFor('archive'))).toMatchObject({ code: 'allowed' })
    await stack.query("UPDATE servers SET exchange_grant = 'token-exchange' WHERE name = 'archive'")
  })
})

// What a server keeps of a call must be worth nothing once its task is over. It checks for itself.
describe('after the end of a task', { timeout: 60_000 }, () => {
  it('a signed credential is refused by its server at once', async () => {
    await openTask('t-billing')
    expect(await call('billing', await tokenFor('billing'))).toMatchObject({ code: 'allowed' })
    expect(await holdsAt('/signed/mcp')).toBe(true)
    expect(await againAt('/signed/mcp')).toBe('this token was used before')
    await closeTask('t-billing')
    expect(await holdsAt('/signed/mcp')).toBe(false)
    expect(await againAt('/signed/mcp')).toBe('it does not hold any more')
  })

  it('an exchanged one is refused by its server, and the log of its issuer shows the RFC 7009 call', async () => {
    const token = await tokenFor('archive')
    await openTask('t-archive')
    expect(await call('archive', token)).toMatchObject({ code: 'allowed' })
    expect(await againAt('/exchanged/mcp')).toBeNull()
    const before = (await revocationsAt()).length
    await closeTask('t-archive')
    const { seen, ms } = await until(revocationsAt, (list) => list.length > before, 10_000)
    expect(seen.slice(before)).toMatchObject([
      { sub: 'alice', aud: `${stack.server}/exchanged/mcp`, client_id: 'sallyport' },
    ])
    expect(ms).toBeLessThan(7_000)
    expect(await holdsAt('/exchanged/mcp')).toBe(false)
    expect(await againAt('/exchanged/mcp')).toBe('the token does not hold')
    expect(await eventsOf('t-archive', 3)).toEqual(['issued', 'ended', 'revoked'])
    // Without the task there is a token of its own again.
    expect(await call('archive', token)).toMatchObject({ code: 'allowed' })
  })

  it.each(['fails', 'cannot be reached'])(
    'the same where its issuer %s at the moment of closing, as soon as it is back',
    async (how) => {
      const task = `t-issuer-${how.replaceAll(' ', '-')}`
      await openTask(task)
      expect(await call('archive', await tokenFor('archive'))).toMatchObject({ code: 'allowed' })
      const before = how === 'fails' ? (await revocationsAt()).length : 0
      await (how === 'fails' ? setFault(stack, 'error', '/revoke') : stack.parts.issuer.stop())
      await closeTask(task)
      expect(await eventsOf(task, 3)).toEqual(['issued', 'ended', 'failed'])
      await (how === 'fails' ? setFault(stack, 'none', '/revoke') : stack.parts.issuer.start())
      const { seen } = await until(revocationsAt, (list) => list.length > before, 20_000)
      expect(seen.slice(before)).toMatchObject([
        { sub: 'alice', aud: `${stack.server}/exchanged/mcp`, client_id: 'sallyport' },
      ])
      expect(await againAt('/exchanged/mcp')).toBe('the token does not hold')
      expect(await eventsOf(task, 4)).toEqual(['issued', 'ended', 'failed', 'revoked'])
    },
  )
})
