// Pure. The values that a call passes, by the role that their rows give them.
import { membersNamed } from '../../mcp/pointer.ts'
import { isJsonObject, type JsonValue } from '../../mcp/value.ts'
import { resourceName, type ResourceForm } from '../resource-name.ts'
import { canon } from './canon.ts'
import { mentionsIn, shapeOf, type Shape } from './mentions.ts'
import { PASSED, textsPassed } from './passed.ts'
import { untrimmedScalarsOf } from './values.ts'

/** A row of `tool_arguments` that has a role. */
export interface RoleRow {
  /** Parsed: RFC 6901, where `*` stands for every element of a list. */
  readonly pointer: readonly string[]
  readonly role: string
  readonly resourceType: string | null
  /** How names of that type are made equal; null or absent where nobody can say. */
  readonly form?: ResourceForm | null
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
  /** Of a target: byte for byte. Never stored. */
  readonly spelling?: string
  /** As its kind names it, where that is another text: to many kinds, capitals matter. Never stored. */
  readonly name?: string
}

const MOST_VALUES = 4_096
/** null: the arguments hold more than is read. */
export function argumentValues(
  args: JsonValue,
  rows: readonly RoleRow[],
): readonly ArgumentValue[] | null {
  const values: ArgumentValue[] = []
  for (const row of rows) {
    const { pointer, role } = row
    for (const value of reached(args, pointer)) {
      const texts = untrimmedScalarsOf(value)
      if (texts === null || texts.length + values.length > MOST_VALUES) return null
      for (const whole of texts) {
        const raw = whole.trim()
        const named =
          role === 'content' ? addressesIn(raw) : role === 'target' ? targetsIn(raw) : [raw]
        if (named === null) return null
        // White space at its ends is part of a name.
        for (const text of named) values.push(valueOf(text, row, text === raw ? whole : text))
      }
    }
    if (values.length > MOST_VALUES) return null
  }
  const others = textsPassed(args)
  if (others === null) return null
  for (const { text } of values) others.delete(text)
  for (const text of others)
    values.push({ role: PASSED, type: null, text, shape: 'other', amount: null })
  return values
}

function valueOf(
  written: string,
  { role, resourceType: type, form = null }: RoleRow,
  whole: string,
): ArgumentValue {
  const text = canon(written)
  const name = type === null || form === null ? null : resourceName(form, whole)
  return {
    role,
    type,
    text,
    amount: amountOf(written),
    ...shapeAndSpelling(written, role),
    ...(name === null || name === text ? {} : { name }),
  }
}

function shapeAndSpelling(text: string, role: string): Pick<ArgumentValue, 'shape' | 'spelling'> {
  if (role === 'content') return { shape: 'address' }
  const shape = shapeOf(text)
  return role === 'target' ? { shape, spelling: text } : { shape }
}

/**
 * INVARIANT: one text that holds several addresses is several targets, as a lenient server takes it:
 * `a@x.example, b@y.example`. What holds an address among other words is both, `Bob <b@y.example>`.
 */
function targetsIn(text: string): readonly string[] | null {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '')
  if (parts.length > MOST_VALUES) return null
  if (parts.length > 1 && parts.every((part) => PLAIN_MAIL.test(part))) return parts
  const { addresses, overflow } = mentionsIn(text)
  if (overflow) return null
  const whole = canon(text)
  return [text, ...addresses.filter((one) => one !== whole && MAIL.test(one))]
}
const PLAIN_MAIL = /^[^@\s<>"'`()]{1,64}@[^@\s<>"'`()]{1,253}$/
const MAIL = /^[^/@]+@[^/@]+$/

/** What is written has no origin to ask for; the addresses in it have. A path leads nowhere outside. */
function addressesIn(text: string): readonly string[] | null {
  const { addresses, overflow } = mentionsIn(text)
  return overflow ? null : addresses.filter((address) => !/^[~./]/.test(address))
}

/**
 * INVARIANT: what lies where the pointer leads is found in every shape that a lenient server would
 * take: one element for a list, a list for one, a text or texts for an object, a text that is a list
 * literal.
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
    return element === undefined ? list.flatMap((one) => step(one, segment)) : [element]
  }
  if (isJsonObject(value)) {
    return segment === '*' ? Object.values(value) : membersNamed(value, segment)
  }
  return [value]
}

function amountOf(text: string): number | null {
  const amount = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(amount) ? amount : null
}
