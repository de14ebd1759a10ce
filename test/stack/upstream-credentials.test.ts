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

  it('refuses the credential from the moment that its task is closed', async () => {
    await openTask('t-billing')
    expect(await call('billing', await tokenFor('billing'))).toMatchObject({ code: 'allowed' })
    expect(await holdsAt('/signed/mcp')).toBe(true)
    await closeTask('t-billing')
    expect(await holdsAt('/signed/mcp')).toBe(false)
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
  })
})

describe('a server whose issuer gives tokens in exchange', { timeout: 60_000 }, () => {
  it('is served with the issuer’s token for the person who calls', async () => {
    expect(await call('archive', await tokenFor('archive'))).toMatchObject({ code: 'allowed' })
    expect(await refusedAt()).toEqual([])
  })

  it('refuses the credential after the task has ended, for the issuer took it back', async () => {
    const token = await tokenFor('archive')
    await openTask('t-archive')
    expect(await call('archive', token)).toMatchObject({ code: 'allowed' })
    expect(await holdsAt('/exchanged/mcp')).toBe(true)
    const before = (await revocationsAt()).length
    await closeTask('t-archive')
    const { seen, ms } = await until(revocationsAt, (list) => list.length > before, 10_000)
    expect(seen.at(-1)).toMatchObject({ sub: 'alice', aud: `${stack.server}/exchanged/mcp` })
    expect(ms).toBeLessThan(7_000)
    expect(await holdsAt('/exchanged/mcp')).toBe(false)
    // Without the task there is a token of its own again.
    expect(await call('archive', token)).toMatchObject({ code: 'allowed' })
  })

  it('also where the issuer was down when the task was closed', async () => {
    await openTask('t-down')
    expect(await call('archive', await tokenFor('archive'))).toMatchObject({ code: 'allowed' })
    const before = (await revocationsAt()).length
    await setFault(stack, 'error', '/revoke')
    await closeTask('t-down')
    await until(revocationsAt, (list) => list.length > before, 8_000)
    expect(await revocationsAt()).toHaveLength(before)
    await setFault(stack, 'none', '/revoke')
    const { seen } = await until(revocationsAt, (list) => list.length > before, 20_000)
    expect(seen).toHaveLength(before + 1)
    const log = async () =>
      stack.query(
        `SELECT event, status FROM credential_events WHERE task = 't-down' ORDER BY rowid`,
        'decisions',
      )
    const { seen: events } = await until(log, (rows) => rows.length >= 4, 10_000)
    expect(events.map((row) => row['event'])).toEqual(['issued', 'ended', 'failed', 'revoked'])
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
