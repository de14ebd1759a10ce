import { describe, expect, it } from 'vitest'
import type { Call } from '../../../../src/cli/call/call.ts'
import { decideCall, type Decision } from '../../../../src/cli/call/decide.ts'
import { explain } from '../../../../src/cli/call/explain.ts'
import { buildScratch } from '../../../../src/cli/scratch/scratch.ts'
import { sqlSources } from '../../../../src/cli/scratch/sources.ts'
import type { JsonObject } from '../../../../src/mcp/value.ts'
import { OF_A_RUNNING_SESSION, REASONS } from './reasons.ts'
import { ASK, ISSUER, json, SILENT, TASK, TASK_ROWS, type Row } from './task-rows.ts'

const BASE = sqlSources(['local/seed/acme.sql', 'local/seed/globex.sql', 'test/unit/cli/shop.sql'])

/** Alice pays back her own order 17, through acme-agent. */
const refund: Call = {
  tenant: 'acme',
  server: 'shop',
  tool: 'refund',
  arguments: json({ order: '17', amount: 20, currency: 'EUR', mode: 'now' }),
  subject: 'alice',
  roles: null,
  acr: null,
  loggedInSecondsAgo: null,
  client: 'acme-agent',
  senderConstrained: false,
  agent: null,
  scopes: null,
  network: { ip: null, country: null, asn: null },
  at: null,
  definition: 'pinned',
  history: [],
  result: null,
}
const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const granted = (more: object) => [
  json({
    type: 'mcp_tool',
    locations: ['http://localhost:8787/shop/mcp'],
    actions: ['refund'],
    ...more,
  }),
]
const find: Partial<Call> = {
  tool: 'find_orders',
  arguments: json({ email: 'bob@acme.example', filter: { state: 'open' } }),
}
const orders = (...listed: unknown[]): JsonObject => json({ structuredContent: { orders: listed } })

async function decided(sql: string, call: Partial<Call>): Promise<Decision> {
  const { database, refusals } = buildScratch([...BASE, { name: 'extra.sql', text: sql }])
  expect(refusals.map(({ message }) => message)).toEqual([])
  return decideCall(database, { ...refund, ...call })
}

const CONSENT_TO_READ = `INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
  VALUES ('acme', 'c2', '${ISSUER}', 'alice', 'acme-agent', 'shop', 'read');`
/** A row never changes but to be taken back, and of several the best one counts. */
const TAKE_BACK = 'UPDATE consents SET revoked_at = granted_at;'
const INSTEAD = (columns: string, values: string) =>
  `${TAKE_BACK} INSERT INTO consents (tenant, id, issuer, subject, client, server, ${columns})
  VALUES ('acme', 'c3', '${ISSUER}', 'alice', 'acme-agent', 'shop', ${values});`

const SIGNALS = (topic: string) => `
  INSERT INTO signal_streams (id, tenant, issuer, audience, max_silence_s, on_silence)
    VALUES ('idp', 'acme', '${ISSUER}', 'us', 3600, 'deny');
  INSERT INTO signal_states (tenant, kind, id, issuer, stream, topic, level, raised, event_at)
    VALUES ('acme', 'subject', 'alice', '${ISSUER}', 'idp', '${topic}', 'x', 1, unixepoch() * 1000 + 60000);`

const SHEET: readonly Row[] = [
  [
    'allowed',
    '',
    {},
    [
      'policy `sales-may-refund` allows',
      'policy `agents-may-shop` allows',
      `touches order \`17\` (in the arguments): internal, owner \`alice\` of ${ISSUER}, labels: source.confidential`,
      'consent: given; rows that could cover it: `c1` (access write)',
      /task `t1` \(orders\): tools shop\/\* demo\/get_\*, access read write, not approved, until 2100/,
      /its definition is pinned as [0-9a-f]{12}…, and was listed so/,
    ],
  ],
  [
    'revoked',
    "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'shop/refund');",
    {},
    ['the tool is revoked', 'policies were not asked', 'gates passed: none'],
  ],
  ['login_outdated', SIGNALS('login'), {}, ['a change (login) after this login']],
  ['signal_raised', SIGNALS('risk'), {}, ['something (risk)', 'policies were not asked']],
  [
    'signals_silent',
    `${SIGNALS('risk')} UPDATE signal_streams SET created_at = 0;`,
    {},
    ['was not heard for longer'],
  ],
  [
    'revoked',
    "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'task', 't1');",
    {},
    ['the task is revoked'],
  ],
  ['tenant_inactive', "UPDATE tenants SET active = 0 WHERE id = 'acme';", {}, ['switched off']],
  ['server_inactive', "UPDATE servers SET active = 0 WHERE name = 'shop';", {}, ['switched off']],
  ['client_unknown', '', { client: 'nobody' }, ['no row of `clients`']],
  ['client_inactive', "UPDATE clients SET active = 0 WHERE tenant = 'acme';", {}, ['switched off']],
  [
    'client_not_delegate',
    "UPDATE clients SET acts_for_users = 0 WHERE id = 'acme-agent';",
    {},
    ['may act for itself only', 'gates passed: nothing is revoked'],
  ],
  [
    'revoked',
    `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', 'token_session', 's-1', '${ISSUER}');`,
    { token: { ...SILENT, sessionId: 's-1' } },
    ['the login that the token is from is revoked'],
  ],
  [
    'revoked',
    `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'proof_key', '${THUMBPRINT}');`,
    { token: { ...SILENT, bindings: [{ kind: 'dpop', thumbprint: THUMBPRINT }] } },
    ['the key that the client proved to hold is revoked'],
  ],
  [
    'outside_authorization',
    '',
    { token: { ...SILENT, authorizationDetails: granted({ actions: ['find_orders'] }) } },
    ['no entry of the token', 'the scopes suffice', 'policies were not asked'],
  ],
  [
    'outside_authorization',
    '',
    { token: { ...SILENT, authorizationDetails: granted({ until: 'noon' }) } },
    ['something that is not known here'],
  ],
  [
    'allowed',
    '',
    { token: { ...SILENT, authorizationDetails: granted({ identifiers: ['order/17'] }) } },
    ['the token was granted for it'],
  ],
  ['agent_unknown', '', { agent: 'stranger' }, ['no row of `agents`']],
  ['agent_inactive', 'UPDATE agents SET active = 0;', { agent: 'mail-bot' }, ['switched off']],
  ['tool_unknown', '', { tool: 'refnd' }, ['no row of `tools` speaks of `refnd`']],
  ['tool_changed', '', { definition: 'changed' }, ['pin it again', /was listed otherwise at 20/]],
  ['tool_unverified', '', { definition: 'unseen' }, ['may have changed', 'was not seen lately']],
  [
    'target_unreadable',
    '',
    { arguments: json({ order: { id: 17 } }) },
    ['what stands at `/order` is no name'],
  ],
  [
    'target_of_another_tenant',
    `INSERT INTO servers (name, tenant, url) VALUES ('globex-shop', 'globex', 'https://Shop.example/mcp/');
     INSERT INTO resource_types (tenant, name) VALUES ('globex', 'order');
     INSERT INTO resources (tenant, type, id) VALUES ('globex', 'order', 'G1');
     ${ASK('condition', 'NULL')}`,
    { arguments: json({ order: 'G1' }) },
    [
      'another tenant of the same upstream has listed',
      'touches order `G1` (in the arguments): internal, listed by another tenant',
    ],
  ],
  [
    'consent_required',
    '',
    find,
    ['no row of `consents`', '`find_orders` (access read)', 'consent: missing'],
  ],
  [
    'consent_required',
    INSTEAD('access, granted_at, expires_at', "'write', 1600000000000, 1700000000000"),
    {},
    ['has expired', 'until 2023-11-14T22:13:20.000Z'],
  ],
  ['consent_required', TAKE_BACK, {}, ['taken back 20']],
  [
    'consent_required',
    INSTEAD('tool, definition_hash', `'refund', '${'0'.repeat(64)}'`),
    {},
    ['another definition', 'consent: outdated'],
  ],
  ['insufficient_scope', "UPDATE servers SET required_scope = 'shop';", { scopes: [] }, ['shop']],
  [
    'workload_without_scopes',
    `UPDATE servers SET required_scope = 'shop';
     INSERT INTO issuers (tenant, url, jwks_uri, kind) VALUES ('acme', 'spiffe://prod.example', 'https://prod.example/keys', 'workload');
     INSERT INTO clients (tenant, issuer, id) VALUES ('acme', 'spiffe://prod.example', 'spiffe://prod.example/job');`,
    { subject: 'spiffe://prod.example/job', client: 'spiffe://prod.example/job' },
    ['shop, and a trust domain of workloads grants none'],
  ],
  ...TASK_ROWS,
  [
    'not_allowed',
    '',
    { arguments: json({ order: '18', amount: 20, currency: 'EUR', mode: 'now' }) },
    [
      'no allow counts for the subject',
      '`sales-may-refund`: its condition is false',
      "touches order `18` (in the arguments): internal, unlisted and so nobody's",
    ],
  ],
  [
    'denied_by_policy',
    "INSERT INTO policies (tenant, id, effect, label) VALUES ('acme', 'never', 'deny', 'source.confidential');",
    {},
    ['policy `never` denies it for the subject'],
  ],
  [
    'insufficient_authentication',
    ASK('max_auth_age_s', "300, require_acr = 'mfa hwk'"),
    { acr: 'mfa', loggedInSecondsAgo: 301 },
    [
      'after a login with acr mfa or hwk, at most 300 s ago',
      'policy `sales-may-refund` allows it only with a login at most 300 s ago',
    ],
  ],
  [
    'binding_required',
    ASK('require_sender_constrained', '1'),
    {},
    ['bound to a key of the client'],
  ],
  [
    'approval_required',
    ASK('require_approval', '1'),
    {},
    [/^to be approved \(/, 'by policy `sales-may-refund`', 'only with the approval of a person'],
  ],
  [
    'denied_by_sequence',
    `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason)
     VALUES ('acme', 'once', 'deny', 'sink.update', 'temporal', '["source.bulk"]', 'r');`,
    {
      history: [
        {
          tool: 'search_customers',
          server: 'demo',
          arguments: json({}),
          secondsAgo: 9,
          outcome: 'committed',
          labels: [],
          resultRows: null,
          result: null,
        },
      ],
    },
    ['sequence rule `once` holds', '`once` holds (deny, r)'],
  ],
  [
    'result_withheld',
    `${CONSENT_TO_READ}
     INSERT INTO policies (tenant, id, effect, condition)
     VALUES ('acme', 'secret', 'deny', 'targets.exists(t, t.in_result && t.type == "order" && !t.listed)');`,
    { ...find, result: orders({ id: '17', class: 'public' }, { id: '99', class: 'internal' }) },
    [
      'the call was allowed and its result is not: policy `secret` denies it',
      "touches order `99` (in the result): internal, unlisted and so nobody's",
      'touches something that calls itself public (in the result): public',
    ],
  ],
]

describe('every refusal, in plain words that name the rows', () => {
  it.each(SHEET)('%s %#', async (reason, sql, call, says) => {
    const decision = await decided(sql, call)
    expect(decision.refusal?.reason ?? 'allowed').toBe(reason)
    const text = explain(decision).join('\n')
    const missing = says.filter((part) =>
      typeof part === 'string' ? !text.includes(part) : !part.test(text),
    )
    expect([missing, text]).toEqual([[], text])
  })

  it('is said of each that the core knows, but for those of a running session', () => {
    const said = new Set(SHEET.map(([reason]) => reason))
    expect([...said, ...OF_A_RUNNING_SESSION].toSorted()).toEqual(
      ['allowed', ...REASONS].toSorted(),
    )
  })
})

describe('what only watches', () => {
  it('is a shadow policy: what it would have changed', async () => {
    const decision = await decided(
      "INSERT INTO policies (tenant, id, effect, mode, tool) VALUES ('acme', 'try', 'deny', 'shadow', 'refund');",
      {},
    )
    expect([decision.refusal, decision.wouldBeReason]).toEqual([null, 'denied_by_policy'])
    const text = explain(decision).join('\n')
    expect(text).toContain(
      'with the shadow policies: denied (denied_by_policy): policy `try` denies',
    )
    expect(text).toContain('shadow policy `try` would deny')
  })

  it('is an observed server: gates, policies and sequence rules', async () => {
    const observe =
      "UPDATE servers SET observe_until = (unixepoch() + 86400) * 1000 WHERE name = 'shop';"
    const consent = await decided(observe, find)
    expect([consent.decision, consent.wouldBeReason]).toEqual(['allow', 'consent_required'])
    expect(explain(consent).join('\n')).toMatch(
      /if the server were enforced: denied \(consent_required\)[\s\S]*server `shop` is observed until 20/,
    )
    const rule = `${observe} INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason)
      VALUES ('acme', 'never', 'deny', 'sink.update', 'temporal', '["sink.update"]', 'r');`
    const sequence = await decided(rule, {})
    expect([sequence.decision, sequence.wouldBeReason]).toEqual(['allow', 'denied_by_sequence'])
    const border = await decided(observe, { arguments: json({ order: {} }) })
    expect(border.refusal?.reason).toBe('target_unreadable')
  })

  it('ends by itself', async () => {
    const ended = 'UPDATE servers SET observe_until = 1700000000000;'
    const decision = await decided(ended, find)
    expect(decision.refusal?.reason).toBe('consent_required')
    expect(explain(decision).join('\n')).toContain('was observed until 2023-11-14')
  })
})

describe('the clock of a call', () => {
  it('is what lapses by time compared with, tasks in SQL too', async () => {
    const sql = TASK('access', `'["read"]'`).replace('4102444800000', '1700000000000')
    const reason = async (at: number) => (await decided(sql, { at })).refusal?.reason ?? 'allowed'
    expect(await reason(1_700_000_000_000 - 1)).toBe('outside_task')
    expect(await reason(1_700_000_000_000)).toBe('allowed')
  })

  it('is what conditions see', async () => {
    const sql = `INSERT INTO policies (tenant, id, effect, condition)
      VALUES ('acme', 'night', 'deny', 'time.now.getHours() < 6');`
    const reason = async (time: string) =>
      (await decided(sql, { at: Date.parse(time) })).refusal?.reason ?? 'allowed'
    expect(await reason('2026-11-02T05:59:00Z')).toBe('denied_by_policy')
    expect(await reason('2026-11-02T06:00:00Z')).toBe('allowed')
  })
})
