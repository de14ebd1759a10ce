// What people agreed to: whether these rows can ever count.
import { hint } from './hint.ts'
import type { Finding, RowCheck } from './problem.ts'
import { unknownClient } from './trust.ts'

export const consentsCount: RowCheck = (rows) =>
  rows.tables.consents.flatMap(({ id, issuer, client, server: name, tool }): Finding[] => {
    const at = { table: 'consents', key: [rows.tenant, id] } as const
    const server = rows.servers.get(name)
    const problems = [...unknownClient(rows, issuer, client)]
    const found: Finding[] = problems.map((message) => ({ ...at, code: 'unknown_client', message }))
    if (server === undefined) return found
    if (tool !== null && server.tools.find(tool, null) === null) {
      const known = server.toolRows.map((row) => row.name)
      const message = `no tool of server \`${name}\` is named \`${tool}\`; ${hint(tool, known)}`
      found.push({ ...at, code: 'unknown_tool', message })
    }
    if (!server.facts.consentRequired) {
      const message = `server \`${name}\` asks for no consent, so this row changes nothing; set its consent_required to 1 or delete this row`
      found.push({ ...at, code: 'warn_consent_unused', message })
    }
    return found
  })
