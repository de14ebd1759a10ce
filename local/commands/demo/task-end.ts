import { closeTask, openTask } from '../../tasks-client.ts'
import { ALLOW, deny, type Step } from './tour.ts'

const ECHO = { tool: 'echo', args: { text: 'hello' } }

export const taskEnd: Step = {
  title: 'A task bounds what an agent may do, and with its end it is over',
  async run(tour) {
    const { sallyport } = tour.stack
    const token = await tour.token({ sub: 'bob', client: 'acme-agent' })
    await tour.sql(`UPDATE policies SET require_task = 'any'
      WHERE tenant = 'acme' AND id = 'agents-may-act'`)
    await tour.expect('bob’s agent, without a task', deny('task_required'), { token, ...ECHO })

    const opener = await tour.token({
      sub: 'front-desk',
      client: 'front-desk',
      path: 'tasks',
      scope: '',
    })
    const desk = { sallyport, token: opener }
    const { id, handle } = await openTask(desk, {
      subject: 'bob',
      client: 'acme-agent',
      purpose: 'say hello twice',
      tools: ['demo/echo'],
      max_calls: 2,
      expires_in: 600,
    })
    tour.check('the front desk opens one for bob: echo, twice', true, id.slice(0, 9), '')
    const headers = { 'sallyport-task': handle }
    await tour.expect('within the task', ALLOW, { token, headers, ...ECHO })
    await tour.expect('another tool', deny('outside_task'), {
      token,
      headers,
      tool: 'search_customers',
      args: { query: '' },
    })
    await tour.expect('other-agent with that handle', deny('task_unknown'), {
      token: await tour.token({ sub: 'bob', client: 'other-agent' }),
      headers,
      ...ECHO,
    })
    await tour.expect('the second time', ALLOW, { token, headers, ...ECHO })
    await tour.expect('the third time', deny('task_spent'), { token, headers, ...ECHO })
    await closeTask(desk, id)
    await tour.expect('the task is closed: the next call', deny('task_ended'), {
      token,
      headers,
      ...ECHO,
    })
    await tour.sql(`UPDATE policies SET require_task = NULL
      WHERE tenant = 'acme' AND id = 'agents-may-act'`)
  },
}
