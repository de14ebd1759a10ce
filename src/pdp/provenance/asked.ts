// Pure. What the person asked for, as far as somebody other than the actor has said so, and whether
// a tool does what these words ask for.
import { ACTS } from './verbs.ts'

export interface Asked {
  /** The person's words, `plain`; null where nobody has given them. */
  readonly text: string | null
  /** Values that the task names, canonical. */
  readonly values: readonly string[]
  /** Tools that the task names; null where it names none, or where there is no task. */
  readonly tools: readonly string[] | null
  /** Whether the call is made under a task that bounds what may be done. */
  readonly task: boolean
}

export const NOTHING_ASKED: Asked = { text: null, values: [], tools: null, task: false }

/** The task names the tool, or a word asks for what its name says: "cancel it", `delete_event`. */
export function isAskedFor(tool: string, asked: Asked): boolean {
  if (asked.tools?.includes(tool) === true) return true
  if (asked.text === null) return false
  const { forms, groups } = actsOf(tool)
  const said = saidIn(asked.text)
  return groups.some((group) => said.acts.has(group)) || forms.some((form) => said.words.has(form))
}

/** `send_email`, `sendEmail`, `github/create_issue`: the verb comes first. */
export const nameParts = (tool: string): string[] =>
  tool
    .slice(tool.lastIndexOf('/') + 1)
    .slice(0, 200)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== '')

/** Nouns that are an act themselves: `schedule_transaction` pays. */
const ACTS_AS_NOUNS: ReadonlySet<string> = new Set(['money', 'transaction', 'payment'])

interface ToolActs {
  /** Its verb, in every regular form. */
  readonly forms: readonly string[]
  /** Indices into ACTS. */
  readonly groups: readonly number[]
}

const actsOf = remembered((tool: string): ToolActs => {
  const [verb = '', ...rest] = nameParts(tool)
  const nouns = rest.filter((part) => ACTS_AS_NOUNS.has(part))
  const groups = ACTS.flatMap(({ names }, group) =>
    names.includes(verb) || nouns.some((noun) => names.includes(noun)) ? [group] : [],
  )
  return { forms: inflected(verb), groups }
})

interface Said {
  readonly words: ReadonlySet<string>
  /** Indices into ACTS of what the words ask for. */
  readonly acts: ReadonlySet<number>
}

/** Read once for each text, so that a call costs the same under a long task as under a short one. */
const saidIn = remembered((text: string): Said => {
  const words = new Set(text.split(/[^a-z]+/).filter((word) => word !== ''))
  return { words, acts: new Set([...words].flatMap((word) => [...(SPOKEN.get(word) ?? [])])) }
})

const ENDINGS = ['', 's', 'es', 'ed', 'er', 'ing', 'al', 'ment', 'ation', 'lation']

/** Regular forms: `book`, `booked`, `booking`; `stop`, `stopping`; `write`, `writing`; `cancellation`. */
function inflected(verb: string): string[] {
  if (verb === '') return []
  const stem = verb.endsWith('e') ? verb.slice(0, -1) : verb
  const doubled = `${verb}${verb.at(-1) ?? ''}`
  return [verb, stem, doubled].flatMap((base) => ENDINGS.map((ending) => base + ending))
}

/** Every form of every word by which people ask, with the acts that it asks for. */
const SPOKEN: ReadonlyMap<string, ReadonlySet<number>> = spokenForms()

function spokenForms(): Map<string, Set<number>> {
  const spoken = new Map<string, Set<number>>()
  for (const [group, { words }] of ACTS.entries()) {
    for (const form of words.flatMap(inflected)) {
      const groups = spoken.get(form) ?? new Set()
      spoken.set(form, groups.add(group))
    }
  }
  return spoken
}

/** The same few names and texts are asked about at every call. */
function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const value = read(text)
    if (known.size >= MOST_REMEMBERED) known.clear()
    known.set(text, value)
    return value
  }
}
const MOST_REMEMBERED = 64
