// Histories and rules as fast-check makes them up: few labels, values and seconds, so that they meet.
import fc from 'fast-check'
import type { NaiveRule, NaiveValue } from './naive.ts'
import type { TwinCall, TwinMessage, TwinRule, Twins } from './twins.ts'

export const LABELS = ['source.a', 'source.b', 'sink.x', 'sink.y', 'endorse.z'] as const

const label = fc.constantFrom<string>(...LABELS)
const text = fc.constantFrom('1', '2', '5', 'p@in.example', 'q@out.example')

const amount = fc.constantFrom(null, 1, 2, 5, -3, 40)

export const value: fc.Arbitrary<NaiveValue> = fc.oneof(
  fc.record({
    role: fc.constantFrom('target', 'resource', 'amount'),
    type: fc.constantFrom(null, null, 'customer', 'order'),
    text,
    name: fc.constant(null),
    amount,
  }),
  // The same name of two kinds of thing, and two names of one kind that are one text.
  fc.record({
    role: fc.constantFrom('resource', 'target'),
    type: fc.constantFrom('customer', 'order'),
    text: fc.constantFrom('1', '2'),
    name: fc.constantFrom(null, 'aBc', 'AbC'),
    amount,
  }),
)

export const call: fc.Arbitrary<TwinCall> = fc.record({
  actor: fc.constantFrom('one', 'two'),
  task: fc.constantFrom(null, null, 'task', 'other'),
  server: fc.constantFrom('files', 'mail'),
  tool: fc.constantFrom('get', 'put'),
  access: fc.constantFrom('read', 'write'),
  labels: fc.uniqueArray(label, { minLength: 1, maxLength: 3 }),
  values: fc.oneof(
    { weight: 20, arbitrary: fc.array(value, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
})

const WHERES: readonly (readonly [NonNullable<NaiveRule['where']>, Record<string, unknown>])[] = [
  [
    { role: 'target', test: ({ text: one }) => !one.endsWith('@in.example') },
    { not_suffix: '@in.example' },
  ],
  [{ role: 'resource', test: ({ text: one }) => ['1', '2'].includes(one) }, { in: ['1', '2'] }],
  [{ role: 'amount', test: ({ amount }) => amount === null || amount > 2 }, { gt: 2 }],
]

const COUNTING: ReadonlySet<string> = new Set(['event_count', 'value_count', 'value_sum'])

const rule: fc.Arbitrary<TwinRule> = fc
  .record({
    onLabel: fc.oneof(label, fc.constant('any')),
    access: fc.constantFrom<NaiveRule['access']>(null, null, null, ['write']),
    unless: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: label }),
    where: fc.constantFrom(null, null, null, ...WHERES),
    type: fc.constantFrom(
      'temporal',
      'temporal_ordered',
      'event_count',
      'value_count',
      'value_sum',
      'absence',
    ),
    labels: fc.uniqueArray(label, { minLength: 1, maxLength: 3 }),
    by: fc.constantFrom<string[]>(
      [],
      [],
      ['tool'],
      ['server'],
      ['resource'],
      ['resource'],
      ['tool', 'target'],
      ['order'],
    ),
    scope: fc.constantFrom('subject', 'actor', 'task'),
    seconds: fc.constantFrom(2, 90, 90, 1_000, 20_000, 100_000),
    endless: fc.boolean(),
    until: fc.constantFrom(null, 'endorse.z', 'sink.y'),
    field: fc.constantFrom('target', 'amount', 'amount', 'customer', 'result_rows', 'result_rows'),
    condition: fc.constantFrom<NonNullable<NaiveRule['condition']>>(
      { gt: 0 },
      { gt: 2 },
      { gte: 2 },
      { gte: 5 },
      { gt: 1, lt: 4 },
      { lt: 2 },
      { lte: 1 },
    ),
  })
  .map(({ endless, where, labels, scope, condition, field, ...rest }): TwinRule => {
    const counts = COUNTING.has(rest.type)
    const asksForLess = 'lt' in condition || 'lte' in condition
    const byValue = rest.type === 'value_count' || rest.type === 'value_sum'
    return {
      plain: {
        ...rest,
        id: '',
        where: where?.[0] ?? null,
        labels: counts ? labels.slice(0, 1) : labels,
        scope: counts || scope !== 'task' ? scope : 'subject',
        seconds: counts || !endless ? rest.seconds : null,
        until: counts ? null : rest.until,
        field: rest.type === 'value_count' && field === 'result_rows' ? 'target' : field,
        condition: counts ? (byValue && asksForLess ? { gte: 3 } : condition) : null,
      },
      where: where?.[1] ?? null,
    }
  })

export const rules: fc.Arbitrary<TwinRule[]> = fc
  .array(rule, { minLength: 1, maxLength: 4 })
  .map((list) => list.map((one, at) => ({ ...one, plain: { ...one.plain, id: `r${at}` } })))

export type Act = (twins: Twins) => void

const message: fc.Arbitrary<TwinMessage> = fc.record({
  answer: fc.constantFrom(true, true, false),
  rows: fc.constantFrom(null, 0, 1, 3, 7),
  labels: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.uniqueArray(label, { minLength: 1, maxLength: 2 }) },
  ),
  overflow: fc.constantFrom(false, false, false, true),
})

/** The tools carry other labels. */
export const relabelling: fc.Arbitrary<Act> = fc
  .tuple(fc.constantFrom('get', 'put'), fc.uniqueArray(label, { maxLength: 3 }))
  .map(
    ([tool, labels]): Act =>
      (twins) =>
        twins.relabel(tool, labels),
  )

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(call, fc.constantFrom(0, 1, 2, 30, 70, 4_000))
      .map(([one, seconds]): Act => (twins) => {
        twins.wait(seconds)
        twins.grant(one)
      }),
  },
  {
    // Labels that an answer brings matter most once its call is over.
    weight: 2,
    arbitrary: fc.tuple(call, message).map(([one, seen]): Act => (twins) => {
      twins.wait(1)
      twins.grant(one)
      twins.observe(twins.latest, seen)
      twins.settle(twins.latest, 'committed')
    }),
  },
  {
    weight: 1,
    arbitrary: call.map(
      (one): Act =>
        (twins) =>
          twins.deny(one),
    ),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(7), fc.constantFrom('committed', 'committed', 'withheld', 'failed'))
      .map(
        ([which, how]): Act =>
          (twins) =>
            twins.settle(which, how),
      ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(7), message).map(
      ([which, seen]): Act =>
        (twins) =>
          twins.observe(which, seen),
    ),
  },
)

export const acts = (maxLength: number): fc.Arbitrary<Act[]> => fc.array(act, { maxLength })
