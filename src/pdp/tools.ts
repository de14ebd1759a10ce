// Pure. What is known of a tool, and the labels that hold whatever a row forgets to say.
import { ACCESS, type Access, type Facts, type ToolFacts } from './evaluation.ts'
import { parseGlob, type Glob } from './glob.ts'

/** A row of `tools` with its labels (migrations/0002_create_tools.sql). */
export interface ToolRow {
  readonly name: string
  readonly access: Access
  readonly requiredScope: string
  readonly labelsReviewed: boolean
  readonly labels: readonly string[]
}

export interface ToolCatalogue {
  /** null: no row speaks of this tool, so it is denied. */
  find(name: string): ToolFacts | null
  /** What the tools need besides the server's own scopes. */
  readonly requiredScopes: readonly string[]
}

export function compileTools(rows: readonly ToolRow[], serverIsInternal: boolean): ToolCatalogue {
  const exact = new Map<string, ToolRow>()
  const patterns: Pattern[] = []
  for (const row of rows) {
    const glob = parseGlob(row.name)
    if (glob.exact) exact.set(row.name, row)
    else patterns.push({ glob, row })
  }
  patterns.sort(bySpecificity)
  return {
    requiredScopes: [...new Set(rows.flatMap((row) => scopesOf(row.requiredScope)))].toSorted(),
    find: (name) => {
      const row = exact.get(name) ?? patterns.find(({ glob }) => glob.matches(name))?.row
      if (row === undefined) return null
      return {
        name,
        row: row.name,
        access: row.access,
        labels: labelsOf(row, serverIsInternal),
        requiredScopes: scopesOf(row.requiredScope),
      }
    },
  }
}

interface Pattern {
  readonly glob: Glob
  readonly row: ToolRow
}

/**
 * The longest text before the first `*`, then the longest pattern. Where even that is equal the more
 * dangerous class holds, and then the name, for a choice that does not depend on the order of rows.
 */
const bySpecificity = (a: Pattern, b: Pattern): number =>
  b.glob.prefix.length - a.glob.prefix.length ||
  b.row.name.length - a.row.name.length ||
  ACCESS.indexOf(b.row.access) - ACCESS.indexOf(a.row.access) ||
  (a.row.name < b.row.name ? -1 : 1)

const EXTERNAL_SEND = 'sink.external_send'

/** A class of access is a label too, so that a rule on exports cannot be slipped by leaving one out. */
const ACCESS_LABEL: Readonly<Record<Access, string | null>> = {
  read: null,
  write: 'sink.update',
  export: 'sink.export',
  admin: 'sink.privileged',
  destructive: 'sink.destructive',
}

/**
 * INVARIANT: labels that nobody has reviewed are the worst ones, and a call to a server outside the
 * organisation is an external send of its arguments.
 */
function labelsOf(row: ToolRow, serverIsInternal: boolean): string[] {
  const labels = new Set(row.labels)
  const byAccess = ACCESS_LABEL[row.access]
  if (byAccess !== null) labels.add(byAccess)
  if (!row.labelsReviewed) {
    labels.add('source.untrusted')
    labels.add('source.confidential')
    labels.add(EXTERNAL_SEND)
  }
  if (!serverIsInternal) labels.add(EXTERNAL_SEND)
  return [...labels].toSorted()
}

/**
 * What a call is to the rules. What is no tool call carries text all the same (names, cursors,
 * `_meta`), and to a server outside the organisation that is a send like any other. What a listing
 * shows does not depend on it.
 */
export const labelsOfCall = ({ tool, server }: Pick<Facts, 'tool' | 'server'>): readonly string[] =>
  tool !== null ? tool.labels : server.internal ? [] : [EXTERNAL_SEND]

/** Scopes are stored as OAuth writes them: one string, space separated. */
export const scopesOf = (text: string): string[] => text.split(' ').filter((scope) => scope !== '')
