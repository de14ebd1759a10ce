import { randomUUID } from 'node:crypto'
import { ALLOW, deny, type Step } from './tour.ts'

const EXPORT = { tool: 'export_customers', args: { format: 'csv', destination: 'reports' } }
const NOT_AFTER_THAT = deny('denied_by_sequence')

export const readThenExport: Step = {
  title: 'Read in bulk, then export: refused, and nothing the caller brings makes a clean slate',
  async run(tour) {
    const alice = { sub: 'alice', client: 'acme-agent' }
    const withAgent = await tour.token({ ...alice, agent: 'mail-bot' })
    await tour.expect('alice exports before she has read', ALLOW, {
      token: await tour.token(alice),
      ...EXPORT,
    })
    await tour.expect('alice, through mail-bot, reads all customers', ALLOW, {
      token: withAgent,
      tool: 'search_customers',
    })
    await tour.expect('then exports', NOT_AFTER_THAT, { token: withAgent, ...EXPORT })
    await tour.expect('with a fresh token', NOT_AFTER_THAT, {
      token: await tour.token({ ...alice, agent: 'mail-bot' }),
      ...EXPORT,
    })
    await tour.expect('with another Mcp-Session-Id', NOT_AFTER_THAT, {
      token: withAgent,
      headers: { 'mcp-session-id': randomUUID() },
      ...EXPORT,
    })
    await tour.expect('through another client', NOT_AFTER_THAT, {
      token: await tour.token({ sub: 'alice', client: 'other-agent', agent: 'mail-bot' }),
      ...EXPORT,
    })
    await tour.expect('without the agent', NOT_AFTER_THAT, {
      token: await tour.token(alice),
      ...EXPORT,
    })
  },
}
