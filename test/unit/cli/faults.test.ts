import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findProblems } from '../../../src/cli/check/checks.ts'
import { sqlSources } from '../../../src/cli/scratch/sources.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const FAULTS = path('faults')
const ACME = path('../../../local/seed/acme.sql')
const SHOP = path('shop.sql')

/** Each file has one fault, on top of the demo's rows and of a server whose tools are pinned. */
const CASES: readonly (readonly [file: string, code: string, line: number])[] = [
  ['own-transaction', 'sql_error', 1],
  ['another-database', 'sql_error', 2],
  ['misspelt-column', 'sql_error', 4],
  ['no-such-effect', 'sql_error', 2],
  ['no-such-table', 'sql_error', 1],
  ['tool-without-server', 'sql_error', 1],
  ['role-for-everybody', 'sql_error', 3],
  ['event-count-without-timespan', 'sql_error', 1],
  ['syntax-open-end', 'condition_syntax', 2],
  ['syntax-second-row', 'condition_syntax', 3],
  ['syntax-third-line', 'condition_syntax', 4],
  ['type-misspelt-attribute', 'condition_type', 2],
  ['type-unknown-variable', 'condition_type', 2],
  ['type-not-bool', 'condition_type', 2],
  ['type-number-for-text', 'condition_type', 2],
  ['forbidden-matches', 'condition_forbidden', 2],
  ['forbidden-nested', 'condition_forbidden', 2],
  ['forbidden-args-for-each', 'condition_forbidden', 2],
  ['errs-absent', 'warn_condition_errs', 2],
  ['errs-absent-nested', 'warn_condition_errs', 2],
  ['errs-arithmetic', 'warn_condition_errs', 2],
  ['unknown-server', 'unknown_server', 2],
  ['unknown-tool', 'unknown_tool', 2],
  ['unknown-tool-pattern', 'unknown_tool', 2],
  ['unknown-label', 'unknown_label', 2],
  ['unknown-label-in-rule', 'unknown_label', 3],
  ['unknown-role', 'warn_unknown_role', 2],
  ['unknown-client', 'unknown_client', 2],
  ['unknown-agent', 'unknown_agent', 2],
  ['unknown-issuer', 'unknown_issuer', 2],
  ['dead-policy', 'dead_policy', 3],
  ['dead-by-label', 'dead_policy', 3],
  ['shadowed-policy', 'shadowed_policy', 2],
  ['shadowed-deny', 'shadowed_policy', 2],
  ['duplicate-policy', 'duplicate_policy', 2],
  ['contradiction', 'contradiction', 2],
  ['wide-allow', 'wide_allow', 2],
  ['wide-allow-any-agent', 'wide_allow', 2],
  ['wide-allow-conditional', 'warn_wide_allow', 2],
  ['any-person', 'warn_any_person', 2],
  ['tool-pattern', 'warn_pattern_without_pin', 2],
  ['stream-keys-inside', 'stream_unusable', 2],
  ['stream-algorithm', 'stream_unusable', 2],
  ['stream-without-secret', 'sql_error', 1],
  ['stream-unknown-access', 'unknown_access', 2],
  ['stream-critical-member', 'warn_critical_member', 2],
  ['stream-never-silent', 'warn_silence_unnoticed', 2],
  ['stream-silent-between-polls', 'warn_silence_between_polls', 2],
  ['stream-tenant-unnamed', 'warn_tenant_unnamed', 2],
  ['stream-audience-shared', 'warn_audience_shared', 6],
  ['stream-silent', 'warn_silence_allowed', 2],
  ['stream-no-login', 'warn_raised_without_login', 2],
  ['alias-unused', 'warn_alias_unused', 2],
  ['rule-counts-too-far', 'sql_error', 1],
  ['rule-unknown-comparison', 'sequence_rule_unreadable', 2],
  ['rule-dead-on-label', 'sequence_rule_dead', 2],
  ['rule-dead-source', 'sequence_rule_dead', 2],
  ['rule-vacuous-own-label', 'sequence_rule_vacuous', 2],
  ['rule-vacuous-count', 'sequence_rule_vacuous', 2],
  ['rule-vacuous-absence', 'sequence_rule_vacuous', 2],
  ['rule-vacuous-group', 'sequence_rule_vacuous', 2],
  ['rule-unreachable-number', 'sequence_rule_dead', 2],
  ['rule-dead-unless', 'sequence_rule_dead', 2],
  ['rule-dead-access', 'sequence_rule_dead', 2],
  ['rule-dead-where', 'sequence_rule_dead', 2],
  ['rule-dead-field', 'sequence_rule_dead', 2],
  ['rule-dead-role', 'sequence_rule_dead', 2],
  ['rule-dead-chain', 'sequence_rule_dead', 2],
  ['rule-unknown-origin', 'sequence_rule_unreadable', 2],
  ['rule-waits-for-itself', 'sequence_rule_vacuous', 2],
  ['rule-without-key', 'warn_rule_without_key', 2],
  ['rules-contradict', 'sequence_rules_contradict', 3],
  ['rules-wait-for-each-other', 'sequence_rules_contradict', 3],
  ['rebuilt-table', 'revision_triggers', 3],
  ['dropped-trigger', 'revision_triggers', 5],
  ['surplus-trigger', 'revision_triggers', 1],
  ['server-in-the-house', 'server_url', 2],
  ['credential-unknown-issuer', 'credential_unusable', 2],
  ['credential-outlives-task', 'warn_credential_outlives_task', 2],
  ['credential-outlives-condition', 'warn_credential_outlives_task', 2],
  ['issuer-loopback', 'issuer_url', 2],
  ['issuer-shared-secret', 'issuer_algorithms', 2],
  ['issuer-introspection-inside', 'issuer_url', 2],
  ['issuers-both-opaque', 'sql_error', 1],
  ['client-not-delegate-consent', 'client_not_delegate', 3],
  ['client-not-delegate-policy', 'client_not_delegate', 3],
  ['client-not-delegate-task', 'client_not_delegate', 3],
  ['revocation-of-a-text', 'revocation_never_counts', 2],
  ['revocation-of-no-key', 'revocation_never_counts', 2],
  ['revocation-of-no-session', 'revocation_never_counts', 2],
  ['revocation-unknown-kind', 'sql_error', 1],
  ['issuer-introspects-without-secret', 'sql_error', 1],
  ['issuer-login-secret-without-client', 'sql_error', 1],
  ['issuer-access-logs-in', 'sql_error', 1],
  ['revocation-unknown-issuer', 'unknown_issuer', 2],
  ['revocation-key-of-any-issuer', 'warn_key_of_any_issuer', 2],
  ['revocation-unknown-client', 'warn_revocation_unknown', 2],
  ['revocation-unknown-tool', 'warn_revocation_unknown', 2],
  ['always-unequal', 'condition_never_matches', 2],
  ['never-beyond-double', 'condition_never_matches', 2],
  ['never-fraction-of-integer', 'condition_never_matches', 2],
  ['never-of-enum', 'condition_never_matches', 2],
  ['never-text-for-number', 'condition_never_matches', 2],
  ['never-type-int', 'condition_never_matches', 2],
  ['never-uint-in-list', 'condition_never_matches', 2],
  ['syntax-in-access', 'condition_syntax', 2],
  ['type-in-label', 'condition_type', 2],
  ['targets-missing', 'condition_without_targets', 2],
  ['pin-mismatch', 'pin_mismatch', 2],
  ['pin-of-another-tool', 'pin_mismatch', 2],
  ['pointer-bad-escape', 'pointer_malformed', 2],
  ['resource-label-malformed', 'resource_label', 2],
  ['resource-not-normal', 'resource_not_normal', 2],
  ['resource-pattern-not-normal', 'resource_not_normal', 2],
  ['shadowed-with-needs', 'shadowed_policy', 2],
  ['deny-that-asks', 'sql_error', 1],
  ['observed-too-long', 'sql_error', 1],
  ['resource-type-unknown', 'sql_error', 1],
  ['table-without-tenant', 'table_without_tenant', 2],
  ['task-unknown-access', 'unknown_access', 2],
  ['task-unknown-agent', 'unknown_agent', 2],
  ['task-unknown-data-class', 'unknown_data_class', 2],
  ['opener-unknown-client', 'unknown_client', 2],
  ['opener-unknown-agent', 'unknown_agent', 2],
  ['task-never-approved', 'warn_task_never_open', 3],
  ['unknown-argument', 'unknown_argument', 2],
  ['caller-unknown-client', 'unknown_client', 2],
  ['consent-unknown-client', 'unknown_client', 2],
  ['unknown-environment', 'unknown_environment', 2],
  ['resource-owner-unknown', 'unknown_issuer', 2],
  ['pointer-unknown', 'unknown_pointer', 2],
  ['pointer-unknown-in-result', 'unknown_pointer', 2],
  ['caller-unknown-server', 'unknown_server', 2],
  ['consent-unknown-tool', 'unknown_tool', 2],
  ['task-unknown-tool', 'unknown_tool', 2],
  ['caller-may-admit', 'warn_caller_may_admit', 2],
  ['errs-in-access', 'warn_condition_errs', 2],
  ['errs-in-label', 'warn_condition_errs', 2],
  ['errs-integer-arithmetic', 'warn_condition_errs', 2],
  ['errs-optional', 'warn_condition_errs', 2],
  ['errs-optional-parent', 'warn_condition_errs', 2],
  ['errs-variant', 'warn_condition_errs', 2],
  ['consent-unused', 'warn_consent_unused', 2],
  ['labels-unreviewed', 'warn_labels_unreviewed', 2],
  ['observed-in-the-past', 'warn_observed_server', 1],
  ['observed-server', 'warn_observed_server', 1],
  ['shadow-deny-only', 'warn_shadow_only', 2],
  ['shadow-only', 'warn_shadow_only', 2],
  ['targets-may-be-none', 'warn_targets_may_be_none', 2],
  ['task-expired', 'warn_task_expired', 2],
  ['tool-without-pin', 'warn_tool_without_pin', 4],
  ['unknown-argument-nested', 'warn_unknown_argument', 2],
  ['resource-label-unknown', 'warn_unknown_label', 2],
]

describe('a faulty migration', () => {
  it.each(CASES)('%s: %s on line %i, and nothing else', (file, code, line) => {
    const problems = findProblems(sqlSources([ACME, SHOP, `${FAULTS}/${file}.sql`]))
    expect(problems.map((one) => [basename(one.file), one.code, one.line])).toEqual([
      [`${file}.sql`, code, line],
    ])
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/[;,] /)])
  })

  it('has a line in this table for each file', () => {
    const files = readdirSync(FAULTS).map((file) => basename(file, '.sql'))
    expect(CASES.map(([file]) => file).toSorted()).toEqual(files.toSorted())
  })
})

describe('what is right', () => {
  it.each([[[]], [[ACME]], [[ACME, SHOP]], [[ACME, path('../../../local/seed/globex.sql')]]])(
    'has no problem: %j',
    (paths) => expect(findProblems(sqlSources(paths))).toEqual([]),
  )

  it('is a table that was rebuilt with its triggers', () => {
    const source = sqlSources([path('../../../migrations/0006_move_revision.sql')])[0]
    const triggers = (source?.text ?? '')
      .split(/(?=CREATE TRIGGER)/)
      .filter((text) => text.startsWith('CREATE TRIGGER revision_sequence_rules_'))
    const text = `CREATE TABLE rebuilt AS SELECT * FROM sequence_rules;
      DROP TABLE sequence_rules;
      ALTER TABLE rebuilt RENAME TO sequence_rules;
      ${triggers.join('')}`
    expect(triggers).toHaveLength(3)
    expect(findProblems([...sqlSources([ACME]), { name: 'rebuild.sql', text }])).toEqual([])
  })

  it('is a row that is switched off, whatever it says', () => {
    const text = `INSERT INTO policies (tenant, id, effect, server, condition, enabled)
      VALUES ('acme', 'x', 'allow', 'nowhere', 'no CEL', 0);`
    expect(findProblems([...sqlSources([ACME]), { name: 'off.sql', text }])).toEqual([])
  })

  /** Near to a fault, and none: a check that cries wolf is switched off. */
  it.each([
    [
      'an allow that asks for something else than a wider one',
      "'allow', 'sales', 'demo', 'export_customers', NULL, NULL, 1",
    ],
    [
      'a condition that guards what is optional',
      `'deny', 'sales', 'shop', 'refund', 'has(args.note) && args.note == "x"', NULL, 0`,
    ],
    [
      'a condition that asks for the type first',
      `'deny', 'sales', 'shop', 'refund', 'type(args.mode) == double && args.mode < 3.0', NULL, 0`,
    ],
    [
      'a member of an object that lists none',
      `'deny', 'sales', 'demo', 'echo', 'has(args.x) && has(args.x.y)', NULL, 0`,
    ],
    [
      'a value that the enum has',
      `'deny', 'sales', 'shop', 'refund', 'args.currency in ["euro", "USD"]', NULL, 0`,
    ],
    [
      'a whole number for an integer',
      `'deny', 'sales', 'shop', 'refund', 'has(args.count) && args.count == 3', NULL, 0`,
    ],
    [
      'a deny about targets of tools of which one names some',
      `'deny', 'sales', 'shop', NULL, 'targets.exists(t, !t.owned)', NULL, 0`,
    ],
    [
      'all targets, and at least one',
      `'allow', 'sales', 'shop', 'find_orders', 'targets.size() > 0 && targets.all(t, t.owned)', NULL, 0`,
    ],
  ])('is %s', (_, values) => {
    const text = `INSERT INTO policies (tenant, id, effect, role, server, tool, condition, require_acr, require_approval)
      VALUES ('acme', 'x', ${values});`
    const base = sqlSources([ACME, SHOP])
    // The wider row asks for an approval: only one that asks for no more covers another.
    const wider = "UPDATE policies SET require_acr = 'mfa' WHERE id = 'sales-may-export';"
    const sources = [...base, { name: 'wider.sql', text: wider }, { name: 'near.sql', text }]
    expect(findProblems(sources)).toEqual([])
  })

  it.each([
    ['path', '/srv/*', 1],
    ['url', 'https://example.com/*', 1],
    ['host', '*.example.com', 1],
    ['host', '10.0.0.*', 1],
    ['email', '*', 1],
    ['lower', 'a*b', 1],
    ['path', 'srv/a', 0],
    ['url', 'https://example.com/a?b', 0],
  ])('is a name of the form %s: %s', (form, id, pattern) => {
    const text = `INSERT INTO resource_types (tenant, name, form) VALUES ('acme', 'thing', '${form}');
      INSERT INTO resources (tenant, type, id, pattern) VALUES ('acme', 'thing', '${id}', ${pattern});`
    expect(findProblems([...sqlSources([ACME]), { name: 'names.sql', text }])).toEqual([])
  })
})
