import { describe, expect, it } from 'vitest'
import { compileArgumentCondition, compileCondition } from '../../../src/pdp/condition.ts'
import { evaluate } from '../../../src/pdp/evaluate.ts'
import type { EvaluationRequest, Facts } from '../../../src/pdp/evaluation.ts'
import { compilePolicies } from '../../../src/pdp/policy.ts'
import {
  facts,
  NOW,
  policy,
  request,
  roles,
  server,
  target,
  tool,
  task,
} from '../../support/pdp/build.ts'

const asked = (over: Partial<EvaluationRequest['context']> = {}): EvaluationRequest => {
  const plain = request({ agent: 'bot', acr: 'phr', senderConstrained: true }, { n: 5 })
  const network = { ip: '192.0.2.1', country: 'CH', asn: 64_496 }
  return { ...plain, context: { ...plain.context, network, ...over } }
}

const known: Facts = facts({
  agentActive: true,
  subjectRoles: [...roles('sales'), { role: 'gone', expiresAt: NOW }],
  agentRoles: roles('bots'),
  server: server({ name: 'crm' }),
  tool: tool({ labels: ['a.b'], access: 'write', environment: 'staging' }),
  targets: [
    target({
      id: 'a-1',
      owner: { issuer: 'https://issuer.example', id: 'alice' },
      labels: ['own.label'],
    }),
    target({ id: 'a-2', owner: { issuer: 'https://another.example', id: 'alice' } }),
    { ...target(null, 'confidential'), id: null, from: 'result' },
  ],
  tasks: [task({ agent: 'bot', purpose: 'tidy up', approved: true })],
})

/** Whether an allow with this condition counts. */
const holds = (
  condition: string,
  given = asked(),
  with_: Partial<Facts> = {},
): boolean | string => {
  const list = compilePolicies([policy({ id: 'x', agent: '*', condition })])
  const { refusal, matches } = evaluate(given, list, { ...known, ...with_ })
  return matches.find(({ error }) => error !== null)?.error ?? refusal === null
}

describe('what a condition sees', () => {
  it.each([
    'subject.id == "alice" && subject.kind == "user" && subject.issuer == "https://issuer.example"',
    'subject.roles == ["sales"] && agent.roles == ["bots"]',
    'subject.acr == "phr" && client.sender_constrained',
    'client.id == "acme-agent" && agent.id == "bot" && agent.present',
    'tool.name == "search" && tool.server == "crm" && tool.access == "write"',
    'tool.environment == "staging" && tool.labels == ["a.b", "own.label"]',
    'task.present && task.id == "t-1" && task.purpose == "tidy up" && task.approved',
    'network.ip == "192.0.2.1" && network.country == "CH" && network.asn == 64496',
    'network.asn in [64496, 64497] && network.asn + 1 == 64497',
    'time.now == timestamp("2027-01-15T08:00:00Z")',
    'time.now.getHours() == 8 && time.now.getHours("Europe/Zurich") == 9',
    'time.now.getDayOfWeek("America/Los_Angeles") == 5 && time.now.getFullYear() == 2027',
    'time.now > timestamp("2027-01-01T00:00:00Z") && time.now - duration("8h") < time.now',
    'targets.size() == 3 && targets[0].type == "account" && targets[0].id == "a-1"',
    'targets[0].listed && targets[0].owned && targets[0].owner == "alice"',
    'targets[1].listed && !targets[1].owned && targets[1].owner == "alice"',
    'targets[2].id == "" && !targets[2].listed && !targets[2].owned && targets[2].owner == ""',
    'targets[2].in_result && !targets[0].in_result && targets[2].labels == []',
    'targets[2].sensitivity == "confidential" && targets[0].sensitivity == "internal"',
    'targets.exists(t, t.owned && "own.label" in t.labels)',
    '!targets.all(t, t.sensitivity == "internal")',
    'targets.filter(t, t.in_result).size() == 1',
    'targets.map(t, t.id) == ["a-1", "a-2", ""]',
    'targets.exists_one(t, t.owned && t.id.startsWith("a"))',
    'args.n == 5',
    'glob(tool.name, "s*h")',
  ])('%s', (condition) => {
    expect(holds(condition)).toBe(true)
  })

  it('an owner is a person: a client of the same name owns nothing', () => {
    const workload = request({ subject: 'alice', client: 'alice', agent: 'bot' })
    expect(holds('!targets[0].owned', workload)).toBe(true)
  })

  it('what nobody said is empty, and no error', () => {
    const silent = request({}, { n: 5 })
    const nothing = { targets: [], tasks: [], agentActive: null }
    expect(
      holds(
        'subject.acr == "" && !agent.present && agent.id == "" && !task.present && task.id == "" && network.ip == "" && network.country == "" && network.asn == 0 && targets == []',
        silent,
        nothing,
      ),
    ).toBe(true)
  })

  it('a bound on all targets holds where there are none', () => {
    expect(holds('targets.all(t, t.owned)', asked(), { targets: [] })).toBe(true)
    expect(holds('targets.exists(t, t.owned)', asked(), { targets: [] })).toBe(false)
  })

  it('a zone that nobody knows is an error, never an hour', () => {
    expect(holds('time.now.getHours("Mars/Olympus") != 99')).toMatch(/\w/)
  })
})

describe('what does not compile', () => {
  it.each([
    ['a member that is not there', 'subject.tennant == "x"'],
    ['a member that is not there', 'client.name == "x"'],
    ['a member that is not there', 'agent.acr == ""'],
    ['a member that is not there', 'tool.class == "read"'],
    ['a member that is not there', 'task.bounds == []'],
    ['a member that is not there', 'network.city == ""'],
    ['a member that is not there', 'time.today == 1'],
    ['a member of an element that is not there', 'targets.all(t, t.tenant == "acme")'],
    ['a member of an element that is not there', 'targets[0].class == "x"'],
    ['a variable that is not there', 'session.id == ""'],
    ['a variable that is not there', 'now > 5'],
    ['a number for a text', 'network.asn == "64496"'],
    ['a text for a number', 'subject.id == 5'],
    ['a text for a bool', 'task.present == "true"'],
    ['a fraction for an integer', 'network.asn + 1.0 == 2.0'],
    ['a time that is a number', 'time.now > 5'],
    ['a label that is a number', '5 in tool.labels'],
    ['a text for a role', 'subject.roles == "admin"'],
    ['a target for a text', '"a-1" in targets'],
    ['what is no bool', 'targets'],
    ['what is no bool', 'time.now'],
    ['what is no bool', 'task'],
    ['a comprehension over a text', 'subject.id.all(c, c == "a")'],
  ])('%s: %s', (_, condition) => {
    expect(compileCondition(condition).ok).toBe(false)
  })

  it.each(['subject.id == "x"', 'targets.size() > 0', 'tool.name == "x"', 'time.now == time.now'])(
    'before anybody calls there are arguments and nothing else: %s',
    (condition) => {
      expect(compileArgumentCondition(condition).ok).toBe(false)
      expect(compileCondition(condition).ok).toBe(true)
    },
  )

  it.each([
    'targets.all(t, t.id in args.allowed)',
    'targets.exists(t, args.l.exists(x, x == t.id))',
    'args.l.all(x, targets.exists(t, t.id == x))',
    'targets.all(t, targets.exists(u, u.id == t.id))',
    'targets.map(t, t.id).all(i, i == "a")',
  ])('targets do not multiply with what a caller sends: %s', (condition) => {
    expect(compileCondition(condition)).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })
})

describe('what a listing cannot know', () => {
  it.each([
    ['args.n == 1', true, false],
    ['targets.size() == 0', true, false],
    ['targets.all(t, t.owned) && tool.name == "x"', true, true],
    ['tool.access == "read"', false, true],
    ['"a.b" in tool.labels', false, true],
    ['subject.id == "x" && time.now > timestamp("2026-01-01T00:00:00Z")', false, false],
    ['task.present && network.asn == 1', false, false],
  ])('%s: of the call %s, of the tool %s', (condition, readsCall, readsTool) => {
    expect(compileCondition(condition)).toMatchObject({ value: { readsCall, readsTool } })
  })
})
