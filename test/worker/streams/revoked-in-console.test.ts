import { expect, it, vi } from 'vitest'
import { administrator, withAccess } from '../../support/worker/access.ts'
import { revoke, ROOM } from '../../support/worker/console.ts'
import {
  EventReader,
  initialized,
  LegacyServer,
  within,
} from '../../support/worker/legacy-server.ts'
import { withLogin } from '../../support/worker/pages.ts'
import { inThisWorld, newUser, sql, toolCall } from '../../support/worker/world.ts'

inThisWorld()
withLogin()
withAccess()

it('a call that is open when an administrator revokes its person ends within a second or so', async () => {
  await sql('UPDATE servers SET consent_required = 0')
  const sub = await newUser()
  const server = new LegacyServer()
  const client = await initialized(sub)
  const events = new EventReader(await within(client, toolCall('note')))
  const [stream] = server.streams
  // Since then whoever holds it open looks whether it may stay so.
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  const sent = await revoke(await administrator(), 'subject', sub)
  const committed = Date.now()
  expect(sent.location).toBe(`${ROOM}?done=revoked`)
  expect(JSON.stringify(await events.message())).toContain('sallyport/refusal')
  expect(Date.now() - committed).toBeLessThan(1_500)
  expect(await events.next()).toBeNull()
  await vi.waitFor(() => expect(stream!.isCancelled).toBe(true))
})
