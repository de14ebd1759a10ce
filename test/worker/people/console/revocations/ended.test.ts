import { runInDurableObject } from 'cloudflare:test'
import { expect, it, vi } from 'vitest'
import { administrator, withAccess } from '../../../../support/worker/access.ts'
import { revoke } from '../../../../support/worker/console.ts'
import {
  nextLook,
  objectOf,
  revocations,
  withExchange,
} from '../../../../support/worker/exchange.ts'
import { withLogin } from '../../../../support/worker/pages.ts'
import { call, inThisWorld, ISSUER, newUser, sql, token } from '../../../../support/worker/world.ts'

inThisWorld()
withLogin()
withAccess()
withExchange()

const IN_A_MINUTE = Math.floor(Date.now() / 1000) + 60

/** The person's claims, and what is revoked of them. */
const WHAT: readonly [
  kind: string,
  what: string,
  idOf: (sub: string) => string,
  claims: Record<string, unknown>,
][] = [
  ['subject', 'a person', (sub) => sub, {}],
  ['task', 'a task', (sub) => `task-${sub}`, {}],
  ['consent', 'a consent', (sub) => `consent-${sub}`, {}],
  [
    'task',
    'a task that only tokens declare',
    () => 'txn:t-1',
    {
      txn: 't-1',
      authorization_details: [{ type: 'mcp_task', purpose: 'notes', expires_at: IN_A_MINUTE }],
    },
  ],
]

it.each(WHAT)(
  'revoked %s (%s): what upstreams were given is taken back at once',
  async (kind, _, idOf, claims) => {
    const sub = await newUser()
    await sql(
      "UPDATE issuers SET opens_tasks = 1 WHERE kind = 'oauth'",
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
     VALUES ('acme', 'consent-${sub}', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'write')`,
    )
    const isDeclared = 'txn' in claims
    if (!isDeclared) {
      await sql(
        `INSERT INTO tasks (tenant, id, issuer, subject, client, agent, purpose, opened_by, expires_at)
       VALUES ('acme', 'task-${sub}', '${ISSUER}', '${sub}', 'acme-agent', NULL, 'work', 'desk', 4000000000000)`,
      )
    }
    const bearer = await token({ sub, claims })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    // The log hears of it, and by itself the object would not look again so soon.
    await nextLook(sub)
    await runInDurableObject(await objectOf(sub), (__, { storage }) =>
      storage.setAlarm(Date.now() + 60_000),
    )
    await revoke(await administrator(), kind, idOf(sub))
    await vi.waitFor(() => expect(revocations).toHaveLength(1), { timeout: 2_500 })
  },
)
