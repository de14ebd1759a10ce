// Pure. The migration that an import prints: complete SQL that allows nothing, for a person to read,
// to correct and to apply.
import { KINDS, kindOf } from '../../mcp/catalogue.ts'
import { bytesOf, definitionSql, isPattern, type PinnedTool } from './pin.ts'
import { notesOn } from './notes.ts'
import { sqlComment, sqlText } from './sql-text.ts'
import type { Suggestion } from './suggest.ts'
import { suggestFor } from './suggest-entry.ts'

export interface ImportPlace {
  readonly url: string
  readonly tenant: string
  readonly server: string
  readonly title: string
  readonly internal: boolean
  /** Its row is there already. */
  readonly existingServer: boolean
}

export function migrationFor(place: ImportPlace, listed: readonly PinnedTool[]): string {
  const { tenant, server } = place
  const tools = listed
    .filter((pinned) => !isPattern(pinned))
    .map((pinned) => ({ pinned, suggestion: suggestFor(pinned) }))
  const of = ({ name }: PinnedTool): string => [tenant, server, name].map(sqlText).join(', ')
  const blocks = [
    header(
      place,
      tools.map(({ pinned }) => pinned),
    ),
    ...leftOut(listed.filter(isPattern)),
    serverRow(place),
    ...insert(
      'tools',
      'tenant, server, name, access, labels_reviewed, definition_hash, definition',
      tools.map(({ pinned, suggestion }) => toolRow(of(pinned), pinned, suggestion)),
    ),
    ...insert(
      'tool_labels',
      'tenant, server, tool, label',
      tools.flatMap(({ pinned, suggestion: { labels } }) =>
        labels.map((label) => row([`${of(pinned)}, ${sqlText(label)}`])),
      ),
    ),
    ...insert(
      'tool_arguments',
      'tenant, server, tool, pointer, role',
      tools.flatMap(({ pinned, suggestion }) =>
        suggestion.arguments.map(({ pointer, role }) =>
          row([`${of(pinned)}, ${sqlText(pointer)}, ${sqlText(role)}`]),
        ),
      ),
    ),
    examplePolicy(place),
  ]
  return `${blocks.join('\n\n')}\n`
}

const header = ({ url, tenant, server }: ImportPlace, listed: readonly PinnedTool[]): string =>
  commented(`${countsOf(listed)} of ${sqlComment(new URL(url).host)}, as server \`${server}\` of tenant \`${tenant}\`.

Everything below is a suggestion, made from what the server says of itself. It allows nothing.
Before it is applied, a person:
  1. reads every definition. Models get to see it word for word, and its hash is what is pinned:
     a tool that changes later is denied until it is pinned again;
  2. deletes the rows of tools that nobody needs: what has no row is denied;
  3. corrects each class of access: read, write, export, admin or destructive, at its worst;
  4. corrects labels and arguments, and then sets \`labels_reviewed\` to 1: until then the tool counts
     as an untrusted source, a confidential source and an external sink, whatever is written here;
  5. writes policies (an example is at the end) and runs \`npm run policy -- check\`.`)

const countsOf = (listed: readonly PinnedTool[]): string =>
  KINDS.flatMap((kind) => {
    const count = listed.filter(({ name }) => kindOf(name) === kind).length
    return count === 0 && (kind !== 'tool' || listed.length > 0)
      ? []
      : [`${count} ${count === 1 ? kind : `${kind}s`}`]
  }).join(', ')

const leftOut = (patterns: readonly PinnedTool[]): string[] =>
  patterns.length === 0
    ? []
    : [
        commented(
          [
            'LEFT OUT, because `*` in a name stands for any characters, and would speak for other tools:',
            ...patterns.map(({ name }) => `  ${sqlComment(name)}`),
          ].join('\n'),
        ),
      ]

function serverRow({ url, tenant, server, title, internal, existingServer }: ImportPlace): string {
  const values = [server, tenant, url, title].map(sqlText).join(', ')
  const statement = `INSERT INTO servers (name, tenant, url, title, internal)
VALUES (${values}, ${internal ? 1 : 0});`
  if (existingServer) return commented(`The server has its row already:\n${statement}`)
  const reason = internal
    ? '`internal = 1`: nothing that is sent to it leaves the organisation.'
    : '`internal = 0`: every call to it is an external send of its arguments.'
  return `${commented(reason)}\n${statement}`
}

function toolRow(key: string, pinned: PinnedTool, suggestion: Suggestion): Row {
  return row(
    [
      `${key}, ${sqlText(suggestion.access)}, 0,`,
      ` ${sqlText(pinned.hash)},`,
      ` ${definitionSql(pinned) ?? 'NULL'}`,
    ],
    notesOn(pinned, suggestion),
  )
}

interface Row {
  /** Comment lines above it. */
  readonly notes: readonly string[]
  /** `(…)`, without what separates it from the next. */
  readonly text: string
}

const row = (lines: readonly string[], notes: readonly string[] = []): Row => ({
  notes,
  text: `  (${lines.join('\n  ')})`,
})

/** D1 takes statements of 100,000 bytes. */
const MAX_STATEMENT_BYTES = 90_000

/** As few statements as fit. */
function insert(table: string, columns: string, rows: readonly Row[]): string[] {
  const statements: Row[][] = []
  let bytes = Infinity
  for (const one of rows) {
    const more = bytesOf(one.text) + bytesOf(one.notes.join('\n')) + 10 * (one.notes.length + 1)
    if (bytes + more > MAX_STATEMENT_BYTES) {
      statements.push([])
      bytes = 200
    }
    statements.at(-1)?.push(one)
    bytes += more
  }
  return statements.map((group) => {
    const written = group.map(({ notes, text }, at) => {
      const above = notes.map((note) => `  -- ${note}\n`).join('')
      return `${above}${text}${at === group.length - 1 ? ';' : ','}`
    })
    return `INSERT INTO ${table} (${columns}) VALUES\n${written.join('\n')}`
  })
}

const examplePolicy = ({ tenant, server }: ImportPlace): string =>
  commented(`Until somebody is allowed to, nobody may call any of these. For example:

INSERT INTO policies (tenant, id, effect, role, server, access, condition, reason) VALUES
  -- for people who hold a role:
  (${sqlText(tenant)}, ${sqlText(`${server}-may-read`)}, 'allow', 'A-ROLE-OF-PEOPLE', ${sqlText(server)}, 'read', NULL, 'WHY'),
  -- and for the software that acts for them, which needs a yes of its own:
  (${sqlText(tenant)}, ${sqlText(`agents-may-act-on-${server}`)}, 'allow', 'A-ROLE-OF-SOFTWARE', ${sqlText(server)}, NULL, 'subject.kind == "user"', 'WHY');`)

/** INVARIANT: every line of it is a comment. */
export const commented = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '--' : `-- ${line}`))
    .join('\n')
