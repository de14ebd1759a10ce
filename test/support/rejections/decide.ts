import type { Ask, Rejection, SheetOf } from './rejection.ts'

const ISSUER = 'https://issuer.example'
const revoke = (kind: string, id: string): string =>
  `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', '${kind}', '${id}')`

/** A denial as the model reads it: status 200, whatever the era. */
const denied = (what: string, code: string, given: string[], ask: Ask = {}): Rejection => ({
  what,
  ask,
  given,
  status: 200,
  rpc: 'tool result',
  code,
})

export const DECIDE: SheetOf<'decide'> = {
  unsafe_configuration: 'test/worker/pep/fail-closed.test.ts',
  facts_unavailable: 'test/worker/pep/fail-closed.test.ts',
  session_unavailable: 'test/worker/pep/fail-closed.test.ts',
  credential_unavailable: 'test/worker/upstream/secret.test.ts',
  login_outdated: 'test/worker/signals/effects.test.ts',
  signal_raised: 'test/worker/signals/effects.test.ts',
  signals_silent: 'test/worker/signals/liveness.test.ts',
  workload_without_scopes: 'test/worker/authentication/workloads.test.ts',
  revoked: [
    denied('a revoked client', 'revoked', [revoke('client', 'acme-agent')]),
    denied('a revoked client, modern', 'revoked', [revoke('client', 'acme-agent')], {
      era: 'modern',
    }),
    denied('a revoked subject', 'revoked', [revoke('subject', 'alice')]),
    denied('a revoked server', 'revoked', [revoke('server', 'crm')]),
    {
      what: 'a revoked issuer',
      ask: {},
      given: [revoke('issuer', ISSUER)],
      status: 401,
      rpc: 40101,
      code: 'token_invalid',
    },
    {
      what: 'a listing by a revoked client',
      ask: { method: 'tools/list', params: {} },
      given: [revoke('client', 'acme-agent')],
      status: 200,
      rpc: 40301,
      code: 'revoked',
    },
  ],
  tenant_inactive: [
    denied('an inactive tenant', 'inactive', [`UPDATE tenants SET active = 0 WHERE id = 'acme'`]),
  ],
  server_inactive: [
    denied('an inactive server', 'inactive', [`UPDATE servers SET active = 0 WHERE name = 'crm'`]),
  ],
  client_unknown: [
    denied('a client without a row', 'client_not_registered', [
      `DELETE FROM clients WHERE id = 'acme-agent'`,
    ]),
  ],
  client_inactive: [
    denied('an inactive client', 'client_not_registered', [
      `UPDATE clients SET active = 0 WHERE id = 'acme-agent'`,
    ]),
  ],
  client_not_delegate: 'test/worker/pep/delegation.test.ts',
  agent_unknown: [
    denied('an agent without a row', 'agent_not_registered', [], {
      token: { claims: { act: { sub: 'nobody' } } },
    }),
  ],
  agent_inactive: [
    denied(
      'an inactive agent',
      'agent_not_registered',
      [`UPDATE agents SET active = 0 WHERE id = 'bot'`],
      { token: { claims: { act: { sub: 'bot' } } } },
    ),
  ],
  tool_unknown: [
    {
      what: 'a tool without a row',
      ask: { params: { name: 'drop_all', arguments: {} } },
      status: 200,
      rpc: -32602,
      code: 'tool_unknown',
    },
    {
      what: 'a resource without a row',
      ask: { method: 'resources/read', params: { uri: 'file:///etc/passwd' } },
      status: 200,
      rpc: -32602,
      code: 'tool_unknown',
    },
    {
      what: 'an answer to a server that may ask nothing',
      ask: { body: '{"jsonrpc":"2.0","id":"elicitation/create:1","result":{"action":"decline"}}' },
      status: 400,
      rpc: -32602,
      code: 'tool_unknown',
    },
    {
      what: 'a prompt without a row',
      ask: { method: 'prompts/get', params: { name: 'nobody' } },
      status: 200,
      rpc: -32602,
      code: 'tool_unknown',
    },
  ],
  tool_changed: 'test/worker/pep/pins.test.ts',
  tool_unverified: 'test/worker/pep/pins.test.ts',
  target_unreadable: 'test/worker/pep/targets.test.ts',
  target_of_another_tenant: 'test/worker/attacks/targets.test.ts',
  consent_required: [
    denied('no consent where one is needed', 'consent_required', [
      `UPDATE servers SET consent_required = 1 WHERE name = 'crm'`,
    ]),
  ],
  insufficient_scope: [
    {
      what: 'a scope too few',
      ask: { token: { claims: { scope: 'other' } } },
      status: 403,
      rpc: 40301,
      code: 'insufficient_scope',
    },
  ],
  outside_authorization: 'test/worker/pep/authorization-details.test.ts',
  task_ambiguous: 'test/worker/pep/tasks.test.ts',
  task_unknown: [
    denied('a handle that is nobody’s', 'task_unknown', [], {
      headers: { 'sallyport-task': `sptask_${'A'.repeat(43)}` },
    }),
  ],
  task_invalid: 'test/worker/pep/task-binding.test.ts',
  task_conflict: 'test/worker/pep/task-binding.test.ts',
  task_ended: 'test/worker/pep/task-binding.test.ts',
  task_spent: 'test/worker/pep/task-binding.test.ts',
  task_required: [
    denied('an allow that wants a task', 'task_required', [
      `UPDATE policies SET require_task = 'any' WHERE id = 'sales'`,
    ]),
  ],
  outside_task: 'test/worker/pep/tasks.test.ts',
  server_task_unknown: [
    {
      what: 'a task that this actor did not make',
      ask: {
        era: 'modern',
        method: 'tasks/get',
        params: { taskId: 'somebody-elses' },
        meta: {
          'io.modelcontextprotocol/clientCapabilities': {
            extensions: { 'io.modelcontextprotocol/tasks': {} },
          },
        },
      },
      status: 200,
      rpc: -32602,
      code: 'server_task_unknown',
    },
  ],
  request_state_invalid: [
    {
      what: 'a state that Sallyport did not seal',
      ask: {
        era: 'modern',
        params: { name: 'note', arguments: {}, requestState: 'made up', inputResponses: {} },
      },
      status: 200,
      rpc: -32602,
      code: 'request_state_invalid',
    },
  ],
  input_unreadable: 'test/worker/pep/rounds.test.ts',
  not_allowed: [
    denied('nobody has allowed it', 'not_allowed', [`DELETE FROM policies`]),
    denied('nobody has allowed it, modern', 'not_allowed', [`DELETE FROM policies`], {
      era: 'modern',
    }),
  ],
  denied_by_policy: [
    denied('a deny', 'denied_by_policy', [
      `INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'note')`,
    ]),
  ],
  insufficient_authentication: 'test/worker/pep/assurance.test.ts',
  binding_required: 'test/worker/pep/assurance.test.ts',
  approval_required: [
    denied('an allow that wants a person’s yes', 'approval_required', [
      `UPDATE policies SET require_approval = 1 WHERE id = 'sales'`,
    ]),
  ],
  denied_by_sequence: 'test/worker/pep/history.test.ts',
  result_withheld: 'test/worker/pep/results.test.ts',
  rate_limited: 'test/worker/attacks/cost.test.ts',
  session_unknown: [
    {
      // Another form of id names nothing here, and is ignored where the server keeps no sessions.
      what: 'a session that was never opened',
      ask: { headers: { 'mcp-session-id': 'A'.repeat(43) } },
      status: 404,
      rpc: 40402,
      code: 'session_unknown',
    },
    {
      what: 'the stream of such a session',
      ask: {
        verb: 'GET',
        headers: { 'mcp-session-id': 'made-up', accept: 'text/event-stream' },
      },
      status: 404,
      rpc: 40402,
      code: 'session_unknown',
    },
    {
      what: 'the end of such a session',
      ask: { verb: 'DELETE', headers: { 'mcp-session-id': 'made-up' } },
      status: 404,
      rpc: 40402,
      code: 'session_unknown',
    },
  ],
  session_missing: [
    {
      what: 'the end of no session',
      ask: { verb: 'DELETE' },
      status: 400,
      rpc: 40402,
      code: 'session_missing',
    },
  ],
  event_unknown: 'test/worker/streams/resume.test.ts',
  response_unasked: [
    {
      what: 'an answer to what nobody asked',
      ask: { body: '{"jsonrpc":"2.0","id":"elicitation/create:1","result":{"action":"decline"}}' },
      given: [
        `INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'crm', '*', 'read')`,
      ],
      status: 400,
      rpc: 40402,
      code: 'response_unasked',
    },
  ],
}
