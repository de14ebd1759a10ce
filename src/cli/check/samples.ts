// Generated inputs for a condition: every `args.*` path that it mentions, present as each kind of
// JSON value and absent. The core's own evaluation says what becomes of them.
import type { Condition, ConditionVariables } from '../../pdp/condition.ts'
import type { JsonObject, JsonValue } from '../../mcp/value.ts'

export interface SamplingFault {
  readonly message: string
  readonly advice: string
  readonly offset: number
}

interface Path {
  readonly names: readonly string[]
  readonly text: string
  readonly offset: number
}

/** All combinations of more paths than this would take longer than the author wants to wait. */
const MAX_COMBINATIONS = 600
const ABSENT: unique symbol = Symbol('absent')
/** The object around it is there, and it is not. */
const LEFT_OUT: unique symbol = Symbol('left out')
const MISSING = [ABSENT, LEFT_OUT] as const
type Sample = JsonValue | typeof ABSENT | typeof LEFT_OUT

export function samplingFaults(condition: Condition): SamplingFault[] {
  const { text } = condition
  const paths = pathsIn(text)
  const literals = [...text.matchAll(/"([^"\\]*)"|'([^'\\]*)'/g)].map(
    (found) => found[1] ?? found[2] ?? '',
  )
  const kinds: JsonValue[] = ['text', ...literals.slice(0, 3), 5, 0, true, ['text'], object([])]
  const people = peopleOf(literals)
  const fails = (samples: readonly Sample[], person: ConditionVariables): string | null => {
    const args = object(paths.map(({ names }, at) => [names, samples[at] ?? ABSENT] as const))
    const outcome = condition.evaluate({ ...person, args })
    return outcome.ok ? null : outcome.error
  }
  const combinations = combine(kinds, paths.length)
  const faults: SamplingFault[] = []
  const good = people.flatMap((person) =>
    combinations
      .filter((samples) => fails(samples, person) === null)
      .map((samples) => ({ person, samples })),
  )
  if (good.length === 0) {
    const [person] = people
    const numbers = paths.map((): Sample => 5)
    const error = person === undefined ? null : fails(numbers, person)
    return [
      {
        message: `the condition fails whatever the arguments are (${error ?? 'an error'})`,
        advice: 'a number in `args` is a double, so write `1.0` in arithmetic',
        offset: paths[0]?.offset ?? 0,
      },
    ]
  }
  for (const [at, path] of paths.entries()) {
    const without = good.find(({ person, samples }) =>
      MISSING.some((sample) => fails(samples.with(at, sample), person) !== null),
    )
    if (without === undefined) continue
    faults.push({
      message: `the condition fails where \`${path.text}\` is absent`,
      advice: `guard it with \`has(${path.text})\``,
      offset: path.offset,
    })
  }
  return faults
}

/** `args.a.b` and `args["a"]`, each once, without the method that is called on it. */
function pathsIn(text: string): Path[] {
  // What stands in quotes is no path; blanks of the same length keep every offset.
  const bare = text.replaceAll(/(?<!\[)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g, (quoted) =>
    ' '.repeat(quoted.length),
  )
  const found = new Map<string, Path>()
  const pattern = /\bargs((?:\s*\.\s*[A-Za-z_]\w*(?!\w|\s*\()|\s*\[\s*(?:"[^"]*"|'[^']*')\s*\])+)/g
  for (const { 0: path, 1: members = '', index } of bare.matchAll(pattern)) {
    const names = [...members.matchAll(/[A-Za-z_][\w-]*|"([^"]*)"|'([^']*)'/g)].map(
      (part) => part[1] ?? part[2] ?? part[0],
    )
    const key = JSON.stringify(names)
    if (!found.has(key)) found.set(key, { names, text: path, offset: index })
  }
  const all = [...found.values()]
  // `args.a` beside `args.a.b` is a guard or a parent: the longer path covers both.
  return all.filter(
    (path) =>
      !all.some(
        (other) =>
          other.names.length > path.names.length &&
          path.names.every((name, at) => other.names[at] === name),
      ),
  )
}

/** Every combination where that is few enough, else all of one kind with one path of another. */
function combine(kinds: readonly JsonValue[], length: number): Sample[][] {
  let combinations: Sample[][] = [[]]
  if (kinds.length ** length <= MAX_COMBINATIONS) {
    for (let at = 0; at < length; at += 1) {
      combinations = combinations.flatMap((samples) => kinds.map((kind) => [...samples, kind]))
    }
    return combinations
  }
  return kinds.flatMap((most) => {
    const same = Array.from({ length }, (): Sample => most)
    return same.flatMap((_, at) => kinds.map((kind): Sample[] => same.with(at, kind)))
  })
}

/** Without prototypes, as the reader of real arguments makes them. */
function object(members: readonly (readonly [readonly string[], Sample])[]): JsonObject {
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [names, sample] of members) {
    if (sample === ABSENT) continue
    let parent = root
    for (const name of names.slice(0, -1)) {
      parent = (parent[name] ??= Object.create(null)) as Record<string, unknown>
    }
    if (sample !== LEFT_OUT) parent[names.at(-1) ?? ''] = sample
  }
  return root as JsonObject
}

/** Somebody without anything, and somebody with every role and name that the condition mentions. */
function peopleOf(literals: readonly string[]): ConditionVariables[] {
  const tool = { name: 'tool', server: 'server', access: 'read', labels: [...literals] }
  const nobody: ConditionVariables = {
    subject: { id: 'somebody', kind: 'user', issuer: 'https://issuer.example', roles: [] },
    client: { id: 'client' },
    agent: { id: '', present: false, roles: [] },
    tool,
    args: object([]),
  }
  const roles = [...literals]
  return [
    nobody,
    {
      ...nobody,
      subject: { ...nobody.subject, kind: 'workload', roles },
      agent: { id: literals[0] ?? 'agent', present: true, roles },
    },
  ]
}
