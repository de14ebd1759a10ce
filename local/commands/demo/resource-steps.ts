import { ALLOW, deny, type Step } from './tour.ts'

export const ownership: Step = {
  title: 'What the call touches counts: who owns it',
  async run(tour) {
    const token = await tour.token({ sub: 'alice', client: 'acme-agent' })
    const remove = { token, tool: 'delete_customer', args: { id: 'C-1009' } }
    await tour.sql(`INSERT INTO resources (tenant, type, id, owner, owner_issuer, sensitivity)
      SELECT 'acme', 'customer', 'C-1009', 'bob', url, 'internal' FROM issuers WHERE tenant = 'acme'`)
    await tour.expect("alice deletes bob's customer", deny('denied_by_policy'), remove)
    await tour.sql(`UPDATE resources SET owner = 'alice' WHERE tenant = 'acme' AND id = 'C-1009'`)
    await tour.expect('the customer is hers now, same token', ALLOW, remove)
    await tour.sql(`DELETE FROM resources WHERE tenant = 'acme' AND id = 'C-1009'`)
  },
}

export const classification: Step = {
  title: 'And how sensitive it is, in arguments and in results',
  async run(tour) {
    const token = await tour.token({ sub: 'bob', client: 'acme-agent' })
    const read = { token, tool: 'get_customer', args: { id: 'C-1010' } }
    const search = { token, tool: 'search_customers', args: {} }
    await tour.expect('bob reads a customer', ALLOW, read)
    await tour.sql(`INSERT INTO resources (tenant, type, id, sensitivity)
      VALUES ('acme', 'customer', 'C-1010', 'restricted')`)
    await tour.expect('the same, once it is restricted', deny('denied_by_policy'), read)
    await tour.sql(`INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, unlisted)
      VALUES ('acme', 'demo', 'search_customers', '/customers/*/id', 'customer', 'internal')`)
    await tour.expect('a search that finds it', deny('result_withheld'), search)
    await tour.sql(`DELETE FROM resources WHERE tenant = 'acme' AND id = 'C-1010'`)
    await tour.expect('a search that finds nothing restricted', ALLOW, search)
    await tour.sql(`DELETE FROM tool_results WHERE tenant = 'acme'`)
  },
}
