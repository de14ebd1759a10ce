// Pure. Whether the person named a value, and whether it belongs to their organisation.
import type { Asked } from './asked.ts'
import { occurs } from './canon.ts'
import { ACTS } from './verbs.ts'

/** Many rules ask the same of one value, and the person's words may be long. */
const answered = new WeakMap<Asked, Map<string, boolean>>()

export function isNamed(text: string, asked: Asked): boolean {
  if (text === '') return false
  const answers = answered.get(asked) ?? new Map<string, boolean>()
  answered.set(asked, answers)
  const known = answers.get(text)
  if (known !== undefined) return known
  const answer =
    asked.values.includes(text) ||
    (asked.text !== null &&
      !NAMES_NOTHING.test(text) &&
      !COMMON.has(text) &&
      occurs(text, asked.text))
  answers.set(text, answer)
  return answer
}

/** One letter, or no letter and no digit at all. */
const NAMES_NOTHING = /^(?:\p{L}|[^\p{L}\p{N}]*)$/u

/**
 * INVARIANT: a word that any request holds names nothing by standing in it, or a stranger would call
 * a channel or a person so. English function words, and the words by which people ask. Whoever opens
 * the task can name such a value all the same.
 */
const COMMON: ReadonlySet<string> = new Set([
  ...ACTS.flatMap(({ words }) => words),
  ...`a an the this that these those some any all every each both no none not and or but if then than so
  as at by for from in into of off on onto out over to up with without about after before between
  during through under until while i me my mine myself you your yours yourself we us our ours he him
  his she her hers it its itself they them their theirs who whom whose which what when where why how
  is am are was were be been being do does did done have has had having can could will would shall
  should may might must here there now today tomorrow yesterday please thanks thank hi hello yes ok
  also just only more most other same such very new next last first one two let get make go see look
  find show read check use want need like know think say said give take come me`.split(/\s+/),
])

/**
 * A mail address or a host, and nothing else: what ends in the own domain can be a list that begins
 * with a stranger, a path on a stranger's host, or the display name of a stranger's address.
 */
export const isOwn = (text: string, ownDomains: readonly string[]): boolean =>
  ownDomains.some((suffix) => /^[@.]/.test(suffix) && text.endsWith(suffix.toLowerCase())) &&
  (MAIL.test(text) || HOST.test(text))

/** Of local parts what people use (RFC 5322 §3.2.3), but for `%` and `!`, by which mail is routed on. */
const MAIL = /^[a-z0-9._+'-]{1,64}@[a-z0-9.-]{1,253}$/
const HOST = /^[a-z0-9.-]{1,253}$/
