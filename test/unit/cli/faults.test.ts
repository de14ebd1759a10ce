import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findProblems } from '../../../src/cli/check/checks.ts'
import { sqlSources } from '../../../src/cli/scratch/sources.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const FAULTS = path('faults')
const ACME = path('../../../local/seed/acme.sql')

/** Each file has one fault, on top of the demo's rows. */
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
  ['rule-counts-too-far', 'sequence_rule_unreadable', 2],
  ['rule-unknown-comparison', 'sequence_rule_unreadable', 2],
  ['rule-dead-on-label', 'sequence_rule_dead', 2],
  ['rule-dead-source', 'sequence_rule_dead', 2],
  ['rebuilt-table', 'revision_triggers', 3],
  ['dropped-trigger', 'revision_triggers', 5],
  ['surplus-trigger', 'revision_triggers', 1],
  ['server-in-the-house', 'server_url', 2],
  ['issuer-loopback', 'issuer_url', 2],
  ['issuer-shared-secret', 'issuer_algorithms', 2],
]

describe('a faulty migration', () => {
  it.each(CASES)('%s: %s on line %i, and nothing else', (file, code, line) => {
    const problems = findProblems(sqlSources([ACME, `${FAULTS}/${file}.sql`]))
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
  it.each([[[]], [[ACME]], [[ACME, path('../../../local/seed/globex.sql')]]])(
    'has no problem: %j',
    (paths) => expect(findProblems(sqlSources(paths))).toEqual([]),
  )

  it('is a table that was rebuilt with its triggers', () => {
    const source = sqlSources([path('../../../migrations/0005_move_revision.sql')])[0]
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
})
