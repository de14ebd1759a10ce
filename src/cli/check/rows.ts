// Rows that the core or door one refuses as they are.
import { parseAlgorithms } from '../../authentication/issuer.ts'
import { trustedUrl } from '../../authentication/url.ts'
import { compileRules } from '../../pdp/sequence/advance.ts'
import { readIssuer } from '../../storage/compiled-issuers.ts'
import type { Finding, RowCheck } from './problem.ts'

export const rulesAreReadable: RowCheck = ({ tenant, tables }) =>
  compileRules('', tables.sequenceRules)
    .problems()
    .map(({ id, problem }) => ({
      code: 'sequence_rule_unreadable',
      table: 'sequence_rules',
      key: [tenant, id],
      message: `${problem}; put it right, until then the rule holds for every call on its label`,
    }))

/** As a deployment reads them; a loopback address is for local seeds only. */
const PUBLIC = { allowLoopback: false, ownHosts: new Set<string>() }

export const serverUrlsAreTrusted: RowCheck = ({ tables }) =>
  tables.servers.flatMap(({ name, url }) => {
    const trusted = trustedUrl(url, PUBLIC)
    if (trusted.ok) return []
    return [
      {
        code: 'server_url',
        table: 'servers',
        key: [name],
        message: `${trusted.error}; give the public https address of the MCP endpoint`,
      },
    ]
  })

export const issuersAreTrusted: RowCheck = ({ tenant, tables }) =>
  tables.issuers.flatMap((row) => {
    const at = { table: 'issuers', key: [tenant, row.url] } as const
    const listed = parseAlgorithms(row.algorithms)
    // The rest of the row, read as if its algorithms were good: both problems are told at once.
    const rest = readIssuer({ ...row, algorithms: '["ES256"]' }, PUBLIC)
    return [
      ...(rest.ok
        ? []
        : [{ ...at, code: 'issuer_url', message: `${rest.error}; give a public https address` }]),
      ...(listed.ok
        ? []
        : [{ ...at, code: 'issuer_algorithms', message: `${listed.error}; list supported ones` }]),
    ]
  })

/** While a server is observed most of what is denied here is not denied. */
export const serversEnforce: RowCheck = ({ tables }) =>
  tables.servers.flatMap(({ name, observeUntil }): Finding[] => {
    if (observeUntil === null) return []
    const date = new Date(observeUntil).toISOString()
    return [
      {
        code: 'warn_observed_server',
        table: 'servers',
        key: [name],
        message:
          observeUntil > Date.now()
            ? `until ${date} only door one, revocations and the borders between tenants are enforced; set observe_until to NULL to enforce all`
            : `has enforced since ${date}; set observe_until to NULL, or to a time that is still to come, in epoch milliseconds`,
      },
    ]
  })
