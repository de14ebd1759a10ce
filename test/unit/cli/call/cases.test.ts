import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCases } from '../../../../src/cli/call/test-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'policy-cases-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const EXTRA = `
  UPDATE policies SET require_acr = 'mfa', max_auth_age_s = 300 WHERE id = 'sales-may-refund';
  INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
    ('acme', 'abroad', 'deny', 'refund', 'network.country != "DE" || network.asn != 64496 || network.ip == ""'),
    ('acme', 'unbound', 'deny', 'refund', '!client.sender_constrained'),
    ('acme', 'secret', 'deny', 'find_orders', 'targets.exists(t, t.sensitivity == "restricted")'),
    ('acme', 'away', 'deny', 'refund', 'has(signals.claims.away) && signals.risk == "LOW"'),
    ('acme', 'weekend', 'deny', 'refund', 'time.now.getDayOfWeek() in [0, 6]');
  INSERT INTO policies (tenant, id, effect, mode, tool, condition)
    VALUES ('acme', 'try', 'deny', 'shadow', 'refund', 'args.amount > 10.0');
  INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
    VALUES ('acme', 'c2', 'https://issuer.example', 'alice', 'acme-agent', 'shop', 'read');
  UPDATE policies SET condition = NULL WHERE id = 'sales-may-find';
  UPDATE servers SET required_scope = 'shop' WHERE name = 'shop';`

/** Everything that a case can say, and all of it is needed for the answer. */
const FULL = {
  name: 'alice pays back',
  rationale: 'as a whole',
  tenant: 'acme',
  server: 'shop',
  tool: 'refund',
  arguments: { order: '17', amount: 20, currency: 'EUR', mode: 'now' },
  subject: { id: 'alice', acr: 'mfa', logged_in_seconds_ago: 100 },
  client: 'acme-agent',
  sender_constrained: true,
  network: { ip: '203.0.113.7', country: 'DE', asn: 64496 },
  at: '2026-11-02T10:00:00Z',
  definition: 'pinned',
  expect: 'allow',
  reason: 'allowed',
  policy: 'sales-may-refund',
  would_be: 'denied_by_policy',
  record: {
    request: { context: { network: { asn: 64496 } } },
    facts: { targets: [{ row: { owner: { id: 'alice' } } }], revocations: [] },
    matches: [{ id: 'try' }, { id: 'sales-may-refund' }],
  },
}

const found = (...orders: unknown[]) => ({ structuredContent: { orders } })
const SEARCH = {
  ...FULL,
  tool: 'find_orders',
  arguments: { filter: {} },
  would_be: null,
  policy: 'sales-may-find',
  record: {},
}

async function run(...cases: unknown[]) {
  const path = join(folder, 'cases.json')
  writeFileSync(join(folder, 'extra.sql'), EXTRA)
  const policies = ['local/seed/acme.sql', 'test/unit/cli/shop.sql'].map((file) => resolve(file))
  writeFileSync(path, JSON.stringify({ policies: [...policies, 'extra.sql'], cases }))
  return runCases([path])
}

describe('a case', () => {
  it('passes where all of it is as it says', async () => {
    const { failures, passed } = await run(FULL, SEARCH)
    expect([failures, passed]).toEqual([[], 2])
  })

  it.each([
    ['the class of the login', { subject: { ...FULL.subject, acr: 'pwd' } }, /insufficient_auth/],
    ['its age', { subject: { ...FULL.subject, logged_in_seconds_ago: 301 } }, /insufficient_auth/],
    ['the binding', { sender_constrained: false }, /denied_by_policy/],
    ['the address', { network: { ...FULL.network, ip: null } }, /denied_by_policy/],
    ['the country', { network: { ...FULL.network, country: 'US' } }, /denied_by_policy/],
    ['the network', { network: { ...FULL.network, asn: 1 } }, /denied_by_policy/],
    ['the time', { at: '2026-11-01T10:00:00Z' }, /denied_by_policy/],
    ['the definition', { definition: 'changed' }, /tool_changed/],
    ['its absence', { definition: 'unseen' }, /tool_unverified/],
    ['the outcome', { expect: 'approve' }, /expected approve, got allow/],
    ['what only watches', { would_be: null }, /expected would_be null, got denied_by_policy/],
    ['what would have been', { would_be: 'not_allowed' }, /expected would_be not_allowed/],
    [
      'a value in the record',
      { record: { facts: { targets: [{ id: '18' }] } } },
      /the inputs of the record to contain `facts\.targets` as \[\{"id":"18"\}\], it has \[\{/,
    ],
    ['an empty list in the record', { record: { matches: [] } }, /contain `matches` as \[\]/],
    ['a member of the record', { record: { facts: { nothing: 1 } } }, /`facts\.nothing` as 1/],
  ])('fails with another: %s', async (_, changed, message) => {
    const { failures } = await run({ ...FULL, ...changed })
    expect(failures).toEqual([expect.objectContaining({ message: expect.stringMatching(message) })])
  })

  const low = { level: 'LOW', raised: false }
  it.each([
    ['a risk', { risk: { level: 'HIGH' } }, 'signal_raised'],
    ['a risk that is over', { risk: low }, 'allowed'],
    [
      'a device, for other classes',
      { device: { level: 'x', raised_access: ['admin'] } },
      'allowed',
    ],
    [
      'a device that this login overcomes',
      { device: { level: 'x', seconds_ago: 101, raised_acr: 'pwd mfa' } },
      'allowed',
    ],
    [
      'a device after this login',
      { device: { level: 'x', seconds_ago: 99, raised_acr: 'pwd mfa' } },
      'login_outdated',
    ],
    ['a new password', { login: { level: 'update', seconds_ago: 99 } }, 'login_outdated'],
    ['an older one', { login: { level: 'update', seconds_ago: 101 } }, 'allowed'],
    ['a scope that is gone', { claims: { scope: '' } }, 'insufficient_scope'],
    ['silence', { silent: true }, 'signals_silent'],
    ['what a condition asks for', { claims: { away: true }, risk: low }, 'denied_by_policy'],
  ])('may say what streams told: %s', async (_, signals, reason) => {
    const expected = reason === 'allowed' ? 'allow' : 'deny'
    const one = { ...FULL, signals, expect: expected, reason, scopes: ['shop'] }
    const whole = { ...one, policy: null, would_be: undefined, record: {} }
    expect((await run(whole)).failures).toEqual([])
  })

  it.each([
    ['what may be seen', found({ id: '17', class: 'public' }), 'allowed'],
    ['nothing', found(), 'allowed'],
    ['a class that is not for alice', found({ id: '17', class: 'restricted' }), 'result_withheld'],
    ['a class that nobody knows', found({ id: '17', class: 'secret' }), 'result_withheld'],
    ['prose', { content: [{ type: 'text', text: 'order 17' }] }, 'result_withheld'],
    ['JSON in a text', { content: [{ type: 'text', text: '{"orders":[]}' }] }, 'allowed'],
  ])('may be about a result that holds %s', async (_, result, reason) => {
    const expected = reason === 'allowed' ? 'allow' : 'deny'
    const one = { ...SEARCH, result, expect: expected, reason, policy: null }
    expect((await run(one)).failures).toEqual([])
  })

  it.each([
    [{ network: { contry: 'DE' } }, /network: no field is named `contry`/],
    [{ at: 'yesterday' }, /`at` must be a time such as "2026-11-02T09:30:00Z"/],
    [{ at: '2026-11-02T09:30:00' }, /`at` must be a time/],
    [{ definition: 'other' }, /`definition` must be "pinned" or "changed" or "unseen"/],
    [{ signals: { riks: {} } }, /signals: no field is named `riks`/],
    [{ signals: { risk: { level: 7 } } }, /signals: risk: `level` must be a text/],
    [{ expect: 'permit' }, /`expect` must be "allow" or "deny" or "approve"/],
    [{ sender_constrained: 'yes' }, /`sender_constrained` must be true or false/],
    [{ result: [] }, /`result` must be an object/],
    [{ history: [{ tool: 'refnd' }] }, /history: no row of `tools` speaks of `refnd`/],
  ])('that says %j is refused', async (changed, message) => {
    await expect(run({ ...FULL, ...changed })).rejects.toThrow(message)
  })
})

describe('history', () => {
  it('counts what the arguments of those calls made of them', async () => {
    const rule = `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason)
      VALUES ('acme', 'after', 'deny', 'sink.update', 'temporal', '["source.special"]', 'r');
      INSERT INTO tool_labels (tenant, server, tool, label, condition)
      VALUES ('acme', 'demo', 'echo', 'source.special', 'has(args.text) && args.text == "x"');`
    writeFileSync(join(folder, 'rule.sql'), `${EXTRA}${rule}`)
    const policies = ['local/seed/acme.sql', 'test/unit/cli/shop.sql'].map((file) => resolve(file))
    const echo = (text: string) => ({ tool: 'echo', server: 'demo', arguments: { text } })
    const denied = {
      ...FULL,
      name: 'after x',
      history: [echo('x')],
      expect: 'deny',
      reason: 'denied_by_sequence',
      policy: 'after',
    }
    const cases = [denied, { ...FULL, name: 'after y', history: [echo('y')] }]
    const path = join(folder, 'history.json')
    const would = cases.map((one) => ({ ...one, would_be: undefined, record: undefined }))
    writeFileSync(path, JSON.stringify({ policies: [...policies, 'rule.sql'], cases: would }))
    expect((await runCases([path])).failures).toEqual([])
  })
})
