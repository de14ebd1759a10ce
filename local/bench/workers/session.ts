import { Session } from '../../../src/durable-objects/session.ts'
import {
  SESSION_PROTOCOL,
  type AdmitRequest,
} from '../../../src/durable-objects/session-protocol.ts'
import { afterGrant, compileRules, judge } from '../../../src/pdp/sequence/advance.ts'
import { MemoryInProcess } from '../../../src/pdp/sequence/memory-in-process.ts'
import { NOTHING_ASKED } from '../../../src/pdp/provenance/asked.ts'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'

/**
 * The session step alone: a call, five hundred rules on its label and a durable write. Histories are
 * made by the same steps, so that nothing is measured that could not have come about.
 */
export class BenchSession extends Session {
  constructor(context: DurableObjectState, env: Env) {
    // Shipping goes on beside the calls, and is not what is measured.
    super(context, { ...env, DECISIONS: NOWHERE })
  }
}

const NOWHERE = {
  prepare: () => ({ bind: () => ({}) }),
  batch: () => Promise.resolve([]),
} as unknown as D1Database

const LABELS = ['sink.update', 'source.read'] as const

const row = (number: number): SequenceRuleRow => ({
  id: `bench-${number}`,
  effect: 'deny',
  onLabel: 'sink.update',
  onAccess: null,
  unlessLabel: null,
  onWhere: null,
  ...KINDS[number % KINDS.length]!(number),
  groupBy: '[]',
  scope: 'subject',
  untilLabel: null,
  role: null,
  origins: null,
  reason: 'bench',
})

type Kind = Pick<SequenceRuleRow, 'type' | 'rules' | 'timespanSeconds' | 'field' | 'condition'>
const KINDS: readonly ((number: number) => Kind)[] = [
  (number) => ({
    type: 'temporal',
    rules: JSON.stringify([`source.r${number}`, 'source.read']),
    timespanSeconds: 600,
    field: null,
    condition: null,
  }),
  (number) => ({
    type: 'temporal_ordered',
    rules: JSON.stringify(['source.read', `source.r${number}`]),
    timespanSeconds: 600,
    field: null,
    condition: null,
  }),
  () => ({
    type: 'event_count',
    rules: '["sink.other"]',
    timespanSeconds: 600,
    field: null,
    condition: '{"gt":10}',
  }),
]

/** Few rows, and five hundred of them; with sums and distinct values among them. */
const rules = Array.from({ length: 500 }, (_, number) => row(number))

const step = (session: string): AdmitRequest => ({
  version: SESSION_PROTOCOL,
  decision: crypto.randomUUID(),
  columns: {
    tenant: 'acme',
    session,
    issuer: 'https://issuer.example',
    subject: 'bench',
    client: 'bench',
    agent: null,
    server: 'crm',
    method: 'tools/call',
    tool: 'work',
  },
  actorKey: '["bench",null]',
  inputs: '{"request":{}}',
  argumentsKey: '',
  callsPerMinute: 1_000_000_000,
  observed: false,
  possession: null,
  rulesKey: 'bench',
  labelsKey: 'bench',
  rows: null,
  flow: {
    tool: 'work',
    access: 'write',
    labels: LABELS,
    ofResources: [],
    task: null,
    values: [{ role: 'target', type: null, text: 'a', shape: 'other', amount: null }],
    asked: NOTHING_ASKED,
    ownDomains: [],
  },
})

interface BenchEnv {
  readonly SESSIONS: DurableObjectNamespace<BenchSession>
}

/** Admits and settles, as a Worker would. */
async function one(env: BenchEnv, name: string): Promise<void> {
  const session = env.SESSIONS.getByName(name)
  const request = step(name)
  let answer = await session.admit(request)
  if (answer.kind === 'rules_needed') {
    answer = await session.admit({ ...request, rows: { rules, tools: [] } })
  }
  if (answer.kind !== 'admitted') throw new Error(JSON.stringify(answer))
}

/** The evaluation of the rules alone; whoever asks takes the time. */
function evaluate(length: number, times: number, on: number): string {
  const spread = rules.map((one, at) => (at < on ? one : { ...one, onLabel: `sink.l${at}` }))
  const set = compileRules('bench', spread)
  const memory = new MemoryInProcess()
  const at = (sequence: number) => ({
    ...step(''),
    ...step('').flow,
    server: 'crm',
    taskKey: null,
    labels: LABELS,
    now: { sequence, at: sequence },
    values: [],
  })
  for (let n = 1; n <= length; n += 1) memory.apply(afterGrant(set, memory, at(n)))
  const now = at(length + 1)
  let hits = 0
  for (let n = 0; n < times; n += 1) hits += judge(set, memory, now).length
  return String(hits)
}

export default {
  async fetch(request: Request, env: BenchEnv): Promise<Response> {
    const url = new URL(request.url)
    const name = url.searchParams.get('session') ?? 'bench'
    const calls = Number(url.searchParams.get('calls') ?? 1)
    if (url.pathname === '/evaluate') {
      return new Response(
        evaluate(Number(url.searchParams.get('length')), calls, Number(url.searchParams.get('on'))),
      )
    }
    if (url.pathname === '/retell') {
      // The labels of a tool have changed: the history is told anew before this call.
      const session = env.SESSIONS.getByName(name)
      const labelsKey = crypto.randomUUID()
      const tools = [
        { tool: ['crm', 'work'] as const, certain: [...LABELS], possible: [], gone: false },
      ]
      await session.admit({ ...step(name), labelsKey, rows: { rules, tools } })
      return new Response('"done"')
    }
    const clients = Math.min(calls, Number(url.searchParams.get('clients') ?? 1))
    let left = calls
    const client = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        // oxlint-disable-next-line no-await-in-loop
        await one(env, name)
      }
    }
    await Promise.all(Array.from({ length: clients }, client))
    return new Response('"done"')
  },
}
