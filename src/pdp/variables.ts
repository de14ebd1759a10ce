// Pure. What a condition can see: the variables by name and type, declared to the expression engine
// exactly as a decision supplies them. A condition on anything else does not compile.
import { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../mcp/value.ts'
import { parseGlob } from './glob.ts'
import type { Target } from './resources.ts'

/** `args` holds what the caller sent, so its members are untyped, and its numbers are doubles. */
export interface ConditionVariables {
  readonly subject: {
    readonly id: string
    readonly kind: 'user' | 'workload'
    readonly issuer: string
    readonly roles: readonly string[]
    /** '' where the token does not say. */
    readonly acr: string
  }
  readonly client: { readonly id: string; readonly sender_constrained: boolean }
  readonly agent: {
    readonly id: string
    readonly present: boolean
    readonly roles: readonly string[]
  }
  readonly tool: {
    readonly name: string
    readonly server: string
    readonly access: string
    readonly labels: readonly string[]
    readonly environment: string
  }
  readonly args: JsonObject
  readonly targets: readonly TargetVariable[]
  readonly task: {
    readonly present: boolean
    readonly id: string
    readonly purpose: string
    readonly approved: boolean
  }
  /** What the issuer told of the subject since the token was made; '' where it told nothing. */
  readonly signals: {
    readonly assurance: string
    readonly device: string
    readonly risk: string
    readonly claims: JsonObject
  }
  readonly network: { readonly ip: string; readonly country: string; readonly asn: bigint }
  readonly time: { readonly now: Date }
}

/** A class of its own, because the engine tells types apart by it. */
export class TargetVariable {
  readonly type: string
  /** '' where the call does not name it. */
  readonly id: string
  /** There is a row for it. */
  readonly listed: boolean
  /** It is the subject's own. */
  readonly owned: boolean
  /** '' where it is nobody's. */
  readonly owner: string
  readonly sensitivity: string
  readonly labels: readonly string[]
  /** It stands in the result, not in the arguments. */
  readonly in_result: boolean

  constructor(target: Target, owned: boolean) {
    this.type = target.type
    this.id = target.id ?? ''
    this.listed = target.row !== null
    this.owned = owned
    this.owner = target.row?.owner?.id ?? ''
    this.sensitivity = target.sensitivity
    this.labels = target.row?.labels ?? []
    this.in_result = target.from === 'result'
  }
}

const bounded = () =>
  new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: 200,
      maxDepth: 24,
      maxListElements: 64,
      maxMapEntries: 16,
      maxCallArguments: 8,
    },
  })
    .registerVariable({ name: 'args', type: 'map' })
    // In place of regular expressions: linear, whatever the pattern (glob.ts).
    .registerFunction('glob(string, string): bool', (text: string, pattern: string) =>
      parseGlob(pattern).matches(text),
    )

/** For what is known of a tool before anybody calls it: the arguments and nothing else. */
export const ARGUMENTS_ONLY = bounded()

export const WHOLE_CALL = bounded()
  .registerType({
    name: 'Target',
    ctor: TargetVariable,
    schema: {
      type: 'string',
      id: 'string',
      listed: 'bool',
      owned: 'bool',
      owner: 'string',
      sensitivity: 'string',
      labels: 'list<string>',
      in_result: 'bool',
    },
  })
  .registerVariable({
    name: 'subject',
    schema: {
      id: 'string',
      kind: 'string',
      issuer: 'string',
      roles: 'list<string>',
      acr: 'string',
    },
  })
  .registerVariable({ name: 'client', schema: { id: 'string', sender_constrained: 'bool' } })
  .registerVariable({
    name: 'agent',
    schema: { id: 'string', present: 'bool', roles: 'list<string>' },
  })
  .registerVariable({
    name: 'tool',
    schema: {
      name: 'string',
      server: 'string',
      access: 'string',
      labels: 'list<string>',
      environment: 'string',
    },
  })
  .registerVariable({ name: 'targets', type: 'list<Target>' })
  .registerVariable({
    name: 'task',
    schema: { present: 'bool', id: 'string', purpose: 'string', approved: 'bool' },
  })
  .registerVariable({
    name: 'signals',
    schema: { assurance: 'string', device: 'string', risk: 'string', claims: 'map' },
  })
  .registerVariable({ name: 'network', schema: { ip: 'string', country: 'string', asn: 'int' } })
  .registerVariable({ name: 'time', schema: { now: 'google.protobuf.Timestamp' } })
