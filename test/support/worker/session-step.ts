import {
  SESSION_PROTOCOL,
  type AdmitRequest,
  type FlowOfCall,
  type ObservedMessage,
  type Outcome,
  type OutcomeState,
  type ToolLabels,
} from '../../../src/durable-objects/session-protocol.ts'
import { NOTHING_ASKED } from '../../../src/pdp/provenance/asked.ts'
import type { ArgumentValue } from '../../../src/pdp/provenance/arguments.ts'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'

/** A rule with what matters to a test; the rest as a row has it by default. */
export const rule = (
  row: Pick<SequenceRuleRow, 'id' | 'onLabel' | 'type'> & Partial<SequenceRuleRow>,
): SequenceRuleRow => ({
  effect: 'deny',
  onAccess: null,
  unlessLabel: null,
  onWhere: null,
  rules: '[]',
  groupBy: '[]',
  scope: 'subject',
  timespanSeconds: null,
  untilLabel: null,
  field: null,
  condition: null,
  role: null,
  origins: null,
  reason: row.id,
  ...row,
})

export interface StepOptions extends Partial<Omit<AdmitRequest, 'flow' | 'rows'>> {
  readonly labels?: readonly string[]
  /** null: only after the session has asked for them. */
  readonly rules?: readonly SequenceRuleRow[] | null
  readonly revision?: string
  readonly tools?: readonly ToolLabels[]
  readonly server?: string
  readonly tool?: string
  readonly flow?: Partial<FlowOfCall>
}

/** A call as a Worker would bring it. */
export function admission(options: StepOptions = {}): AdmitRequest {
  const { labels = [], rules = [], revision, tools = [], flow, server = 'demo', ...more } = options
  const { tool = 'work', ...rest } = more
  return {
    version: SESSION_PROTOCOL,
    decision: crypto.randomUUID(),
    columns: {
      tenant: 'acme',
      session: 's',
      issuer: 'https://issuer.example',
      subject: 'alice',
      client: 'acme-agent',
      agent: null,
      server,
      method: 'tools/call',
      tool,
    },
    actorKey: '["acme-agent",null]',
    inputs: '{"request":{}}',
    argumentsKey: '',
    callsPerMinute: 1_000_000,
    observed: false,
    possession: null,
    rulesKey: revision ?? JSON.stringify(rules),
    labelsKey: 'labels',
    rows: rules === null ? null : { rules, tools },
    ...rest,
    flow: {
      tool,
      access: 'write',
      labels,
      ofResources: [],
      task: null,
      values: [],
      asked: NOTHING_ASKED,
      ownDomains: [],
      ...flow,
    },
  }
}

export const value = (
  role: string,
  text: string,
  more: Partial<ArgumentValue> = {},
): ArgumentValue => ({ role, type: null, text, shape: 'other', amount: null, ...more })

export const outcome = (
  decision: string,
  state: OutcomeState = 'committed',
  more: Partial<Outcome> = {},
): Outcome => ({
  version: SESSION_PROTOCOL,
  tenant: 'acme',
  decision,
  state,
  detail: 'test',
  unread: false,
  ...more,
})

export const message = (
  decision: string,
  more: Partial<ObservedMessage> = {},
): ObservedMessage => ({
  version: SESSION_PROTOCOL,
  decision,
  answer: true,
  rows: 0,
  labels: [],
  listed: [],
  fields: [],
  mentions: [],
  overflow: false,
  ...more,
})
