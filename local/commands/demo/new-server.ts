import { ALLOW, type Step } from './tour.ts'

export const newServer: Step = {
  title: 'A new server is three rows',
  async run(tour) {
    await tour.sql(`INSERT INTO servers (name, tenant, url)
      VALUES ('crm', 'acme', '${tour.stack.server}/mcp')`)
    await tour.sql(`INSERT INTO tools (tenant, server, name, access)
      VALUES ('acme', 'crm', '*', 'read')`)
    await tour.sql(`INSERT INTO policies (tenant, id, effect, role, agent, server)
      VALUES ('acme', 'sales-may-use-crm', 'allow', 'sales', '*', 'crm')`)
    await tour.expect('alice calls it', ALLOW, {
      token: await tour.token({ sub: 'alice', client: 'acme-agent', server: 'crm' }),
      server: 'crm',
      tool: 'echo',
      args: { text: 'hello' },
    })
  },
}
