// Pure. The values that a call passes, by the role that their rows give them.
import { isJsonObject, type JsonValue } from '../../mcp/value.ts'
import { canon } from './canon.ts'
import { DEEPEST, LONGEST_FIELD } from './fields.ts'
import { mentionsIn, shapeOf, type Shape } from './mentions.ts'
import { scalarsOf } from './values.ts'

/** A row of `tool_arguments` that has a role. */
export interface RoleRow {
  /** Parsed: RFC 6901, where `*` stands for every element of a list. */
  readonly pointer: readonly string[]
  readonly role: string
  readonly resourceType: string | null
}

export interface ArgumentValue {
  readonly role: string
  readonly type: string | null
  /** Canonical. */
  readonly text: string
  /** Of the text as it was written. */
  readonly shape: Shape
  /** What it says as a number; null where it says none. */
  readonly amount: number | null
}

/**
 * The role of a text that no row gives one, and of what is written whole: no rule asks where it comes
 * from, but a result that brings it back gives it no origin.
 */
export const PASSED = 'passed'

const MOST_VALUES = 4_096
/** What a result could bring back as a whole field, and not by chance: fields.ts. */
const isNotable = (text: string): boolean =>
  text.length >= 3 && text.length <= LONGEST_FIELD && !text.includes('\n')

/** null: the arguments hold more than is read. */
export function argumentValues(
  args: JsonValue,
  rows: readonly RoleRow[],
): readonly ArgumentValue[] | null {
  const values: ArgumentValue[] = []
  for (const { pointer, role, resourceType: type } of rows) {
    for (const value of reached(args, pointer)) {
      const texts = scalarsOf(value)
      if (texts === null || texts.length + values.length > MOST_VALUES) return null
      for (const raw of texts) {
        const named = role === 'content' ? addressesIn(raw) : [raw]
        if (named === null) return null
        for (const text of named) {
          values.push({
            role,
            type,
            text: canon(text),
            shape: role === 'content' ? 'address' : shapeOf(text),
            amount: amountOf(text),
          })
        }
      }
    }
    if (values.length > MOST_VALUES) return null
  }
  const known = new Set(values.map(({ text }) => text))
  const others = new Set<string>()
  if (!collectTexts(args, others, 0)) return null
  for (const text of others) {
    if (!known.has(text))
      values.push({ role: PASSED, type: null, text, shape: 'other', amount: null })
  }
  return values
}

/** Texts only: numbers and flags come back by chance. */
function collectTexts(value: JsonValue, found: Set<string>, depth: number): boolean {
  if (depth > DEEPEST || found.size > MOST_VALUES) return false
  if (typeof value === 'string') {
    const texts = scalarsOf(value)
    for (const text of texts ?? []) if (isNotable(text)) found.add(canon(text))
    return texts !== null
  }
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).every((one) => collectTexts(one, found, depth + 1))
  }
  return (
    !isJsonObject(value) || Object.values(value).every((one) => collectTexts(one, found, depth + 1))
  )
}

/** What is written has no origin to ask for; the addresses in it have. A path leads nowhere outside. */
function addressesIn(text: string): readonly string[] | null {
  const { addresses, overflow } = mentionsIn(text)
  return overflow ? null : addresses.filter((address) => !/^[~./]/.test(address))
}

/**
 * INVARIANT: what lies where the pointer leads is found in every shape that a lenient server would
 * take: one element for a list, a list for one, a text that is a list literal.
 */
function reached(root: JsonValue, pointer: readonly string[]): readonly JsonValue[] {
  let found: readonly JsonValue[] = [root]
  for (const segment of pointer) found = found.flatMap((value) => step(value, segment))
  return found
}

function step(value: JsonValue, segment: string): readonly JsonValue[] {
  if (value === null) return []
  if (Array.isArray(value)) {
    const list = value as readonly JsonValue[]
    if (segment === '*') return list
    const element = /^\d{1,9}$/.test(segment) ? list[Number(segment)] : undefined
    return element === undefined
      ? list.flatMap((one) => (isJsonObject(one) ? step(one, segment) : []))
      : [element]
  }
  if (isJsonObject(value)) {
    if (segment === '*') return Object.values(value)
    return Object.hasOwn(value, segment) ? [value[segment] ?? null] : []
  }
  return [value]
}

function amountOf(text: string): number | null {
  const amount = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(amount) ? amount : null
}
