// Pure. The statements that pin changed tools again, with what changed beside them.
import { differences } from '../../mcp/definition.ts'
import { readJson } from '../../mcp/json.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { commented } from './migration.ts'
import { warningsOn } from './notes.ts'
import { definitionSql, isPattern, type PinnedTool } from './pin.ts'
import { sqlComment, sqlText } from './sql-text.ts'
import { suggestFor } from './suggest-entry.ts'

/** What the rows say now; null in a column: never pinned, or without its text. */
export interface EarlierTool {
  readonly name: string
  readonly hash: string | null
  readonly definition: string | null
}

export interface RepinPlace {
  readonly tenant: string
  readonly server: string
}

/** `earlier`: null where nobody said what the rows are, and then every tool is pinned. */
export function repinFor(
  place: RepinPlace,
  listed: readonly PinnedTool[],
  earlier: readonly EarlierTool[] | null,
): string {
  const known = new Map(earlier?.map((tool) => [tool.name, tool]))
  const tools = listed.filter((pinned) => !isPattern(pinned))
  const fresh = earlier === null ? [] : tools.filter(({ name }) => !known.has(name))
  const changed = tools.filter((pinned) =>
    earlier === null ? true : (known.get(pinned.name)?.hash ?? pinned.hash) !== pinned.hash,
  )
  const unpinned = tools.filter(({ name }) => known.get(name)?.hash === null)
  const names = new Set(tools.map(({ name }) => name))
  const gone = [...known.keys()].filter((name) => !names.has(name) && !name.includes('*'))
  const again = [...changed, ...unpinned]
  const blocks = [
    commented(`${again.length} of ${tools.length} tools of server \`${place.server}\` of tenant \`${place.tenant}\`, pinned again.
Before it is applied, a person reads what changed, and corrects access, labels and arguments where
the tool now does something else.`),
    ...listOf('New, and without a row (import them without --repin):', fresh),
    ...listOf(
      'No longer listed, and with a row still:',
      gone.map((name) => ({ name })),
    ),
    ...again.map((pinned) => update(place, pinned, known.get(pinned.name)?.definition ?? null)),
  ]
  return `${blocks.join('\n\n')}\n`
}

const listOf = (heading: string, tools: readonly Pick<PinnedTool, 'name'>[]): string[] =>
  tools.length === 0
    ? []
    : [commented([heading, ...tools.map(({ name }) => `  ${sqlComment(name)}`)].join('\n'))]

function update(
  { tenant, server }: RepinPlace,
  pinned: PinnedTool,
  earlier: string | null,
): string {
  const before = earlier === null ? null : objectIn(earlier)
  const notes = [
    ...warningsOn(pinned, suggestFor(pinned)).map((warning) => `  ${warning}`),
    ...(before === null ? [] : suggestionChanges(before, pinned)),
    ...(before === null ? [] : differenceLines(before, pinned.tool)),
  ]
  return [
    commented([sqlComment(pinned.name), ...notes].join('\n')),
    `UPDATE tools
SET definition_hash = ${sqlText(pinned.hash)},
    definition = ${definitionSql(pinned) ?? 'NULL'}
WHERE tenant = ${sqlText(tenant)} AND server = ${sqlText(server)} AND name = ${sqlText(pinned.name)};`,
  ].join('\n')
}

const differenceLines = (before: JsonObject, now: JsonObject): string[] =>
  differences(before, now).flatMap(({ pointer, pinned, seen }) => [
    `  ${sqlComment(pointer)}`,
    `    pinned: ${pinned === null ? '(nothing)' : sqlComment(pinned)}`,
    `    now:    ${seen === null ? '(nothing)' : sqlComment(seen)}`,
  ])

/** What an import would suggest otherwise than before: the rows may have to follow. */
function suggestionChanges(before: JsonObject, now: PinnedTool): string[] {
  const [then, today] = [suggestFor({ ...now, tool: before }), suggestFor(now)]
  const told = (one: typeof then): readonly (readonly [string, string])[] => [
    ['access', one.access],
    ['labels', one.labels.join(', ') || 'none'],
    [
      'arguments',
      one.arguments.map(({ pointer, role }) => `${pointer} ${role}`).join(', ') || 'none',
    ],
  ]
  return told(then).flatMap(([what, was], at) => {
    const is = told(today)[at]?.[1] ?? ''
    return was === is
      ? []
      : [`  LOOK TWICE: suggested ${what}: ${sqlComment(is)}; before: ${sqlComment(was)}`]
  })
}

function objectIn(definition: string): JsonObject | null {
  const read = readJson(definition)
  return read.ok && isJsonObject(read.value) ? read.value : null
}
