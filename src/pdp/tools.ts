// Pure. What is known of the tools of one server.
import { kindOf, ownName } from '../mcp/catalogue.ts'
import { isPlainTemplate, isTemplate, templateMatches } from '../mcp/template.ts'
import { isPlainUri } from '../mcp/uri.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { ConditionProblem } from './condition.ts'
import { ACCESS, type Access, type Pin, type ToolFacts } from './evaluation.ts'
import { parseGlob, type Glob } from './glob.ts'
import type { ResourceField } from './resources.ts'
import { classify, type ToolClass } from './tool-class.ts'

/** A row of `tools` with the rows that belong to it (migrations/0002_create_tools.sql). */
export interface ToolRow {
  readonly name: string
  readonly access: Access
  readonly environment: string
  readonly requiredScope: string
  readonly labelsReviewed: boolean
  readonly pin: Pin | null
  readonly labels: readonly LabelRow[]
  /** Classes of calls that are not the row's own. */
  readonly accessWhen: readonly AccessRow[]
  readonly arguments: readonly ResourceField[]
  readonly results: readonly ResourceField[]
}

export interface LabelRow {
  readonly label: string
  readonly condition: string | null
}

export interface AccessRow {
  readonly access: Access
  readonly condition: string
}

export interface ToolCatalogue {
  /**
   * null: no row speaks of this tool, so it is denied. Without arguments, as in a listing, it is
   * what its most dangerous call is.
   */
  find(name: string, given: JsonObject | null): ToolFacts | null
  /** Which parts of arguments and results name resources. */
  fields(name: string): Pick<ToolRow, 'arguments' | 'results'>
  /** The names of all rows, patterns as they are. */
  readonly rows: readonly string[]
  /** What the tools need besides the server's own scopes. */
  readonly requiredScopes: readonly string[]
  /** Conditions that do not compile: their label or class holds for every call. */
  problems(): readonly { readonly tool: string; readonly problem: ConditionProblem }[]
}

export function compileTools(rows: readonly ToolRow[], serverIsInternal: boolean): ToolCatalogue {
  const exact = new Map<string, ToolClass>()
  const patterns: Pattern[] = []
  const tools = rows.map((row) => classify(row, serverIsInternal))
  for (const tool of tools) {
    const glob = parseGlob(tool.row.name)
    if (glob.exact) exact.set(tool.row.name, tool)
    if (!glob.exact) patterns.push({ glob, tool, isTemplate: false })
    else if (isTemplateRow(tool.row.name)) {
      patterns.push({ glob: templateGlob(tool.row.name), tool, isTemplate: true })
    }
  }
  patterns.sort(bySpecificity)
  const classOf = (name: string): ToolClass | undefined => {
    const known = exact.get(name)
    if (known !== undefined) return known
    const isPlain = isInOneSpelling(name)
    // A template has a spelling of its own for what it makes.
    return patterns.find(({ glob, isTemplate: own }) => (own || isPlain) && glob.matches(name))
      ?.tool
  }
  return {
    rows: rows.map((row) => row.name),
    requiredScopes: [...new Set(rows.flatMap((row) => scopesOf(row.requiredScope)))].toSorted(),
    find: (name, given) => {
      const tool = classOf(name)
      return tool === undefined ? null : factsOf(name, tool, given)
    },
    fields: (name) => classOf(name)?.row ?? NO_FIELDS,
    problems: () =>
      tools.flatMap(({ row, problems }) =>
        problems().map((problem) => ({ tool: row.name, problem })),
      ),
  }
}

/**
 * INVARIANT: a pattern never speaks of a URI that could be written in another way: what one pattern
 * forbids would be had by the other spelling. A row of its own can name any text.
 */
function isInOneSpelling(name: string): boolean {
  if (kindOf(name) !== 'resource') return true
  const uri = ownName(name)
  return isPlainUri(uri) || isPlainTemplate(uri)
}

/** A template of the server's own speaks of the URIs that it makes, with its pin. */
const isTemplateRow = (name: string): boolean =>
  kindOf(name) === 'resource' && isTemplate(ownName(name))

const templateGlob = (row: string): Glob => ({
  prefix: row.slice(0, row.indexOf('{')),
  exact: false,
  matches: (name) => kindOf(name) === 'resource' && templateMatches(ownName(row), ownName(name)),
})

const NO_FIELDS = { arguments: [], results: [] }

function factsOf(
  name: string,
  { row, access, labels, depends }: ToolClass,
  given: JsonObject | null,
): ToolFacts {
  return {
    name,
    row: row.name,
    access: access(given),
    labels: labels(given),
    depends: given === null ? depends : null,
    environment: row.environment,
    requiredScopes: scopesOf(row.requiredScope),
    pin: row.pin,
  }
}

interface Pattern {
  readonly glob: Glob
  readonly tool: ToolClass
  readonly isTemplate: boolean
}

/**
 * The longest text before the first `*`, then the longest pattern. Where even that is equal the more
 * dangerous class holds, and then the name, for a choice that does not depend on the order of rows.
 */
const bySpecificity = (a: Pattern, b: Pattern): number =>
  b.glob.prefix.length - a.glob.prefix.length ||
  b.tool.row.name.length - a.tool.row.name.length ||
  ACCESS.indexOf(b.tool.row.access) - ACCESS.indexOf(a.tool.row.access) ||
  (a.tool.row.name < b.tool.row.name ? -1 : 1)

/** Scopes are stored as OAuth writes them: one string, space separated. */
export const scopesOf = (text: string): string[] => text.split(' ').filter((scope) => scope !== '')
