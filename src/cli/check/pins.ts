// Tools: what is pinned, and what nobody has looked at.
import { createHash } from 'node:crypto'
import { canonicalDefinition } from '../../mcp/definition.ts'
import { kindOf } from '../../mcp/catalogue.ts'
import { entryDefined } from '../../mcp/listing.ts'
import { readJson } from '../../mcp/json.ts'
import { isJsonObject } from '../../mcp/value.ts'
import type { AuthoredTables } from '../scratch/tenant-rows.ts'
import type { Finding, RowCheck } from './problem.ts'

type ToolTableRow = AuthoredTables['tools'][number]

export const toolsArePinned: RowCheck = ({ tenant, tables }) => {
  // A demo's own server is made on the machine that it runs on: nobody could have pinned it.
  const demo = tables.issuers.some((issuer) => issuer.demo)
  return tables.tools.flatMap((row): Finding[] => {
    const at = { table: 'tools', key: [tenant, row.server, row.name] } as const
    if (row.name.includes('*')) {
      return [
        {
          ...at,
          code: 'warn_pattern_without_pin',
          message:
            'takes in tools that the server may add later, unseen; list tools by name where you can',
        },
      ]
    }
    if (row.definitionHash === null) {
      if (demo) return []
      return [
        {
          ...at,
          code: 'warn_tool_without_pin',
          message:
            'may become another tool unnoticed; `npm run policy -- import` prints its definition and hash',
        },
      ]
    }
    const wrong = mismatchIn(row)
    return wrong === null ? [] : [{ ...at, code: 'pin_mismatch', message: wrong }]
  })
}

/** The pin is the digest of all of the tool, as its server lists it (src/mcp/definition.ts). */
function mismatchIn({ name, definition, definitionHash }: ToolTableRow): string | null {
  if (definition === null) return null
  const read = readJson(definition)
  if (!read.ok || !isJsonObject(read.value)) {
    return 'its definition is no JSON object that is read in one way; import it again'
  }
  const listed = entryDefined(kindOf(name), read.value)
  if (listed !== name) {
    return `its definition is that of another ${kindOf(name)}, ${JSON.stringify(listed)}; import it again`
  }
  const digest = createHash('sha256').update(canonicalDefinition(read.value)).digest('hex')
  return digest === definitionHash
    ? null
    : `every call will be denied, because definition_hash is not that of the definition; it is ${digest}`
}

export const labelsAreReviewed: RowCheck = ({ tenant, tables }) =>
  tables.tools
    .filter(({ labelsReviewed }) => !labelsReviewed)
    .map(({ server, name }) => ({
      code: 'warn_labels_unreviewed',
      table: 'tools',
      key: [tenant, server, name],
      message:
        'counts as untrusted and confidential source and as external sink; look at its labels, then set labels_reviewed to 1',
    }))
