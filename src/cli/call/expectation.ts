// What a case expects of a decision, and what came instead.
import { readJson } from '../../mcp/json.ts'
import { InexactNumber, isJsonObject, type JsonValue } from '../../mcp/value.ts'
import type { DecisionRefusal } from '../../pdp/refusal.ts'
import type { Case } from './cases.ts'
import type { Decision } from './decide.ts'

/** null: it came as expected. */
export function difference(one: Case, decision: Decision): string | null {
  const reason = decision.refusal?.reason ?? 'allowed'
  if (decision.decision !== one.expect) {
    return `expected ${one.expect}, got ${decision.decision} (${reason})`
  }
  if (one.reason !== null && one.reason !== reason) {
    return `expected the reason ${one.reason}, got ${reason}`
  }
  const deciding = decidingRows(decision)
  if (one.policy !== null && !deciding.includes(one.policy)) {
    const instead = deciding.length === 0 ? 'no row' : deciding.join(', ')
    return `expected \`${one.policy}\` to decide, ${instead} did`
  }
  if (one.wouldBe !== undefined && one.wouldBe !== decision.wouldBeReason) {
    return `expected would_be ${one.wouldBe ?? 'null'}, got ${decision.wouldBeReason ?? 'null'}`
  }
  if (one.record === null) return null
  const missing = missingIn(one.record, inputsOf(decision), '')
  return missing === null ? null : `expected the inputs of the record to contain ${missing}`
}

function inputsOf({ record }: Decision): JsonValue {
  const read = readJson(record)
  return read.ok && isJsonObject(read.value) ? (read.value['inputs'] ?? null) : null
}

/**
 * The first part that is not there: members of an object one by one, elements of a list wherever
 * they stand in it.
 */
function missingIn(wanted: JsonValue, actual: JsonValue | undefined, at: string): string | null {
  const missing = `\`${at}\` as ${JSON.stringify(wanted)}, it has ${JSON.stringify(actual ?? null)}`
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual)) return missing
    const elements = actual as readonly JsonValue[]
    const found = (wanted as readonly JsonValue[]).every((one) =>
      elements.some((element) => missingIn(one, element, at) === null),
    )
    return found && (wanted.length > 0 || elements.length === 0) ? null : missing
  }
  if (isJsonObject(wanted)) {
    if (!isJsonObject(actual)) return missing
    for (const [name, value] of Object.entries(wanted)) {
      const inside = missingIn(value, actual[name], at === '' ? name : `${at}.${name}`)
      if (inside !== null) return inside
    }
    return null
  }
  return textOf(wanted) === textOf(actual) ? null : missing
}

const textOf = (value: JsonValue | undefined): unknown =>
  value instanceof InexactNumber ? value.text : value

/** Every row without which it might have gone the other way. */
function decidingRows({ refusal, matches, hits }: Decision): readonly string[] {
  const rows = refusal === null ? null : rowsOf(refusal)
  if (rows !== null) return rows
  if (refusal?.reason === 'denied_by_sequence') {
    return (hits ?? []).filter(({ effect }) => effect === 'deny').map(({ rule }) => rule)
  }
  const effect = refusal === null ? 'allow' : isDeny(refusal) ? 'deny' : null
  const counted = matches.filter(
    (match) => match.counted && match.effect === effect && match.mode === 'enforce',
  )
  return [...new Set(counted.map(({ id }) => id))]
}

const isDeny = (refusal: DecisionRefusal): boolean =>
  (refusal.reason === 'result_withheld' ? refusal.because : refusal).reason === 'denied_by_policy'

/** Rows that the refusal itself names; null: it names none. */
function rowsOf(refusal: DecisionRefusal): readonly string[] | null {
  if (refusal.reason === 'result_withheld') return rowsOf(refusal.because)
  if (refusal.reason === 'denied_by_policy') return null
  if ('policies' in refusal) return refusal.policies
  if ('policy' in refusal) return [refusal.policy]
  return 'task' in refusal ? [refusal.task] : null
}
