import { ALLOW, deny, type Step } from './tour.ts'

const EXPORT = { tool: 'export_customers', args: { format: 'csv', destination: 'reports' } }
const READ = { tool: 'get_customer', args: { id: 'C-1001' } }

export const firstCalls: Step = {
  title: 'A token is one input: what nobody allowed is denied',
  async run(tour) {
    const alice = await tour.token({ sub: 'alice', client: 'acme-agent' })
    const bob = await tour.token({ sub: 'bob', client: 'acme-agent' })
    await tour.expect('alice (sales) reads a customer', ALLOW, { token: alice, ...READ })
    await tour.expect('bob (support) exports, with a perfect token', deny('not_allowed'), {
      token: bob,
      ...EXPORT,
    })
  },
}

export const roleChange: Step = {
  title: 'A role is a row, and the next call feels it',
  async run(tour) {
    const token = await tour.token({ sub: 'bob', client: 'acme-agent' })
    await tour.expect('bob exports', deny('not_allowed'), { token, ...EXPORT })
    await tour.sql(`INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
      SELECT tenant, url, 'user', 'bob', 'sales' FROM issuers WHERE tenant = 'acme'`)
    await tour.expect('bob exports, same token', ALLOW, { token, ...EXPORT })
    await tour.sql(`DELETE FROM role_assignments
      WHERE tenant = 'acme' AND holder = 'bob' AND role = 'sales'`)
    await tour.expect('bob exports, same token', deny('not_allowed'), { token, ...EXPORT })
  },
}

export const policyChange: Step = {
  title: 'A policy is a row: no deployment, no new token, and a deny overrides',
  async run(tour) {
    const token = await tour.token({ sub: 'alice', client: 'acme-agent' })
    await tour.expect('alice reads a customer', ALLOW, { token, ...READ })
    await tour.sql(`INSERT INTO policies (tenant, id, effect, tool, condition)
      VALUES ('acme', 'hands-off', 'deny', 'get_customer', 'args.id == "C-1001"')`)
    await tour.expect('alice reads that customer', deny('denied_by_policy'), { token, ...READ })
    await tour.expect('alice reads another', ALLOW, { token, ...READ, args: { id: 'C-1002' } })
    await tour.sql(`DELETE FROM policies WHERE tenant = 'acme' AND id = 'hands-off'`)
    await tour.expect('alice reads that customer', ALLOW, { token, ...READ })
  },
}
