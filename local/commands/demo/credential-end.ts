import { closeTask, openTask } from '../../tasks-client.ts'
import type { Stack } from '../../stack.ts'
import { ALLOW, type Step } from './tour.ts'

export const credentialEnd: Step = {
  title: 'What the server is shown is made for one call, and dies with the task',
  async run(tour) {
    const { sallyport } = tour.stack
    const desk = {
      sallyport,
      token: await tour.token({
        sub: 'front-desk',
        client: 'front-desk',
        path: 'tasks',
        scope: '',
      }),
    }
    const task = { subject: 'alice', client: 'acme-agent', purpose: 'look one up', expires_in: 600 }
    const { id, handle } = await openTask(desk, task)
    await tour.expect('alice’s agent calls `billing`, which checks for itself', ALLOW, {
      token: await tour.token({ sub: 'alice', client: 'acme-agent', server: 'billing' }),
      headers: { 'sallyport-task': handle },
      server: 'billing',
      tool: 'get_customer',
      args: { id: 'C-1001' },
    })
    const before = await holds(tour.stack)
    tour.check(
      '`billing` asks Sallyport about the credential',
      before === true,
      active(before),
      'active',
    )
    await closeTask(desk, id)
    const after = await holds(tour.stack)
    tour.check(
      'the task is closed: `billing` asks again',
      after === false,
      active(after),
      'inactive',
    )
  },
}

/** What the demo server finds when it asks about the credential that it was shown last. */
async function holds({ server }: Stack): Promise<unknown> {
  const response = await fetch(new URL('/_demo/holds?path=/signed/mcp', server))
  return response.json()
}

const active = (told: unknown): string =>
  told === true ? 'active' : told === false ? 'inactive' : 'nothing is known'
