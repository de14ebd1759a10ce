import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { runCases } from '../../../src/cli/call/test-command.ts'
import { findProblems } from '../../../src/cli/check/checks.ts'
import { sqlSources } from '../../../src/cli/scratch/sources.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const ACME = 'local/seed/acme.sql'
const FAULTS = 'test/unit/cli/faults'
const folder = mkdtempSync(join(tmpdir(), 'policy-commands-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function policy(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('node', ['src/cli/policy.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

function caseFile(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

const bobReads = {
  name: 'bob reads',
  tenant: 'acme',
  server: 'demo',
  tool: 'get_customer',
  subject: { id: 'bob' },
  client: 'acme-agent',
  expect: 'allow',
}
const policies = [join(ROOT, ACME)]

describe('policy check', () => {
  it('is ok with what is right', () => {
    const { status, stdout } = policy('check', ACME, '--json')
    expect([status, JSON.parse(stdout)]).toEqual([0, { ok: true, problems: [] }])
  })

  it('has the fields of the contract, in its order', () => {
    const { status, stdout } = policy('check', ACME, `${FAULTS}/syntax-third-line.sql`, '--json')
    const report = JSON.parse(stdout) as { ok: boolean; problems: Record<string, unknown>[] }
    expect([status, report.ok]).toEqual([1, false])
    expect(Object.keys(report.problems[0] ?? {})).toEqual(
      'code file table row line column message'.split(' '),
    )
    expect(report.problems[0]).toMatchObject({
      file: `${FAULTS}/syntax-third-line.sql`,
      table: 'policies',
      row: 'acme/x',
      line: 4,
    })
  })

  it('stays ok with warnings, and says them', () => {
    const { status, stderr, stdout } = policy('check', ACME, `${FAULTS}/tool-pattern.sql`)
    expect(status).toBe(0)
    expect(stderr).toMatch(
      /tool-pattern\.sql:2:\d+: warn_pattern_without_pin: tools acme\/demo\/\*/,
    )
    expect(stdout).toMatch(/^ok: 2 files on top of \d+ migrations, 0 errors, 1 warning\n$/)
  })

  it('keeps quiet about what a refused statement leaves open', () => {
    const path = join(folder, 'refused.sql')
    writeFileSync(
      path,
      `INSERT INTO servers (name, tenant, url) VALUES ('crm', 'acme', 'ftp://crm');
       INSERT INTO policies (tenant, id, effect, role, server) VALUES ('acme', 'x', 'allow', 'sales', 'crm');`,
    )
    const { stdout } = policy('check', ACME, path, '--json')
    const { problems } = JSON.parse(stdout) as { problems: { code: string }[] }
    expect(problems.map(({ code }) => code)).toEqual(['sql_error'])
  })
})

/** What an example shows on purpose, and is told of. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  'multi-tenant-saas': ['warn_observed_server'],
}

describe('policy test', () => {
  const sets = readdirSync(join(ROOT, 'examples/policies'))
  it.each(sets)('the example %s is in order, and does what its cases say', async (name) => {
    // In this process: that the commands print and exit as they should is seen elsewhere.
    const set = join(ROOT, 'examples/policies', name)
    const found = findProblems(sqlSources([set])).map(({ code }) => code)
    expect(found).toEqual(SAID[name] ?? [])
    expect(await runCases([join(set, 'cases.json')])).toMatchObject({ failed: 0, failures: [] })
  })

  it('explains a case that fails', () => {
    const cases = [bobReads, { ...bobReads, tool: 'export_customers' }]
    const { status, stdout, stderr } = policy('test', caseFile('fails.json', { policies, cases }))
    expect([status, stdout]).toEqual([1, '1 passed, 1 failed\n'])
    expect(stderr).toContain('expected allow, got deny (not_allowed)')
    expect(stderr).toContain('no allow counts for the subject')
  })

  it.each([
    ['the reason', { expect: 'deny', reason: 'revoked', tool: 'send_email' }],
    ['the row', { policy: 'admin-may-all' }],
    ['the outcome', { expect: 'deny' }],
    ['roles of its own', { subject: { id: 'bob', roles: [] } }],
    ['scopes of its own', { scopes: [] }],
  ])('compares %s', (_, fields) => {
    const path = caseFile('one.json', { policies, cases: [{ ...bobReads, ...fields }] })
    expect(JSON.parse(policy('test', path, '--json').stdout)).toMatchObject({ failed: 1 })
  })

  it('says which field is wrong, without a stack', () => {
    const path = caseFile('slip.json', { policies, cases: [{ ...bobReads, polcy: 'x' }] })
    const { status, stderr } = policy('test', path)
    expect(status).toBe(1)
    expect(stderr).toMatch(/slip\.json: case 1 \(bob reads\): no field is named `polcy`\n$/)
  })
})

describe('policy explain', () => {
  const ask = (tool: string, subject: string, ...more: string[]) =>
    policy(
      ...`explain --tenant acme --server demo --client acme-agent ${ACME}`.split(' '),
      ...`--tool ${tool} --subject ${subject}`.split(' '),
      ...more,
    ).stdout

  it('names what allows, for each pass', () => {
    const said = ask('get_customer', 'bob')
    expect(said).toMatch(/^allowed\n/)
    expect(said).toContain('policy `support-may-read` allows')
    expect(said).toContain('policy `agents-may-act` allows')
  })

  it('names the nearest allow and the column on which it failed', () => {
    const said = ask('update_customer', 'bob', '--args', '{"fields":{"stage":"closed"}}')
    expect(said).toContain('`support-may-update-open`: its condition is false')
    expect(ask('export_customers', 'bob')).toContain(
      '`support-may-read`: access is `read`, not `export`',
    )
  })

  it('stops at the gate that refuses', () => {
    const said = ask('no_such_tool', 'bob')
    expect(said).toContain('denied (tool_unknown)')
    expect(said).toContain('policies were not asked')
  })

  it('names the sequence rules that the labels call up', () => {
    expect(ask('export_customers', 'alice')).toContain(
      'sequence rules asked: `no-export-after-broad-read`',
    )
  })
})

describe('mistakes at the keyboard', () => {
  it.each([
    [[], /^usage: /],
    [['toString'], /^usage: /],
    [['check', '--jsn'], /--jsn/],
    [['check', 'nowhere.sql'], /no such file or folder: `nowhere\.sql`/],
    [['explain', '--tenant', 'acme'], /^explain needs --server --tool --subject --client/],
  ])('%j', (args, message) => {
    const { status, stdout, stderr } = policy(...args)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})
