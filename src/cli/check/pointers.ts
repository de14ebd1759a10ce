// Where the rows of a tool look into its arguments and results.
import { parsePointer } from '../../mcp/pointer.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import { nearest } from './hint.ts'
import type { InputSchema } from './input-schema.ts'
import type { Finding, RowCheck } from './problem.ts'
import { schemaIn, toolReached } from './reach.ts'

const TABLES = [
  {
    table: 'tool_arguments',
    rowsOf: ({ tables }: TenantRows) => tables.toolArguments,
    member: 'inputSchema',
  },
  {
    table: 'tool_results',
    rowsOf: ({ tables }: TenantRows) => tables.toolResults,
    member: 'outputSchema',
  },
] as const

export const pointersPoint: RowCheck = (rows) =>
  TABLES.flatMap(({ table, rowsOf, member }) =>
    rowsOf(rows).flatMap((row): Finding[] => {
      const { server, tool, pointer } = row
      const at = { table, key: [rows.tenant, server, tool, pointer] }
      if (/~(?![01])/.test(pointer)) {
        return [
          {
            ...at,
            code: 'pointer_malformed',
            message: `\`${pointer}\` has a \`~\` that escapes nothing; write \`~0\` for \`~\` and \`~1\` for \`/\``,
          },
        ]
      }
      const [reached] = toolReached(rows, row)
      const schema = schemaIn(reached?.definition ?? null, member)
      const wrong = schema === null ? null : missingIn(schema, parsePointer(pointer))
      if (wrong === null) return []
      const what = member === 'inputSchema' ? 'no argument is ever looked at' : 'nothing is found'
      return [
        {
          ...at,
          code: 'unknown_pointer',
          message: `the pinned ${member} of \`${tool}\` has nothing at \`${pointer}\`, so ${what} there; ${wrong}`,
        },
      ]
    }),
  )

/** null: there may be something. Segments of a pointer into a list are `*` or a number. */
function missingIn(schema: InputSchema, segments: readonly string[]): string | null {
  const names = segments.map((segment, at) =>
    /^\d+$/.test(segment) && isList(schema, segments.slice(0, at)) ? '*' : segment,
  )
  const missing = names.findIndex((_, at) => {
    const { variants, unlisted } = schema.placeAt(names.slice(0, at + 1))
    return variants.length === 0 && unlisted !== 'anywhere'
  })
  if (missing < 0) return null
  const known = schema
    .placeAt(names.slice(0, missing))
    .variants.flatMap(({ properties }) => [...properties.keys()])
  const best = nearest(names[missing] ?? '', known)
  return best === null ? 'correct the pointer' : `write \`${best}\` there`
}

const isList = (schema: InputSchema, names: readonly string[]): boolean =>
  schema.placeAt(names).variants.some(({ types }) => types.includes('array'))
