// What the rules mean, written down a second time and as plainly as possible: a list of all events,
// scanned whole for every question. Nothing of src/pdp/sequence is used.

export interface NaiveValue {
  role: string
  type: string | null
  text: string
  /** As its kind names it; null: by its text. */
  name: string | null
  amount: number | null
}

export interface NaiveEvent {
  sequence: number
  at: number
  actor: string
  task: string | null
  server: string
  tool: string
  access: string
  labels: string[]
  /** What its result turned out to carry besides: of a call that never left it is never over. */
  brought: string[]
  /** null: unreadable. */
  values: NaiveValue[] | null
  denied: boolean
  /** Never left: it counts for nothing but its source labels. */
  unsent: boolean
  /** The latest sequence number when it ended; null while pending. */
  endedAfter: number | null
  happened: boolean
  /** Of its answer. null: not observed. Infinity: more than could be told. */
  rows: number | null
  /** Of what was sent before its answer. */
  rowsBefore: number
}

export interface NaiveRule {
  id: string
  onLabel: string
  access: string[] | null
  unless: string | null
  where: { role: string; test: (value: NaiveValue) => boolean } | null
  type: 'temporal' | 'temporal_ordered' | 'event_count' | 'value_count' | 'value_sum' | 'absence'
  labels: string[]
  by: string[]
  scope: 'subject' | 'actor' | 'task'
  seconds: number | null
  until: string | null
  field: string | null
  condition: { gt?: number; gte?: number; lt?: number; lte?: number } | null
}

export function naiveHolds(
  rule: NaiveRule,
  past: readonly NaiveEvent[],
  call: NaiveEvent,
): boolean {
  if (rule.onLabel !== 'any' && !call.labels.includes(rule.onLabel)) return false
  if (rule.scope === 'task' && call.task === null) return false
  if (rule.access !== null && !rule.access.includes(call.access)) return false
  if (rule.unless !== null && call.labels.includes(rule.unless)) return false
  const { where } = rule
  if (where !== null && call.values !== null) {
    if (!call.values.some((value) => value.role === where.role && where.test(value))) return false
  }
  const inScope = past.filter((event) => {
    if (rule.scope === 'actor') return event.actor === call.actor
    if (rule.scope === 'task') return event.task === call.task
    return true
  })
  if (rule.by.length === 0) return naiveCorrelation(rule, inScope, inScope, call)
  const keys = keysOf(rule, call)
  if (keys.length === 0) return true
  return keys.some((key) => {
    // An event without a key may belong to any; it permits nothing.
    const maybe = inScope.filter((event) => {
      const own = keysOf(rule, event)
      return own.length === 0 || own.some(({ thing }) => thing === key.thing)
    })
    // What permits permits for its own kind of thing only.
    const surely = inScope.filter((event) =>
      keysOf(rule, event).some(({ thingAndKind }) => thingAndKind === key.thingAndKind),
    )
    return naiveCorrelation(rule, maybe, surely, call)
  })
}

interface Key {
  thing: string
  thingAndKind: string
}

function keysOf(rule: NaiveRule, event: NaiveEvent): Key[] {
  let keys: Key[] = [{ thing: '', thingAndKind: '' }]
  for (const name of rule.by) {
    let parts: Key[]
    if (name === 'tool') {
      const tool = `${event.server} ${event.tool}`
      parts = [{ thing: tool, thingAndKind: tool }]
    } else if (name === 'server') {
      parts = [{ thing: event.server, thingAndKind: event.server }]
    } else {
      parts = (event.values ?? [])
        .filter(({ role, type }) => role === name || type === name)
        .map(({ text, type, name: own }) => ({
          thing: text,
          thingAndKind: `${type} ${own ?? text}`,
        }))
    }
    keys = keys.flatMap((key) =>
      parts.map((part) => ({
        thing: `${key.thing}|${part.thing}`,
        thingAndKind: `${key.thingAndKind}|${part.thingAndKind}`,
      })),
    )
  }
  return keys
}

function naiveCorrelation(
  rule: NaiveRule,
  maybe: readonly NaiveEvent[],
  surely: readonly NaiveEvent[],
  call: NaiveEvent,
): boolean {
  const from = rule.seconds === null ? -Infinity : call.at - rule.seconds * 1000
  const carries = (event: NaiveEvent, label: string): boolean =>
    event.denied
      ? label === 'decision.denied'
      : (event.labels.includes(label) && (!event.unsent || label.startsWith('source.'))) ||
        bringsOnly(event, label)
  const [label = ''] = rule.labels

  switch (rule.type) {
    case 'temporal': {
      return rule.labels.every(
        (one) =>
          call.labels.includes(one) ||
          maybe.some(
            (event) => carries(event, one) && event.at >= from && !isCleared(rule, surely, event),
          ),
      )
    }
    case 'temporal_ordered': {
      // Every way to choose the steps, tried one after the other.
      const chain = (step: number, least: number): boolean => {
        if (step === rule.labels.length) return true
        const wanted = rule.labels[step] ?? ''
        const rest = rule.labels.slice(step)
        if (rest.every((one) => call.labels.includes(one))) return true
        return maybe.some(
          (event) =>
            event.sequence >= least &&
            event.at >= from &&
            carries(event, wanted) &&
            !isCleared(rule, surely, event) &&
            chain(step + 1, event.sequence),
        )
      }
      return chain(0, 0)
    }
    case 'event_count': {
      const high = maybe.filter((event) => carries(event, label) && event.at >= from).length
      const low = surely.filter(
        (event) =>
          carries(event, label) && !bringsOnly(event, label) && event.at >= from && event.happened,
      ).length
      return fits(rule, low, high + (call.labels.includes(label) ? 1 : 0))
    }
    case 'value_count': {
      // What was not read is not known well enough to be freed.
      const unread = (event: NaiveEvent) =>
        event.values === null && (event.labels.includes(label) || event.brought.includes(label))
      const counted = maybe.filter(
        (event) => (carries(event, label) || unread(event)) && !event.denied && event.at >= from,
      )
      const all = call.labels.includes(label) ? [...counted, call] : counted
      if (all.some(({ values }) => values === null)) return true
      const texts = all.flatMap(({ values }) =>
        (values ?? []).filter(({ role, type }) => role === rule.field || type === rule.field),
      )
      const count = new Set(texts.map(({ text, name }) => name ?? text)).size
      return fits(rule, count, count)
    }
    case 'value_sum': {
      const width = (rule.seconds ?? 0) <= 86_400 ? 60_000 : 3_600_000
      const since = Math.floor(from / width) * width
      const counted = maybe.filter(
        (event) =>
          (event.labels.includes(label) || event.brought.includes(label)) &&
          !event.denied &&
          event.at >= since,
      )
      let sum = 0
      for (const event of counted) sum += amountOf(rule, event, label)
      // The call itself has read nothing yet, whatever it will read.
      if (call.labels.includes(label) && rule.field !== 'result_rows') {
        sum += amountOf(rule, call, label)
      }
      return fits(rule, sum, sum)
    }
    case 'absence':
      return rule.labels.some(
        (one) =>
          !surely.some(
            (event) =>
              event.labels.includes(one) &&
              !event.denied &&
              event.happened &&
              event.at >= from &&
              !mayBeCleared(rule, maybe, event, call),
          ),
      )
  }
}

const bringsOnly = (event: NaiveEvent, label: string): boolean =>
  !event.denied && event.brought.includes(label) && !event.labels.includes(label)

function amountOf(rule: NaiveRule, event: NaiveEvent, label: string): number {
  if (rule.field === 'result_rows') {
    // What came before the answer did not carry a label that only the answer brought.
    if (bringsOnly(event, label)) return event.rows ?? Infinity
    return event.rowsBefore + (event.rows ?? (event.unsent ? 0 : Infinity))
  }
  if (event.unsent && !label.startsWith('source.') && !bringsOnly(event, label)) return 0
  if (event.values === null) return Infinity
  let sum = 0
  for (const { role, type, amount } of event.values) {
    if (role !== rule.field && type !== rule.field) continue
    sum += amount === null ? Infinity : Math.abs(amount)
  }
  return sum
}

/** Cleared: by something that has happened, and after it had ended. */
const isCleared = (rule: NaiveRule, surely: readonly NaiveEvent[], event: NaiveEvent): boolean =>
  rule.until !== null &&
  event.endedAfter !== null &&
  !event.unsent &&
  surely.some(
    (other) =>
      other.happened &&
      !other.denied &&
      // What an answer brings clears nothing: an upstream could say anything.
      other.labels.includes(rule.until ?? '') &&
      (event.endedAfter ?? 0) < other.sequence,
  )

/** The worst case of a clearing that permits: whatever may have come after it. */
const mayBeCleared = (
  rule: NaiveRule,
  maybe: readonly NaiveEvent[],
  event: NaiveEvent,
  call: NaiveEvent,
): boolean =>
  rule.until !== null &&
  (call.labels.includes(rule.until) ||
    maybe.some(
      (other) =>
        !other.denied &&
        (bringsOnly(other, rule.until ?? '') ||
          (other.labels.includes(rule.until ?? '') &&
            (!other.unsent || (rule.until ?? '').startsWith('source.')))) &&
        (other.unsent || other.endedAfter === null || other.endedAfter >= event.sequence),
    ))

function fits({ condition }: NaiveRule, low: number, high: number): boolean {
  const { gt, gte, lt, lte } = condition ?? {}
  return (
    (gt === undefined || high > gt) &&
    (gte === undefined || high >= gte) &&
    (lt === undefined || low < lt) &&
    (lte === undefined || low <= lte)
  )
}
